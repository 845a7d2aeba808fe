/** OpenSSH's own client, as people use it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Runs shell text on a host of the bed; what it prints is not kept. @throws with the end of its stderr */
export async function overSsh(section: Record<string, string>, text: string): Promise<void> {
  const { hostname = '', port = '', user = '', identity_file = '', known_hosts = '' } = section;
  const options = ['-o', `UserKnownHostsFile=${known_hosts}`, '-o', 'BatchMode=yes'];
  const words = ['-F', 'none', '-i', identity_file, '-p', port, ...options, `${user}@${hostname}`];
  const child = spawn('ssh', [...words, '/bin/sh -s'], { stdio: ['pipe', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-500)));
  child.stdin.end(text);
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`ssh ended with ${code}: ${said}`);
}
