/** The texts of script/ on the bed's vm: real Apptainer over real SSH, in a remote root of its own. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { attemptToken, type TaskId } from '../../src/domain/task.ts';
import { type Host } from '../../src/remote/host.ts';
import { HOST_TUNING } from '../../src/remote/settings.ts';
import { createSshHost } from '../../src/remote/ssh/ssh-host.ts';
import { launchText } from '../../src/script/launch.ts';
import { parseLaunch } from '../../src/script/launch-reply.ts';
import { attemptDir } from '../../src/script/layout.ts';
import { type HostFacts, parseProbe, probeText } from '../../src/script/probe.ts';
import { type PullPlace, parsePull, pullText } from '../../src/script/pull.ts';
import { type AttemptFacts, parseStatus, statusText } from '../../src/script/status.ts';
import { supervisorScript } from '../../src/script/supervisor.ts';
import { type ScriptPlan, taskScript } from '../../src/script/task-script.ts';
import { BED, requireBed, SSH_PORT } from './bed.ts';
import { PATIENCE } from './patience.ts';
import { until } from './until.ts';

export const DAEMON = 'd4a3c7f0-0000-4000-8000-000000000002';

export interface ScriptBed extends AsyncDisposable {
  facts: HostFacts;
  host: Host;
  run(text: string, deadlineMs?: number): Promise<string>;
  pullPlace(reference: string, key: string): PullPlace;
  /** The image's path on vm, pulled when it is not there. */
  image(name: string): Promise<string>;
  /** Launches a command and waits for its end; streams by name. */
  complete(
    plan: Pick<ScriptPlan, 'command' | 'imagePath'> & Partial<ScriptPlan>,
  ): Promise<Completed>;
}

export interface Completed {
  dir: string;
  facts: AttemptFacts;
  stdout: Buffer;
  stderr: Buffer;
}

/** Opens the bed; `rootTemplate` below the home of alice, with characters that hurt. */
export async function openScriptBed(name: string): Promise<ScriptBed> {
  requireBed();
  const host = createSshHost({
    ...HOST_TUNING,
    name: 'vm',
    hostname: '127.0.0.1',
    port: Number(SSH_PORT),
    user: 'alice',
    jumps: [],
    identityFiles: [join(BED, 'id_ed25519')],
    knownHostsFiles: [join(BED, 'known_hosts')],
  });
  const run = async (text: string, deadlineMs = 15_000 * PATIENCE) =>
    (await host.run(text, { purpose: 'test of script', deadlineMs })).output;
  const rootTemplate = `~/script test/${name} ${randomBytes(4).toString('hex')}`;
  const facts = parseProbe(await run(probeText({ rootTemplate, runtime: 'apptainer' })), {
    host: 'vm',
  });
  const runtime = facts.runtime?.path ?? 'none';
  const pullPlace = (reference: string, key: string): PullPlace => ({
    directory: `${facts.root}/images`,
    root: facts.root,
    key,
    reference,
    runtime,
    insecure: true,
    nonce: fresh(),
    timeoutMs: 120_000 * PATIENCE,
  });
  const bed: ScriptBed = {
    facts,
    host,
    run,
    pullPlace,
    async image(image) {
      const text = pullText(pullPlace(`docker://registry:5000/${image}:1`, `${image}-1`));
      let path = '';
      await until(
        async () => {
          const reply = parsePull(await run(text), { host: 'vm' });
          if (reply.kind === 'failed') throw new Error(reply.output);
          if (reply.kind === 'ready') path = reply.path;
          return path !== '';
        },
        () => `the image ${image}`,
        110_000,
      );
      return path;
    },
    complete: (plan) => complete(bed, plan),
    async [Symbol.asyncDispose]() {
      await run(`chmod -R u+w '${facts.root}'; rm -rf '${facts.root}'`);
      await host.close();
    },
  };
  return bed;
}

async function complete(
  bed: ScriptBed,
  plan: Pick<ScriptPlan, 'command' | 'imagePath'> & Partial<ScriptPlan>,
): Promise<Completed> {
  const { facts, run, host } = bed;
  const token = attemptToken(`s${fresh()}` as TaskId, 1);
  const place = { root: facts.root, daemonId: DAEMON, token };
  const dir = attemptDir(place);
  const inputs = plan.inputs ?? { files: [] };
  const script = taskScript({
    dir,
    token,
    runtime: facts.runtime?.path ?? 'none',
    runtimeArgs: [],
    env: {},
    binds: [],
    inputs,
    variablePrefix: 'APPTAINER',
    noEval: true,
    defaultSignal: facts.tools.defaultSignal,
    ...plan,
  });
  const digest = 'ab'.repeat(32);
  const command = plan.command.kind === 'text' ? plan.command.text : '';
  const reply = await run(
    launchText({
      ...place,
      nonce: fresh(),
      digest,
      files: [
        {
          name: 'spec.json',
          content: `${JSON.stringify({ format: 1, digest, token })}\n`,
          mode: 0o600,
        },
        { name: 'run.sh', content: script, mode: 0o700 },
        { name: 'sup.sh', content: supervisorScript(), mode: 0o600 },
        { name: 'command', content: command, mode: 0o600 },
      ],
      inputs,
      image: { path: plan.imagePath },
      outputLimitBytes: 0,
      timeLimitMs: 0,
      mvNoTarget: facts.tools.mvNoTarget,
    }),
  );
  const launched = parseLaunch(reply);
  if (launched.kind !== 'launched') throw new Error(reply);
  const query = [{ dir, nonce: launched.launch.nonce, pid: launched.launch.pid }];
  let seen: AttemptFacts | undefined;
  await until(
    async () => {
      seen = parseStatus(query, await run(statusText(query))).attempts[0];
      return seen?.exit !== undefined;
    },
    () => `${dir}: ${JSON.stringify(seen)}`,
    60_000,
  );
  const read = (stream: string) => host.readRange(`${dir}/${stream}`, 0, 4 << 20);
  return {
    dir,
    facts: seen as AttemptFacts,
    stdout: await read('stdout'),
    stderr: await read('stderr'),
  };
}

export function fresh(): string {
  return `n${randomBytes(6).toString('hex')}`;
}
