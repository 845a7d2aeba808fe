/**
 * Goal: the generated texts change only when somebody means it, and are good shell everywhere.
 * Method: one file each, compared byte by byte (UPDATE_GOLDEN=1 writes them); each is parsed by every
 * sh there is and by shellcheck at its strictest level.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { AttemptToken } from '../../src/domain/task.ts';
import { slurmInspectText } from '../../src/scheduler/slurm/inspect.ts';
import { cancelText, KILLER } from '../../src/script/cancel.ts';
import { cleanText } from '../../src/script/clean.ts';
import { doctorText } from '../../src/script/doctor.ts';
import { containerText } from '../../src/script/doctor-container.ts';
import { forgetText } from '../../src/script/forget.ts';
import { imageListText, imageRemoveText } from '../../src/script/image-cache.ts';
import { pruneText } from '../../src/script/image-prune.ts';
import { imageThereText } from '../../src/script/image-ready.ts';
import {
  dropImagePartText,
  publishImageText,
  receiveText,
} from '../../src/script/image-receive.ts';
import { hasRuntimeText, imageFileText } from '../../src/script/image-send.ts';
import { freshText, hangUpText, joinText, signalText, wayInText } from '../../src/script/inside.ts';
import { inspectFileText } from '../../src/script/inspect-file.ts';
import { dropHoldsText, heldText, holdsText, keepText } from '../../src/script/kept.ts';
import { launchText } from '../../src/script/launch.ts';
import { leftoversText } from '../../src/script/leftovers.ts';
import { hashFilesText, haveObjectsText, publishObjectText } from '../../src/script/objects.ts';
import { dropPackText, packName, packsThereLines, unpackText } from '../../src/script/packs.ts';
import { probeText } from '../../src/script/probe.ts';
import { pullCancelText, pullText } from '../../src/script/pull.ts';
import { PULL_JOB } from '../../src/script/pull-job.ts';
import { sendFilesText } from '../../src/script/send-files.ts';
import { settledText } from '../../src/script/settled.ts';
import { type AttemptFacts, statusText } from '../../src/script/status.ts';
import { supervisorScript } from '../../src/script/supervisor.ts';
import { salvageText, survivorsText } from '../../src/script/sweep.ts';
import { taskScript } from '../../src/script/task-script.ts';
import { ticketsText } from '../../src/script/tickets.ts';
import { complaints } from '../support/shells.ts';
import { aLaunch, aScript, HOSTILE, PLACE, SHA256, TOKEN } from '../unit/script/samples.ts';
import { JOB_TEXTS } from './job-texts.ts';

const HOLD = {
  root: '/home/alice/.towline',
  daemonId: 'd1',
  token: 't.1' as AttemptToken,
};
const DIRECTORY = '/srv/towline/images';
const PULL = {
  directory: '~/.towline/images',
  root: '/home/alice/.towline',
  key: 'registry_5000_mini_1-0123456789abcdef0123456789abcdef',
  reference: 'docker://registry:5000/mini:1',
  runtime: '/usr/bin/apptainer',
  setup: 'module load apptainer',
  insecure: true,
  nonce: 'n1',
  timeoutMs: 3_600_000,
  priority: 'low',
  minFreeBytes: 1 << 20,
  auth: '{"auths":{"registry:5000":{"auth":"YTpi"}}}',
} as const;
const RECEIVE = {
  ...{ directory: PULL.directory, root: PULL.root, key: PULL.key },
  ...{ sha256: SHA256, daemonId: PLACE.daemonId, host: 'far' },
};
const FORGET = { rootTemplate: '$SCRATCH/tow line', daemonId: PLACE.daemonId, nonce: 'n3' };
const OBJECT = { root: PLACE.root, daemonId: PLACE.daemonId, sha256: SHA256, mode: 0o644 };
const PACKED = [`${SHA256}-0444`, `${SHA256}-0555`];
const PACK = { root: PLACE.root, daemonId: PLACE.daemonId, pack: packName(PACKED) };
const SEEN: AttemptFacts = {
  ...{ directory: 'there', ticket: false, go: true, cancelled: false, killed: false },
  ...{ supervisorStart: '5', stdoutBytes: 0, stderrBytes: 0 },
};
const ATTEMPT = { dir: `${PLACE.root}/tasks/${PLACE.daemonId}/${TOKEN}`, nonce: 'n1', pid: 4711 };

const INSIDE = { nonce: 'n1', command: ['echo', "it's", '$HOME'] };

const TEXTS: Record<string, string> = {
  'task-argv': taskScript(aScript()),
  'task-text': taskScript(aScript({ command: { kind: 'text', text: 'echo hello\n' } })),
  'task-shell': taskScript(aScript({ command: { kind: 'text', text: 'x', shell: '/bin/zsh' } })),
  'task-hostile': taskScript(aScript(HOSTILE)),
  'task-steps': taskScript(
    aScript({
      volumes: ['/data', '/data/home'],
      workdir: '/data/w',
      redirect: { stdin: "/data/it's", stdout: '/data/out', stderr: '/data/err' },
      env: { HOME: '/data/home', A: 'b' },
      goOn: true,
      then: [
        {
          imagePath: '/images/other.sif',
          command: { kind: 'argv', argv: ['cat', '$x'] },
          env: { B: 'c' },
          workdir: undefined,
          redirect: { stdout: '/data/all', stderr: '/data/all' },
          goOn: undefined,
        },
      ],
    }),
  ),
  'task-gpu': taskScript(aScript({ gpus: { kind: 'nvidia', devices: ['GPU-1a'] } })),
  'task-overlay': taskScript(
    aScript({
      overlay: { kind: 'made', bytes: 1024 ** 3 },
      network: 'none',
      tmpDir: "/scratch/it's mine",
    }),
  ),
  'task-own-overlay': taskScript(
    aScript({
      overlay: { kind: 'own', path: '/data/a,b:c "d" $e.img', readonly: true },
      fakeroot: true,
    }),
  ),
  supervisor: supervisorScript(),
  leftovers: leftoversText({
    ...{ root: PLACE.root, daemonId: PLACE.daemonId, imageDirectory: '$SCRATCH/images' },
    ...{ nonce: 'n4', olderThanMs: 604_800_000, remove: true },
  }),
  settled: settledText({
    root: PLACE.root,
    ...ATTEMPT,
    on: { machineId: 'm', hostname: 'h', bootId: 'b' },
  }),
  launch: launchText(aLaunch()),
  'launch-volumes': launchText(
    aLaunch({
      volumes: ['/data'],
      directories: ['volumes/0', 'volumes/0/w'],
      inputs: {
        files: [
          { kind: 'object', sha256: SHA256, mode: 0o444, target: '/data/small', bytes: 10 },
          { kind: 'object', sha256: SHA256, mode: 0o444, target: '/data/large', bytes: 5_000_000 },
          { kind: 'directory', target: '/data/dir' },
          { kind: 'object', sha256: SHA256, mode: 0o555, target: '/data/dir/x', bytes: 10 },
        ],
      },
    }),
  ),
  'launch-signs': launchText({
    ...aLaunch(),
    image: { path: "/srv/it's/mini-1.sif", inCache: true },
    laterImages: [{ path: '/mine.sif' }, { path: "/srv/it's/later-2.sif", inCache: true }],
  }),
  'launch-needs': launchText(
    aLaunch({ needs: [{ path: '/data/a,b "c" $d' }, { path: '/tmp', directory: true }] }),
  ),
  'launch-plain-mv': launchText(aLaunch({ mvNoTarget: false })),
  status: statusText([ATTEMPT, { ...ATTEMPT, nonce: 'n2', pid: 0 }]),
  'status-many': statusText(Array.from({ length: 16 }, () => ATTEMPT)),
  'status-glances': statusText([
    { ...ATTEMPT, before: SEEN },
    ATTEMPT,
    { ...ATTEMPT, nonce: "n'2", pid: 0, before: SEEN },
    { dir: "/it's/tasks/d/b.1", nonce: 'n', pid: 7, before: SEEN },
  ]),
  tickets: ticketsText([ATTEMPT.dir, `${ATTEMPT.dir.slice(0, -1)}2`, '/other root/tasks/d/b.1']),
  survivors: survivorsText({ dir: ATTEMPT.dir, token: TOKEN }),
  salvage: salvageText(ATTEMPT),
  cancel: cancelText({ ...PLACE, nonce: 'n2', graceMs: 10_000, mvNoTarget: true }),
  'cancel-killer': KILLER,
  ...JOB_TEXTS,
  'slurm-inspect': slurmInspectText(['--partition=main', "--comment=it's"]),
  forget: forgetText({ ...FORGET, remove: true }),
  'forget-look': forgetText({ ...FORGET, remove: false }),
  'inside-way': wayInText({ ...ATTEMPT, token: TOKEN, runs: true, imagePath: '/images/mini.sif' }),
  'inside-join': joinText({ kind: 'join', pid: 42, start: '7', namespaces: ['-U', '-m'] }, INSIDE),
  'inside-fresh': freshText(aScript(HOSTILE), { ...INSIDE, term: 'xterm', hasShell: true }),
  'inside-signal': signalText('n1', 'INT'),
  'inside-hang-up': hangUpText('n1'),
  'inside-file': inspectFileText("/srv/it's here", 'a b'),
  clean: cleanText({ ...PLACE, tokens: [TOKEN] }),
  pull: pullText(PULL),
  'pull-job': PULL_JOB,
  'pull-cancel': pullCancelText(PULL),
  'image-receive': receiveText(RECEIVE, 4096),
  'image-publish': publishImageText(RECEIVE, { format: 1, reference: PULL.reference, at: 1 }),
  'image-part-drop': dropImagePartText(RECEIVE),
  'image-file': imageFileText("/srv/it's one.sif"),
  'image-runtime': hasRuntimeText({ runtime: 'apptainer', setup: 'module load apptainer' }),
  'image-there': imageThereText({ directory: DIRECTORY, key: PULL.key }),
  'image-prune': pruneText({
    ...{
      directory: DIRECTORY,
      root: PLACE.root,
      nonce: 'n4',
      olderThanMs: 86_400_000,
      remove: true,
    },
    ...{ used: [PULL.key], wanted: [`${PULL.key}.g0123456789abcdef`] },
  }),
  'image-list': imageListText({ directory: DIRECTORY }),
  'image-remove': imageRemoveText({ directory: DIRECTORY, key: PULL.key }),
  doctor: doctorText({
    rootTemplate: '$SCRATCH/tow line',
    runtime: 'apptainer',
    setup: 'module load apptainer',
    noise: "it's Monday",
    imagesTemplate: '$SCRATCH/tow line/images',
    registries: [
      { name: 'registry.example.org:5000', secure: false },
      { name: 'docker.io', secure: true },
    ],
  }),
  'doctor-container': containerText({
    runtime: '/usr/bin/apptainer',
    imageDirectory: '~/.towline/images',
    scratch: '/home/alice/tow line',
  }),
  'launch-in-scope': launchText({ ...aLaunch(), inUserScope: true }),
  'probe-held': probeText({
    rootTemplate: '~/.towline',
    runtime: 'apptainer',
    held: ['/home/alice/.towline', "/srv/it's held"],
  }),
  probe: probeText({
    rootTemplate: '$SCRATCH/tow line',
    runtime: 'apptainer',
    setup: 'module load apptainer',
  }),
  'objects-have': haveObjectsText({ ...OBJECT, names: [`${SHA256}-0644`] }),
  'objects-have-packs': haveObjectsText({
    ...OBJECT,
    names: PACKED,
    more: packsThereLines(PLACE.daemonId),
  }),
  'pack-unpack': unpackText({ ...PACK, nonce: 'n5', objects: PACKED }),
  'pack-drop': dropPackText(PACK),
  'objects-publish': publishObjectText(OBJECT),
  'kept-keep': keepText(HOLD, 'n1', ["/srv/it's one", '/srv/$(two)']),
  'kept-list': holdsText(HOLD),
  'kept-held': heldText(HOLD, [{ sha256: 'a'.repeat(64), mode: 0o444 }]),
  'kept-drop': dropHoldsText(HOLD, [HOLD.token]),
  'send-files': sendFilesText(["/srv/it's one", '/srv/$(two)']),
  'objects-hash': hashFilesText(["/srv/it's one", '/srv/$(two)']),
};

const CHECKERS = [
  ['sh', '-n'],
  ['bash', '-n'],
  ['dash', '-n'],
  ['busybox', 'sh', '-n'],
  // texts are fragments for a shell that is running already: they have no first line of their own
  ['shellcheck', '-s', 'sh', '-S', 'style'],
];

describe.each(Object.entries(TEXTS))('%s', (name, text) => {
  const path = join(import.meta.dirname, `${name}.sh`);

  test('the text is the one on file', () => {
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(path, text);
    expect(text).toBe(readFileSync(path, 'utf8'));
  });

  test.each(CHECKERS)('%s %s %s %s has nothing to say', (...checker) => {
    expect(
      complaints(
        checker.filter((word) => word !== undefined),
        path,
      ),
    ).toBe('');
  });
});
