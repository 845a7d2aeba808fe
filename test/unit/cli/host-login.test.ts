/** towline host login: asks on a terminal without showing the answer, or takes lines; hostile prompts. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AppError } from '../../../src/domain/failure.ts';
import type { LoginReport } from '../../../src/engine/service.ts';
import { collect, FakeDaemon } from '../../support/fake-daemon.ts';
import { until } from '../../support/until.ts';

const CLI_ENTRY = join(import.meta.dirname, '../../support/cli-entry.ts');
/** Would clear the screen and set the title of a terminal that obeys it. */
const HOSTILE = '\u001b[2J\u001b]0;title\u0007';

let daemon: FakeDaemon;
beforeEach(async () => {
  daemon = new FakeDaemon();
  await daemon.start();
});
afterEach(() => daemon.end());

const asks = (host: string, ...prompts: { prompt: string; echo: boolean }[]): LoginReport => ({
  done: false,
  session: 's1',
  question: { host, name: '', instruction: `Hello${HOSTILE}`, prompts },
});
const received = (): unknown[] =>
  daemon.service.calls.filter(({ name }) => name === 'login').map(({ args }) => args[1]);

function willAsk(...steps: LoginReport[]): void {
  daemon.service.loginSteps = [...steps, ...daemon.service.loginSteps];
}

it('takes a line for each prompt from stdin, and escapes what the host says', async () => {
  const code = { prompt: `Code${HOSTILE}: `, echo: false };
  willAsk(asks('bastion', { prompt: 'Name: ', echo: true }, code), asks('vm', code));
  const ran = await daemon.shell("printf 'me\\n123\\n456\\n' | towline host login vm");
  expect([ran.code, ran.stdout.toString()]).toEqual([0, 'vm: logged in, the link is ready\n']);
  expect(received()).toEqual([
    {},
    { session: 's1', answers: ['me', '123'] },
    { session: 's1', answers: ['456'] },
  ]);
  const said = ran.stderr.toString();
  expect(said).toContain('towline: jump host bastion of host vm asks: Hello\\x1b[2J');
  // oxlint-disable-next-line no-control-regex
  expect(said).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  expect(said).not.toContain('123');
});

it('asks nothing where nothing is asked, and gives JSON', async () => {
  const ran = await daemon.cli(['host', 'login', 'vm', '--json']);
  expect(JSON.parse(ran.stdout.toString())).toMatchObject({ name: 'vm', link: { kind: 'ready' } });
});

it('says so when stdin ends before all is answered', async () => {
  willAsk(asks('vm', { prompt: 'Code: ', echo: false }));
  const ran = await daemon.shell('towline host login vm </dev/null');
  expect(ran.code).toBe(2);
  expect(ran.stderr.toString()).toContain('stdin ended');
});

it('does not show on a terminal what is typed, and lets it be mended', async () => {
  willAsk(asks('vm', { prompt: 'Code: ', echo: false }));
  const command = `${process.execPath} ${CLI_ENTRY} host login vm`;
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    env: daemon.env(),
    stdio: 'pipe',
  });
  let screen = '';
  child.stdout.on('data', (chunk: Buffer) => (screen += chunk.toString()));
  const result = collect(child);
  await until(() => screen.includes('Code: '));
  child.stdin.write('seX\u007fcret\r');
  await until(() => screen.includes('link is ready'));
  child.stdin.end();
  expect((await result).code).toBe(0);
  expect(received().at(-1)).toEqual({ session: 's1', answers: ['secret'] });
  expect(screen).not.toMatch(/se(X|c)|secret/);
});

it('tells why a login failed', async () => {
  const wrong = new AppError('SSH_LOGIN_FAILED', 'wrong', { context: { host: 'vm' } });
  daemon.service.login = async () => {
    throw wrong;
  };
  const ran = await daemon.cli(['host', 'login', 'vm']);
  expect(ran.code).toBe(3);
  expect(ran.stderr.toString()).toContain('hint: try again: towline host login vm');
});
