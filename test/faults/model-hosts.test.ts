/**
 * Goal: many hosts cost little each, and what is asked of each is bounded. Method: a real daemon and real SSH to hosts
 * that are models, ten tasks on each, counted at both ends. No times: scripts/bench has them, with a thousand hosts.
 */
import { expect, test } from 'vitest';
import { createClient } from '../../src/client/client.ts';
import { HANDSHAKES_MAX } from '../../src/remote/ssh/roads.ts';
import { makeDaemon, type TestDaemon } from '../support/daemon.ts';
import { metrics } from '../support/metrics.ts';
import { MODEL_IMAGE, startModelHosts } from '../support/model-hosts/start.ts';
import { until } from '../support/until.ts';

const HOSTS = 40;
const EACH = 10;
const ALL = HOSTS * EACH;
const POLLS = 'towline_host_poll_seconds_count';

test('ten tasks on each of forty hosts: one login and four channels a host, one launch and one removal a task', async () => {
  await using models = await startModelHosts(HOSTS, { max_tasks: String(EACH) });
  await using daemon = makeDaemon({ more: models.config });
  await daemon.start();
  await submitTo(daemon, models.names);
  const number = async (name: string): Promise<number | undefined> => (await metrics(daemon))[name];
  await until(async () => (await number('towline_tasks{state="running"}')) === ALL);
  const { loginsAtOnce, channelsAtOnce: _, ...counts } = await models.count();
  expect(counts).toEqual({ running: ALL, kept: ALL, logins: HOSTS });
  // looks that know the attempts already
  const looks = async (): Promise<number> => {
    const all = Object.entries(await metrics(daemon)).filter(([name]) => name.startsWith(POLLS));
    return all.reduce((sum, [, count]) => sum + count, 0);
  };
  const before = await looks();
  await until(async () => (await looks()) > before + 3 * HOSTS);
  expect((await models.count()).logins).toBe(HOSTS);
  expect(loginsAtOnce).toBeLessThanOrEqual(HANDSHAKES_MAX);
  await models.endAll();
  const succeeded = 'towline_tasks_ended_total{outcome="succeeded"}';
  await until(async () => (await number(succeeded)) === ALL);
  await until(async () => (await models.count()).kept === 0);
  const asked = (verb: string): number => daemon.log().split(`"purpose":"${verb} `).length - 1;
  // the last one is told here after it happened there
  await until(() => asked('removing') >= ALL);

  const numbers = await metrics(daemon);
  const most = (name: string): number =>
    Math.max(...models.names.map((host) => numbers[`${name}{host="${host}"}`] ?? Number.NaN));
  // the quick shell, two slow ones, and SFTP, which is opened and asked for nothing
  expect((await models.count()).channelsAtOnce).toBeLessThanOrEqual(4);
  expect(most('towline_host_sftp_requests_total')).toBe(0);
  expect(asked('launching')).toBe(ALL);
  expect(asked('removing')).toBe(ALL);
});

async function submitTo(daemon: TestDaemon, hosts: readonly string[]): Promise<void> {
  const client = createClient({ socketPath: daemon.socket });
  try {
    const of = (host: string) => ({ host, image: MODEL_IMAGE, command: ['compute'] });
    await client.submit(hosts.flatMap((host) => Array.from({ length: EACH }, () => of(host))));
  } finally {
    client.close();
  }
}
