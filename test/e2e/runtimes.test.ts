/**
 * Goal: the runtime is started as the host's section says, its own words stay out of the streams, and the
 * script of an attempt can be run again by hand. Method: real tasks on vm; `singularity` is the link that
 * Apptainer's package installs, which obeys the other prefix of variables.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { MINI, onHost } from '../support/bed.ts';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';

let daemon: TestDaemon;

beforeAll(async () => {
  const keys = {
    runtime: '/usr/bin/singularity',
    runtime_args: `--hostname odd --env 'FROM_ARGS=two  words'`,
    setup: 'echo noise && echo noise >&2 && export TOWLINE_NOISE=1',
  };
  daemon = makeDaemon({ hosts: { odd: { on: 'vm', keys } } });
  await daemon.start();
});

afterAll(() => daemon[Symbol.asyncDispose]());

test('a real run by singularity: variables arrive byte-exact, and nothing of it is in the streams', async () => {
  const value = `a "b" $HOME \`id\` $(id)\n\\n ü;'`;
  const ran = await daemon.cli(
    ...['run', '--host', 'odd', '--env', `VALUE=${value}`, MINI, '--'],
    ...['sh', '-c', 'printf %s "$VALUE"; echo err >&2'],
  );
  expect(ran).toEqual({ code: 0, signal: null, stdout: value, stderr: 'err\n' });
});

test('arguments of the host stand before the image, each one word; the noise of its setup is nowhere', async () => {
  const ran = await daemon.cli(
    ...[
      'run',
      '--host',
      'odd',
      MINI,
      '--',
      'sh',
      '-c',
      'uname -n; echo "$FROM_ARGS${TOWLINE_NOISE-}"',
    ],
  );
  expect(ran).toEqual({ code: 0, signal: null, stdout: 'odd\ntwo  words\n', stderr: '' });
});

test('run.sh of a kept attempt is run again by hand, with the same result', async () => {
  const id = await daemon.submit(
    ...['--host', 'odd', '--cleanup', 'never', '--env', 'SAID=it is', MINI, '--'],
    ...['sh', '-c', 'echo "$SAID here" | tee -a again; exit 4'],
  );
  await daemon.cli('wait', id);
  const { remoteDir = '', exitCode } = await daemon.show(id);
  expect(exitCode).toBe(4);
  const script = `cd "$0" && { ./run.sh; echo "code $?"; cat work/again; }`;
  const said = await onHost('vm', 'su', 'alice', '-s', '/bin/sh', '-c', script, remoteDir);
  expect(said).toContain('it is here\ncode 4\nit is here\nit is here\n');
});
