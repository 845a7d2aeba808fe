/** GET /metrics of a test's daemon, as numbers by sample name. */
import { request } from 'node:http';
import type { TestDaemon } from './daemon.ts';

export async function metrics(daemon: TestDaemon): Promise<Record<string, number>> {
  const text = await new Promise<string>((resolve, reject) => {
    const call = request({ socketPath: daemon.socket, path: '/metrics' }, (reply) => {
      const chunks: Buffer[] = [];
      reply.on('data', (chunk: Buffer) => chunks.push(chunk));
      reply.on('end', () => resolve(Buffer.concat(chunks).toString()));
    });
    call.on('error', reject);
    call.end();
  });
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line): [string, number] => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}
