/** Plans for the tests of script/: an ordinary one, and the values that make quoting fail where it is wrong. */
import { attemptToken, type TaskId } from '../../../src/domain/task.ts';
import type { LaunchPlan } from '../../../src/script/launch.ts';
import type { ScriptPlan } from '../../../src/script/task-script.ts';

export const TOKEN = attemptToken('k3f9a2' as TaskId, 1);
export const PLACE = {
  root: '/home/alice/.towline',
  daemonId: '0c7f6f0e-7f0a-4f7e-9b7e-2b1d3c4d5e6f',
  token: TOKEN,
};
export const SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

export const HOSTILE_WORDS = [
  '',
  ' ',
  'a b',
  'two\nlines\n',
  'tab\tand\rreturn',
  `it's "quoted"`,
  '$(touch /tmp/owned)',
  '`id`',
  '$HOME ${HOME} $$',
  '*',
  '?[a-z]',
  '-rf',
  '--',
  'a,b=c:d',
  '\\',
  '\\n\\0',
  '%s%n',
  '!history',
  '~',
  '#no comment',
  'ünïcödé 漢字 🚢',
  '; true',
  '&& true || false |',
  '<in >out',
  "'\\''",
];

export function aScript(changes: Partial<ScriptPlan> = {}): ScriptPlan {
  return {
    dir: `${PLACE.root}/tasks/${PLACE.daemonId}/${TOKEN}`,
    token: TOKEN,
    runtime: '/usr/bin/apptainer',
    runtimeArgs: ['--nv'],
    imagePath: `${PLACE.root}/images/mini.sif`,
    command: { kind: 'argv', argv: ['sh', '-c', 'echo out; echo err >&2; exit 42'] },
    env: { GREETING: 'hello world' },
    binds: [{ source: '/data', target: '/data', readonly: true }],
    inputs: { files: [{ kind: 'object', sha256: SHA256, mode: 0o644, target: 'a.txt', bytes: 0 }] },
    variablePrefix: 'APPTAINER',
    noEval: true,
    defaultSignal: true,
    ...changes,
  };
}

export const HOSTILE: Partial<ScriptPlan> = {
  dir: `/srv/a:b, "c" $d/it's/tasks/d/${TOKEN}`,
  command: { kind: 'argv', argv: ['printf', ...HOSTILE_WORDS] },
  env: Object.fromEntries(HOSTILE_WORDS.map((word, index) => [`V${index}`, word])),
  binds: [{ source: '/srv/a, "b" $c:d', target: '/mnt/x y', readonly: false }],
  inputs: {
    files: [
      { kind: 'object', sha256: SHA256, mode: 0o755, target: `it's a, "b"`, bytes: 0 },
      { kind: 'directory', target: '/data' },
      { kind: 'object', sha256: SHA256, mode: 0o644, target: '/data/$(x)', bytes: 0 },
      { kind: 'remote', path: '/scratch/ref genome', target: 'ref' },
    ],
  },
  tmpDir: '/scratch/big one',
  setup: 'module load apptainer; echo loaded',
};

export function aLaunch(changes: Partial<LaunchPlan> = {}): LaunchPlan {
  return {
    ...PLACE,
    nonce: 'n1',
    digest: SHA256,
    files: [
      {
        name: 'spec.json',
        content: `{"format":1,"digest":"${SHA256}","token":"${TOKEN}"}\n`,
        mode: 0o600,
      },
      { name: 'run.sh', content: "#!/bin/sh\necho 'it runs'\n", mode: 0o700 },
      { name: 'sup.sh', content: '#!/bin/sh\n', mode: 0o600 },
      { name: 'command', content: 'echo hello', mode: 0o600 },
    ],
    inputs: {
      files: [
        { kind: 'object', sha256: SHA256, mode: 0o644, target: 'a.txt', bytes: 0 },
        { kind: 'object', sha256: SHA256, mode: 0o755, target: 'sub dir/b.sh', bytes: 0 },
        { kind: 'directory', target: 'empty' },
        { kind: 'remote', path: '/scratch/ref genome', target: 'ref' },
        { kind: 'object', sha256: SHA256, mode: 0o644, target: '/etc/x.conf', bytes: 0 },
      ],
      stdin: { sha256: SHA256, mode: 0o600 },
    },
    image: { path: `${PLACE.root}/images/mini.sif` },
    outputLimitBytes: 1_000_000_000,
    timeLimitMs: 60_000,
    mvNoTarget: true,
    ...changes,
  };
}
