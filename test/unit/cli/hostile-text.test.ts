/**
 * Goal: no text of a host or of another user moves the cursor, hides, or makes up a line of its own on the
 * terminal. Method: every view with hostile characters in every string it has, through every page and table.
 */
import { describe, expect, it } from 'vitest';
import { errorText } from '../../../src/cli/output/error.ts';
import { eventLine } from '../../../src/cli/output/event-text.ts';
import { hostPage, hostTable, imageTable } from '../../../src/cli/output/host-text.ts';
import { taskTable } from '../../../src/cli/output/task-list.ts';
import { taskPage } from '../../../src/cli/output/task-page.ts';
import { escapeControls } from '../../../src/cli/output/text.ts';
import { keyTable } from '../../../src/cli/output/trust-text.ts';

const BAD =
  '\u001b[2J\u001b]0;t\u0007\r\u0008\u009b1m\u202e\u2066\u061c\u200b\ufeff\u2028\u{e0041}\ud800';
const AT = '2026-01-02T03:04:05Z';

const logins = {
  burst: 6,
  refillMs: 1,
  left: 6,
  usedLastHour: 0,
  waiting: 0,
  failed: 0,
  refused: 0,
};

const host = {
  name: BAD,
  address: BAD,
  type: 'ssh',
  mode: 'open',
  root: BAD,
  tags: [BAD],
  link: { kind: 'unreachable', code: BAD, message: BAD, hint: BAD, since: AT, nextTryAt: AT },
  slots: { usedTasks: 0, maxTasks: 1, usedCpus: 0, usedMemoryBytes: 0, usedGpus: 0, gpus: 1 },
  gpus: [{ device: BAD, name: BAD, task: BAD }],
  facts: {
    root: BAD,
    cpus: 1,
    memoryBytes: 1,
    freeBytes: 1,
    rootFsType: BAD,
    clockSkewMs: 0,
    runtime: { version: BAD, path: BAD },
  },
  lastFailure: { code: BAD, message: BAD, hint: BAD },
  budget: {
    logins,
    channels: { open: 1, connections: 1, refused: 0 },
    polls: { limit: 1, lastSecond: 0 },
    jumps: [{ name: BAD, link: 'ready', logins }],
    nodes: [
      {
        ...{ name: BAD, inUse: false, logins },
        trouble: { code: BAD, message: BAD, hint: BAD, since: AT, nextTryAt: AT },
      },
    ],
  },
};

const task = {
  id: BAD,
  name: BAD,
  state: 'error',
  since: AT,
  submittedAt: AT,
  ended: true,
  attempt: 1,
  host: BAD,
  image: BAD,
  imagePath: BAD,
  remoteDir: BAD,
  command: [BAD, 'x'],
  gpus: [BAD],
  tags: { [BAD]: BAD },
  failure: { code: BAD, message: `${BAD}\n${BAD}`, hint: BAD },
  blocked: { host: BAD, reason: BAD, message: BAD, hint: BAD, since: AT },
  progress: { step: 'stage', what: BAD, bytesDone: 1 },
  cleanup: { policy: 'never', state: 'kept' },
  streams: { stdout: { bytes: 0, complete: true }, stderr: { bytes: 0, complete: true } },
  outputs: [{ path: BAD, local: BAD, bytes: 1 }],
  asked: { host: BAD, images: [BAD], retries: 0, inputs: [{ from: BAD, to: BAD }], outputs: [] },
};

const now = Date.parse(AT);
const paint = (_: unknown, text: string): string => text;
const as = <T>(value: unknown): T => value as T;

const SHOWN: Record<string, () => string> = {
  'list of tasks': () => taskTable(as([task]), now, 1000),
  'a task': () => taskPage(as({ ...task, stderrTail: `${BAD}\n${BAD}` }), as({ now, paint })),
  'list of hosts': () => hostTable(as([host]), 1000),
  'a host': () => hostPage(as(host), now),
  'keys of a host': () =>
    keyTable(
      as({
        ...{ host: BAD, name: BAD, file: BAD },
        keys: [{ type: BAD, fingerprint: BAD, verdict: 'unknown', places: [BAD], nodes: [BAD] }],
        silent: [{ node: BAD, code: BAD, message: BAD }],
      }),
    ),
  images: () => imageTable(as([{ reference: BAD, bytes: 1, pulledAt: AT, path: BAD }]), 1000),
  'an event': () =>
    eventLine(
      as({
        type: 'task',
        at: AT,
        seq: 1,
        task: 't',
        attempt: 1,
        kind: 'k',
        state: 's',
        data: { x: BAD },
      }),
    ),
  'progress of a task': () =>
    eventLine(
      as({ type: 'progress', at: AT, task: 't', progress: { step: 's', what: BAD, bytesDone: 1 } }),
    ),
  'an error': () => errorText(as({ code: 'SFTP_FAILED', message: `${BAD}\n${BAD}`, hint: BAD })),
};

describe('nothing hostile reaches the terminal', () => {
  it.each(Object.entries(SHOWN))('from %s', (_, show) => {
    const text = show();
    expect(text).toMatch(/\\x1b|\\u001b/);
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u);
  });

  it('and what scripts and emoji are written with stays', () => {
    const text = 'نمی\u200cخواهم 👩\u200d🔬 \u00e9 漢\t\n';
    expect(escapeControls(text)).toBe(text);
  });
});
