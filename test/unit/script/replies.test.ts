/** Goal: a reply that does not fit is refused by the name of its field; noise never is a reply. */
import { expect, test } from 'vitest';
import { parseCancel } from '../../../src/script/cancel.ts';
import { parseClean } from '../../../src/script/clean.ts';
import { parseLaunch } from '../../../src/script/launch-reply.ts';
import {
  parseHashFiles,
  parseHaveObjects,
  parsePublishObject,
} from '../../../src/script/objects.ts';
import { classifyPull, parsePull } from '../../../src/script/pull.ts';
import { parseExitRecord } from '../../../src/script/records.ts';
import { parseStatus } from '../../../src/script/status.ts';
import { parseSalvage, parseSurvivors } from '../../../src/script/sweep.ts';
import { PLACE, SHA256, TOKEN } from './samples.ts';

const LAUNCHED = `{"format":1,"n":"n1","pid":7,"start":"12345","boot":"b","machine":"m","hostname":"vm","at":10}`;
const EXIT = `{"format":1,"n":"n1","started":true,"code":42,"direct":false,"runtimeCode":42,"limit":null,"copier":null,"copierCode":null,"out":6,"err":5,"at":10,"log":""}`;
const ATTEMPTS = [{ dir: '/r/tasks/d/a.1', nonce: 'n1', pid: 7 }];

const invalid = (field: string) =>
  expect.objectContaining({ code: 'HOST_REPLY_INVALID', message: expect.stringContaining(field) });

test('a launch is read through the noise of a host', () => {
  expect(parseLaunch(`Welcome!\n@ started ${LAUNCHED}\nbye\n`)).toEqual({
    kind: 'launched',
    mine: true,
    launch: {
      nonce: 'n1',
      pid: 7,
      startTicks: '12345',
      bootId: 'b',
      machineId: 'm',
      hostname: 'vm',
      startedAt: 10_000,
    },
  });
  expect(parseLaunch(`sh: printf: I/O error\n@ failed nospace\n`)).toMatchObject({
    kind: 'failed',
    error: { code: 'HOST_NO_SPACE' },
  });
  expect(parseLaunch(`mkdir: permission denied\n@ failed no-directory\n`)).toMatchObject({
    error: { code: 'HOST_COMMAND_FAILED', message: expect.stringContaining('permission denied') },
  });
});

test.each([
  ['pid', LAUNCHED.replace('"pid":7', '"pid":-7')],
  ['pid', LAUNCHED.replace('"pid":7,', '')],
  ['start', LAUNCHED.replace('12345', '12a')],
  ['format: written by another version', LAUNCHED.replace('"format":1', '"format":2')],
  ['not JSON', LAUNCHED.slice(0, 30)],
])('a launch record with a wrong field is refused: %s', (field, text) => {
  expect(() => parseLaunch(`@ started ${text}\n`)).toThrow(invalid(field));
});

test('no reply line, two reply lines and unknown words are refused, with what the host said', () => {
  expect(() => parseLaunch('This account is currently not available.\n')).toThrow(
    invalid('not available'),
  );
  expect(() => parseLaunch('@ lost\n@ lost\n')).toThrow(invalid('2 reply lines'));
  expect(() => parseLaunch('@ hello\n')).toThrow(invalid('hello'));
  expect(() => parseCancel('@ hello\n')).toThrow(invalid('hello'));
  expect(() => parseCancel('@ elsewhere \n')).toThrow(invalid('field value'));
  expect(() => parsePull('@ ready xyz - /p.sif\n', { host: 'h' })).toThrow(invalid('sha256'));
  expect(() => parsePublishObject('', { host: 'h' })).toThrow(invalid('0 reply lines'));
});

test('an exit record is read whole, and refused by field', () => {
  const record = parseExitRecord(
    EXIT.replace('"log":""', '"log":"46 c3 bc 0a"').replace('"code":42', '"code":null') +
      ' '.repeat(5000),
  );
  expect(record).toMatchObject({
    code: undefined,
    runtimeCode: 42,
    runtimeLogTail: 'Fü\n',
    stdoutBytes: 6,
    stderrBytes: 5,
  });
  expect(record.usage).toBeUndefined();
  const used = (text: string) => parseExitRecord(EXIT.replace('}', `,"usage":${text}}`)).usage;
  expect(used('{"wall":12,"user":3,"system":0,"rss":4}')).toEqual({
    wallMs: 120,
    cpuUserMs: 30,
    cpuSystemMs: 0,
    maxRssBytes: 4096,
  });
  expect(used('{"wall":12,"user":3,"system":0,"rss":null}')).not.toHaveProperty('maxRssBytes');
  // only told: a record is read without it
  expect(used('{"wall":-1,"user":3,"system":0,"rss":null}')).toBeUndefined();
  expect(() => parseExitRecord(EXIT.replace('"out":6', '"out":-6'))).toThrow(invalid('field out'));
  expect(() => parseExitRecord(EXIT.replace('"limit":null', '"limit":"moon"'))).toThrow(
    invalid('field limit'),
  );
});

test('a status answers for every attempt; a torn record is a fact of its attempt alone', () => {
  const two = [...ATTEMPTS, { dir: '/r/tasks/d/b.1', nonce: 'n2', pid: 8 }];
  const reply = parseStatus(
    two,
    `@ host boot - vm\n@ seen 0 there go\n@ exit 0 ${EXIT}\n@ seen 1 there go killed\n@ exit 1    \n@ size 9 /r/tasks/d/a.1/stdout\n@ size 5 /r/tasks/d/a.1/stderr\n`,
  );
  expect(reply.host).toEqual({ bootId: 'boot', machineId: '', hostname: 'vm' });
  expect(reply.attempts[0]).toMatchObject({
    go: true,
    exit: { code: 42 },
    stdoutBytes: 9,
    stderrBytes: 5,
  });
  expect(reply.attempts[1]).toMatchObject({
    killed: true,
    exitError: { code: 'HOST_REPLY_INVALID' },
  });
  expect(() => parseStatus(two, '@ host b - vm\n@ gone 0\n')).toThrow(
    invalid('nothing about attempt 1'),
  );
  expect(() => parseStatus(ATTEMPTS, '@ gone 0\n')).toThrow(invalid('no host line'));
  expect(() => parseStatus(ATTEMPTS, '@ host b - vm\n@ gone 5\n')).toThrow(invalid('field index'));
});

test('objects and hashes are matched to what was asked', () => {
  const name = `${SHA256}-0644`;
  const have = parseHaveObjects(`@ have ${name}\n@ done\n`, { host: 'h', names: [name] });
  expect([...have.present]).toEqual([name]);
  expect(
    parseHaveObjects(`@ part  12 ${name}\n@ done\n`, { host: 'h', names: [name] }).partBytes.get(
      name,
    ),
  ).toBe(12);
  expect(() => parseHaveObjects('@ have ../x\n@ done\n', { host: 'h', names: [name] })).toThrow(
    invalid('field name'),
  );
  expect(() => parseHaveObjects('', { host: 'h', names: [] })).toThrow(invalid('cut'));
  expect(parseHashFiles(`@ sum 0 ${SHA256}\n@ done\n`, { host: 'h', count: 1 })).toEqual([SHA256]);
  expect(() => parseHashFiles(`@ sum 1 ${SHA256}\n@ done\n`, { host: 'h', count: 1 })).toThrow(
    invalid('field index'),
  );
  expect(() => parseHashFiles(`@ sum 0 ${SHA256}\n`, { host: 'h', count: 1 })).toThrow(
    invalid('hashes'),
  );
  expect(() => parseHashFiles('@ unread 0\n@ done\n', { host: 'h', count: 1 })).toThrow(
    /cannot be read/,
  );
});

test('a clean answers for every token', () => {
  const plan = { ...PLACE, tokens: [TOKEN] };
  expect(parseClean(plan, `rm: odd\n@ failed ${TOKEN} not-ours\n@ done\n`).get(TOKEN)).toEqual({
    kind: 'failed',
    reason: 'not-ours rm: odd',
  });
  expect(() => parseClean(plan, '@ done\n')).toThrow(invalid('nothing about'));
});

test('survivors and what a leader left', () => {
  expect(parseSurvivors('@ survivors 12 13 / 14\n')).toEqual({
    payload: [12, 13],
    crew: [14],
  });
  const nobody = { payload: [], crew: [] };
  expect(parseSurvivors('@ survivors /\n')).toEqual(nobody);
  expect(parseSurvivors('@ elsewhere\n')).toEqual({ elsewhere: true, ...nobody });
  expect(parseSalvage('@ left 9 - - 5 0 77    \n')).toMatchObject({
    code: 9,
    stdoutBytes: 5,
    finishedAt: 77_000,
    salvaged: true,
  });
  expect(parseSalvage('@ left - - - 5 0 77\n')).toBeUndefined();
  expect(parseSalvage('@ left 0 stderr - 5 0 77\n')).toMatchObject({ code: 0, copier: 'stderr' });
  expect(parseSalvage(`@ left 9 - - 5 0 77 ${EXIT}  \n`)).toMatchObject({
    code: 42,
    salvaged: true,
  });
});

test.each([
  ['GET https://r/v2/: unauthorized: authentication required', 'IMAGE_UNAUTHORIZED'],
  ['requested access to the resource is denied', 'IMAGE_UNAUTHORIZED'],
  ['received unexpected HTTP status: 403 Forbidden', 'IMAGE_UNAUTHORIZED'],
  ['dial tcp 10.0.0.1:443: i/o timeout', 'IMAGE_REGISTRY_UNREACHABLE'],
  ['received unexpected HTTP status: 503 Service Unavailable', 'IMAGE_REGISTRY_FAILED'],
  ['toomanyrequests: You have reached your pull rate limit', 'IMAGE_RATE_LIMITED'],
  ['write /x: disk quota exceeded', 'HOST_NO_SPACE'],
  ['something new', 'IMAGE_PULL_FAILED'],
])('%s is %s', (output, code) => {
  expect(classifyPull(`INFO: Starting\nFATAL: ${output}`, { host: 'h', image: 'i' })).toMatchObject(
    {
      code,
      message: expect.stringContaining(output),
    },
  );
});
