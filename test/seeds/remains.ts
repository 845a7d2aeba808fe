/** What is left of a run when all is over: processes, mounts, files, secrets; on the host and here. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BED_NAME, onHost } from '../support/bed.ts';
import { finished } from '../support/daemon.ts';
import { listProcesses } from '../support/faults/host-processes.ts';
import { OUTPUT } from './payload.ts';
import { type Canary, HOST, type Scene } from './scene.ts';

/** Attempts by token: those that stay on the host by their policy, and all others. */
export interface Expected {
  ids: readonly string[];
  keptTokens: ReadonlySet<string>;
  /** An upload was given up for good (full disk, cancel): its part waits for gc. */
  partsGivenUp: boolean;
}

/** Names below the remote root that are there to stay. */
const STAYS = [
  /^towline-root\.json$/,
  /^(images|store|store\/\.part|tasks|tasks\/[^/]+|tasks\/[^/]+\/\.ended)$/,
  /^store\/[0-9a-f]{64}-[0-7]+$/,
  /^tasks\/[^/]+\/\.ended\/[^/]+$/,
];

/** Everything that nobody owns any more, one line each. */
export async function leftovers(scene: Scene, expected: Expected): Promise<string[]> {
  const [processes, mounts, names] = await Promise.all([
    listProcesses(HOST),
    onHost(HOST, 'sh', '-c', 'grep -hsF "$0/" /proc/[0-9]*/mountinfo; true', scene.root),
    remoteNames(scene),
  ]);
  const ofOurs = (mark: string): boolean => expected.ids.some((id) => mark.includes(`=${id}.`));
  return [
    ...processes
      .filter(({ marks }) => marks.some(ofOurs))
      .map(({ pid, name, marks }) => `process ${pid} ${name} ${marks.join(' ')}`),
    ...new Set(mounts.split('\n').filter((line) => line !== '')),
    ...names.filter((name) => !stays(name, expected)).map((name) => `${name} on the host`),
    ...localNames(scene).map((name) => `${name} among the outputs`),
  ];
}

/** Paths below the remote root; inside an attempt only its own names matter. */
export async function remoteNames({ root }: Pick<Scene, 'root'>): Promise<string[]> {
  const list = 'cd "$0" 2>/dev/null && find . -mindepth 1 -maxdepth 4; true';
  const found = await onHost(HOST, 'sh', '-c', list, root);
  return found.split('\n').flatMap((line) => (line.startsWith('./') ? [line.slice(2)] : []));
}

function stays(name: string, { keptTokens, partsGivenUp }: Expected): boolean {
  if (partsGivenUp && /^store\/\.part\/[0-9a-f]{64}-[0-7]+\.[^/]+$/.test(name)) return true;
  const token = /^tasks\/[^/]+\/([^./][^/]*)/.exec(name)?.[1];
  if (token !== undefined) return keptTokens.has(token);
  return STAYS.some((pattern) => pattern.test(name));
}

function localNames({ dir }: Scene): string[] {
  const names = readdirSync(join(dir, 'outputs'), { recursive: true, encoding: 'utf8' });
  return names.filter((name) => !/^\d+$/.test(name) && !name.endsWith(`/${OUTPUT}`));
}

/** Looks for each secret, plain and in base64, in every file of the run, here and on the host. */
export async function leaks(scene: Scene, canaries: readonly Canary[]): Promise<string[]> {
  const forms = formsOf(canaries);
  const here = [scene.daemon.dir, scene.dir].flatMap((dir) => leaksBelow(dir, forms));
  const there = await Promise.all(
    forms.map(async ({ name, text }) => {
      const files = await remoteFilesWith(scene.root, text);
      return files.map((file) => `${name} in ${file} on the host`);
    }),
  );
  return [...here, ...there.flat()];
}

/** A secret as it would be met, by name. */
interface Form {
  name: string;
  text: string;
}

export function formsOf(canaries: readonly Canary[]): Form[] {
  return canaries.flatMap(({ name, secret }) => [
    { name, text: secret },
    { name: `${name} in base64`, text: Buffer.from(secret).toString('base64').replace(/=+$/, '') },
  ]);
}

/** Looks for them in every file below a directory of this machine. */
export function leaksBelow(dir: string, forms: readonly Form[]): string[] {
  const entries = readdirSync(dir, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .flatMap((entry) => {
      const path = join(entry.parentPath, entry.name);
      const bytes = readFileSync(path);
      return forms.flatMap(({ name, text }) =>
        bytes.includes(text) ? [`${name} in ${path}`] : [],
      );
    });
}

/** The secret goes by stdin: on a command line we would find ourselves. */
async function remoteFilesWith(root: string, secret: string): Promise<string[]> {
  const grep = ['grep', '-rlaF', '-f', '/dev/stdin', root];
  const child = spawn('docker', ['exec', '-i', `${BED_NAME}-${HOST}`, ...grep]);
  child.stdin.end(`${secret}\n`);
  const { stdout } = await finished(child);
  return stdout.split('\n').filter((line) => line !== '');
}
