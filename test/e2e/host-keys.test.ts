/**
 * Goal: a host that shows another key than the pinned one is told nothing, its tasks wait and go on when
 * the right key is back or trusted; trust is given by fingerprint only, and never in the user's file.
 * Method: one port (a proxy) behind which stand, by turns, sshds with other host keys; their own logs say
 * whether anybody tried to log in.
 */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bedLog, hostSection, MINI } from '../support/bed.ts';
import { makeDaemon, type TaskJson, type TestDaemon } from '../support/daemon.ts';
import { knownHostsText, type Sshd, type SshdOptions, startSshd } from '../support/sshd.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

interface OfferJson {
  file: string;
  keys: { type: string; fingerprint: string; verdict: string; places: string[] }[];
}

let right: Sshd;
let proxy: TcpProxy;
let daemon: TestDaemon;
let theirs: string;

const start = (hostKeys: NonNullable<SshdOptions['hostKeys']>): Promise<Sshd> =>
  startSshd({ hostKeys, lines: ['LogLevel DEBUG1'] });

beforeAll(async () => {
  right = await start(['ed25519', 'rsa']);
  proxy = await startTcpProxy(right.port);
  daemon = makeDaemon({
    hosts: {
      vm: {
        on: 'vm2',
        keys: { port: String(proxy.port), login_burst: '100', login_interval: '10ms', links: '1' },
      },
      inner: { on: 'inner', keys: { known_hosts: '/dev/null' } },
    },
    more: [
      '[host.bastion]',
      'enabled = false',
      ...Object.entries(hostSection('bastion')).map(([key, value]) => `${key} = ${value}`),
    ].join('\n'),
  });
  theirs = join(daemon.dir, 'their_known_hosts');
  const config = readFileSync(daemon.configFile, 'utf8');
  writeFileSync(
    daemon.configFile,
    config.replace(/^known_hosts = .*$/m, `known_hosts = ${theirs}`),
  );
  writeFileSync(theirs, knownHostsText(proxy.port, ['ed25519']));
  await daemon.start();
  const ran = await daemon.run('true');
  if (ran.code !== 0) throw new Error(ran.stderr);
});

afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await proxy.stop();
  await right.stop();
});

/** Puts another machine behind the port, under the daemon. */
function change(to: Sshd): void {
  proxy.retarget(to.port);
  proxy.cut();
}

async function blocked(id: string, code: string): Promise<NonNullable<TaskJson['blocked']>> {
  let seen: TaskJson['blocked'];
  // A link that lived shortly is made again only after a while, unless somebody asks.
  await daemon.cli('host', 'show', 'vm');
  await until(async () => {
    ({ blocked: seen } = await daemon.show(id));
    return seen?.reason === code;
  });
  return seen as NonNullable<TaskJson['blocked']>;
}

/** They came, they saw the key, and they said nothing about themselves. */
function expectNothingSaid(sshd: Sshd): void {
  expect(sshd.logins().connections).toBeGreaterThan(0);
  expect(sshd.log()).not.toMatch(/userauth|alice|Accepted|Failed/);
}

async function offers(...args: string[]): Promise<OfferJson & { code: number | null }> {
  const ran = await daemon.cli('host', 'trust', 'vm', '--json', ...args);
  return { ...(JSON.parse(ran.stdout) as OfferJson), code: ran.code };
}

async function goesOn(id: string): Promise<void> {
  await daemon.cli('host', 'show', 'vm');
  expect(await daemon.cli('wait', id)).toMatchObject({ code: 0 });
}

it('a machine in the middle is told nothing; tasks wait, and go on when the right one is back', async () => {
  await using wrong = await start(['changed']);
  expect(right.log()).toMatch(/userauth-request for user alice/);
  change(wrong);
  const id = await daemon.submit(MINI, '--', 'true');
  const wait = await blocked(id, 'SSH_HOST_KEY_CHANGED');
  expect(wait.hint).toContain('towline host trust vm --replace');
  expectNothingSaid(wrong);
  change(right);
  await goesOn(id);
  expectNothingSaid(wrong);
});

it('a host with only unpinned types of keys is refused in the negotiation', async () => {
  await using other = await start(['ecdsa', 'rsa']);
  change(other);
  const id = await daemon.submit(MINI, '--', 'true');
  const wait = await blocked(id, 'SSH_HOST_KEY_CHANGED');
  expect(wait.message).toContain('offers no key of a pinned type');
  // sshd finds that out for itself, and may be later with it
  await until(() => /no matching host key type found/.test(other.log()), other.log);
  expectNothingSaid(other);
  change(right);
  await goesOn(id);
});

it('trust is given by the right fingerprint only, and never against a line of the user', async () => {
  await using moved = await start(['changed']);
  change(moved);
  const id = await daemon.submit(MINI, '--', 'true');
  await blocked(id, 'SSH_HOST_KEY_CHANGED');
  const before = await offers();
  expect(before.code).toBe(13);
  expect(before.keys).toMatchObject([{ type: 'ssh-ed25519', verdict: 'different' }]);
  const [key] = before.keys;
  const fingerprint = key?.fingerprint ?? '';
  expect(key?.places).toEqual([`${theirs}:1`]);

  const wrong = await daemon.cli(
    'host',
    'trust',
    'vm',
    '--fingerprint',
    `SHA256:${'A'.repeat(43)}`,
  );
  expect(wrong.code).toBe(13);
  expect(wrong.stderr).toContain(`it offers ssh-ed25519 ${fingerprint}; nothing was trusted`);
  const replace = ['host', 'trust', 'vm', '--replace', '--fingerprint', fingerprint];
  const against = await daemon.cli(...replace);
  expect(against).toMatchObject({ code: 13 });
  expect(against.stderr).toContain('HOST_KEY_CONFLICT');
  expect(against.stderr).toContain(`remove ${theirs}:1 first`);
  expect(readFileSync(theirs, 'utf8')).toBe(knownHostsText(proxy.port, ['ed25519']));
  expectNothingSaid(moved);

  writeFileSync(theirs, '');
  const trusted = await offers('--fingerprint', fingerprint);
  expect(trusted).toMatchObject({ code: 0, keys: [{ verdict: 'trusted' }] });
  expect(statSync(trusted.file).mode & 0o777).toBe(0o600);
  expect(readFileSync(trusted.file, 'utf8')).toContain(
    knownHostsText(proxy.port, ['changed']).trim(),
  );
  expect(readFileSync(theirs, 'utf8')).toBe('');
  // Nobody has to wake the host.
  expect(await daemon.cli('wait', id)).toMatchObject({ code: 0 });
});

it("--replace puts a changed key in the place of Towline's own; further keys are pinned once proven", async () => {
  change(right);
  const id = await daemon.submit(MINI, '--', 'true');
  await blocked(id, 'SSH_HOST_KEY_CHANGED');
  const { keys, file } = await offers();
  expect(keys.map(({ type }) => type).toSorted()).toEqual(['ssh-ed25519', 'ssh-rsa']);
  expect(keys.every(({ verdict }) => verdict === 'different')).toBe(true);
  const fingerprint = keys.find(({ type }) => type === 'ssh-ed25519')?.fingerprint ?? '';
  const plain = await daemon.cli('host', 'trust', 'vm', '--fingerprint', fingerprint);
  expect(plain).toMatchObject({ code: 13 });
  expect(plain.stderr).toContain('--replace');
  expect(await offers('--replace', '--fingerprint', fingerprint)).toMatchObject({ code: 0 });
  expect(await daemon.cli('wait', id)).toMatchObject({ code: 0 });
  const text = (): string => readFileSync(file, 'utf8');
  const [ed25519 = '', rsa = ''] = knownHostsText(proxy.port, ['ed25519', 'rsa']).split('\n');
  await until(() => text().includes(`${rsa} proven `));
  expect(text()).toContain(`${ed25519} trusted `);
  expect(text()).not.toContain(knownHostsText(proxy.port, ['changed']).trim());
  expect(bedLog(`sshd-${right.port}`)).toMatch(/hostkeys-prove/);
});

it('a host behind a jump host, which takes no tasks itself, is shown and trusted the same way', async () => {
  const shown = await daemon.cli('host', 'trust', 'inner', '--json');
  const { keys, file } = JSON.parse(shown.stdout) as OfferJson;
  expect(keys.length).toBeGreaterThan(0);
  expect(keys.every(({ verdict }) => verdict === 'unknown')).toBe(true);
  const fingerprint = keys[0]?.fingerprint ?? '';
  const ran = await daemon.cli('host', 'trust', 'inner', '--fingerprint', fingerprint);
  expect(ran).toMatchObject({ code: 0 });
  expect(ran.stdout).toContain(`${file}:`);
  const page = JSON.parse((await daemon.cli('host', 'show', 'inner', '--json')).stdout) as {
    link: { kind: string };
  };
  expect(page.link.kind).toBe('ready');
});
