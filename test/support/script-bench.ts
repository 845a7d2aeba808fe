/**
 * A place where the texts of script/ do their real work without a container: a temporary remote root,
 * a fake runtime that runs the command right here, and the shell of one's choice as `sh`.
 */

import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StagedInputs } from '../../src/domain/state.ts';
import { type AttemptToken, attemptToken, type TaskId } from '../../src/domain/task.ts';
import { type CancelReply, cancelText, parseCancel } from '../../src/script/cancel.ts';
import { type LaunchPlan, launchText } from '../../src/script/launch.ts';
import { type LaunchReply, parseLaunch } from '../../src/script/launch-reply.ts';
import { attemptDir } from '../../src/script/layout.ts';
import { type HostFacts, parseProbe, probeText } from '../../src/script/probe.ts';
import {
  type AttemptFacts,
  parseStatus,
  type StatusReply,
  statusText,
} from '../../src/script/status.ts';
import { supervisorScript } from '../../src/script/supervisor.ts';
import { parseSurvivors, type Survivors, survivorsText } from '../../src/script/sweep.ts';
import { type ScriptPlan, taskScript } from '../../src/script/task-script.ts';
import { runText } from './shells.ts';
import { until } from './until.ts';

/** Takes the options of `exec` away up to the image and runs what follows; `pull` does as the file `pull` says. */
const FAKE_RUNTIME = `#!/bin/bash
# fake runtime of the tests
here=\${BASH_SOURCE[0]%/*}
case $1 in
  --version) echo 'apptainer version 1.4.5'; exit ;;
  pull) shift; source "$here/pull"; exit ;;
  overlay) echo "$*" >>"$here/overlays"; echo fresh >"\${@: -1}"; exit ;;
esac
for name in \${!APPTAINERENV_*}; do export "\${name#APPTAINERENV_}=\${!name}"; done
while [[ $1 != *.sif ]]; do shift; done
[[ $1 == */broken.sif ]] && { echo 'FATAL: cannot mount "x\\y" \u2026' >&2; exit 255; }
[[ $1 == */noshell.sif && $2 == /bin/sh ]] && { echo 'FATAL:   stat /bin/sh: no such file or directory' >&2; exit 255; }
shift
exec "$@"
`;

export interface Bench extends AsyncDisposable {
  dir: string;
  root: string;
  facts: HostFacts;
  run(text: string): Promise<string>;
  /** An attempt of a new task that runs a line of shell, not launched yet. */
  attempt(line: string, changes?: BenchChanges): Attempt;
  /** Paths of processes that carry a token, supervisors and payload. */
  living(token: AttemptToken): Promise<Survivors>;
}

interface BenchChanges {
  plan?: Partial<ScriptPlan>;
  launch?: Partial<LaunchPlan>;
  inputs?: StagedInputs;
  image?: string;
}

export interface Attempt {
  token: AttemptToken;
  dir: string;
  text(nonce?: string): string;
  launch(nonce?: string): Promise<LaunchReply>;
  cancel(graceMs?: number): Promise<CancelReply>;
  status(query?: { nonce: string; pid: number }): Promise<StatusReply & { facts: AttemptFacts }>;
  /** Waits for the exit record. */
  ended(): Promise<AttemptFacts>;
  read(name: string): Promise<string>;
  names(): Promise<string[]>;
}

const DAEMON = 'd4a3c7f0-0000-4000-8000-000000000001';

/** Makes a bench whose `sh` is the given shell. */
export async function openBench(shell: readonly string[] = ['dash']): Promise<Bench> {
  const dir = await mkdtemp(join(tmpdir(), 'towline script '));
  const bin = join(dir, 'bin');
  await mkdir(bin);
  const program = spawnSync('sh', ['-c', `command -v ${shell[0]}`], {
    encoding: 'utf8',
  }).stdout.trim();
  await symlink(program, join(bin, 'sh'));
  await writeFile(join(bin, 'apptainer'), FAKE_RUNTIME);
  await chmod(join(bin, 'apptainer'), 0o755);
  const env = { ...process.env, PATH: `${bin}:${process.env['PATH']}`, HOME: dir };
  const run = async (text: string) => (await runText(text, ['sh'], env)).output;
  const probe = await run(probeText({ rootTemplate: '~/remote root', runtime: 'apptainer' }));
  const facts = parseProbe(probe, { host: 'bench' });
  for (const name of ['mini', 'broken', 'noshell'])
    await writeFile(join(facts.root, `images/${name}.sif`), '');
  return {
    dir,
    root: facts.root,
    facts,
    run,
    attempt: (line, changes) => anAttempt({ root: facts.root, run }, line, changes ?? {}),
    living: async (token) =>
      parseSurvivors(
        await run(
          survivorsText({ dir: attemptDir({ root: facts.root, daemonId: DAEMON, token }), token }),
        ),
      ),
    async [Symbol.asyncDispose]() {
      await rm(dir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

interface Ground {
  root: string;
  run(text: string): Promise<string>;
}

let count = 0;

function anAttempt({ root, run }: Ground, line: string, changes: BenchChanges): Attempt {
  count += 1;
  const token = attemptToken(`t${process.pid}x${count}` as TaskId, 1);
  const place = { root, daemonId: DAEMON, token };
  const dir = attemptDir(place);
  const image = `${root}/images/${changes.image ?? 'mini'}.sif`;
  const inputs = changes.inputs ?? { files: [] };
  const script = taskScript({
    dir,
    token,
    runtime: 'apptainer',
    runtimeArgs: [],
    imagePath: image,
    command: { kind: 'argv', argv: ['bash', '-c', line] },
    env: {},
    binds: [],
    inputs,
    variablePrefix: 'APPTAINER',
    noEval: true,
    defaultSignal: true,
    ...changes.plan,
  });
  const digest = randomBytes(32).toString('hex');
  const plan = (nonce: string): LaunchPlan => ({
    ...place,
    nonce,
    digest,
    files: [
      {
        name: 'spec.json',
        content: `${JSON.stringify({ format: 1, digest, token })}\n`,
        mode: 0o600,
      },
      { name: 'run.sh', content: script, mode: 0o700 },
      { name: 'sup.sh', content: supervisorScript(), mode: 0o600 },
      { name: 'command', content: line, mode: 0o600 },
    ],
    inputs,
    image: { path: image },
    outputLimitBytes: 0,
    timeLimitMs: 0,
    mvNoTarget: true,
    ...changes.launch,
  });
  const text = (nonce = fresh()) => launchText(plan(nonce));
  const status: Attempt['status'] = async (query = { nonce: 'none', pid: 0 }) => {
    const attempts = [{ dir, ...query }];
    const reply = parseStatus(attempts, await run(statusText(attempts)));
    return { ...reply, facts: reply.attempts[0] as AttemptFacts };
  };
  return {
    token,
    dir,
    text,
    launch: async (nonce) => parseLaunch(await run(text(nonce))),
    cancel: async (graceMs = 300) =>
      parseCancel(await run(cancelText({ ...place, nonce: fresh(), graceMs, mvNoTarget: true }))),
    status,
    async ended() {
      let facts: AttemptFacts | undefined;
      await until(
        async () => (facts = (await status()).facts).exit !== undefined,
        () => `exit record of ${dir}: ${JSON.stringify(facts)}`,
      );
      return facts as AttemptFacts;
    },
    read: (name) => readFile(join(dir, name), 'utf8'),
    names: () => readdir(dir),
  };
}

export function fresh(): string {
  return `n${randomBytes(6).toString('hex')}`;
}

export { DAEMON };
