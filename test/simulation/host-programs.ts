/**
 * What our texts do on a host, act by act, in the order of script/launch.ts and script/supervisor*.ts:
 * between two acts anything else may happen, or the end of the process. Their replies are the texts'
 * words, read by the real parsers.
 */
import { Dir } from './model-disk.ts';
import { type Machine, type Proc, type Program, UNTIL_WOKEN } from './model-host.ts';

export interface LaunchRequest {
  verb: 'launch';
  token: string;
  nonce: string;
  digest: string;
  needsInputs: boolean;
  timeLimitMs: number;
  payload: PayloadPlan;
}

/** What the command does. */
export interface PayloadPlan {
  runsMs: number;
  code: number;
  prints: number;
  writesOutput: boolean;
}

export function* launch(machine: Machine, me: Proc, request: LaunchRequest): Program {
  const { disk, host } = machine;
  const { token } = request;
  const { guards } = host.world;
  if (disk.away) return '@ failed no-root';
  if (disk.ended.has(token) && guards.host.endedMark) return '@ cancelled';
  const known = disk.tasks.get(token);
  if ((known === undefined || known.has('ticket')) && !disk.image) return '@ image-gone';
  yield 0;
  if (!disk.tasks.has(token) || !guards.host.publishOnce) {
    if (disk.full) return '@ failed nospace';
    const part = new Dir(host.world, request.digest);
    for (const name of ['spec.json', 'ticket', 'rc']) part.write(name, '');
    if (request.needsInputs && !disk.given) return '@ input-gone /given';
    if (request.needsInputs && !disk.object) return '@ object-gone input-0644';
    yield 0;
    if (guards.host.durableContent) part.syncNames();
    yield 0;
    disk.publish(token, part);
    yield 0;
  }
  const dir = disk.tasks.get(token);
  if (dir === undefined) return '@ conflict';
  if (dir.digest !== request.digest) {
    return dir.find('cancelled.') === undefined ? '@ conflict' : '@ cancelled';
  }
  if (dir.has('ticket')) {
    const supervisor = machine.spawn('crew', token, (proc) =>
      supervise(machine, proc, { request, dir }),
    );
    supervisor.waiters.push(me);
    while (supervisor.said === undefined && supervisor.alive) yield UNTIL_WOKEN;
    const line = supervisor.said ?? '';
    if (line !== '' && line !== '@ lost') return line;
  }
  yield 0;
  return already(machine, dir);
}

function already({ disk, host }: Machine, dir: Dir): string {
  for (const name of dir.entries.keys()) {
    if (!name.startsWith('go.')) continue;
    const record = dir.read(`sup.${name.slice(3)}.json`) ?? '';
    if (record === '') continue;
    if (host.world.guards.host.durableClaim) dir.syncNames();
    if (host.world.guards.host.durablePublish) disk.syncNames();
    return `@ already ${record}`;
  }
  return dir.find('cancelled.') === undefined ? '@ lost' : '@ cancelled';
}

interface Attempt {
  request: LaunchRequest;
  dir: Dir;
}

/** claim, start_leader, wait_for_leader, end_attempt. */
export function* supervise(machine: Machine, me: Proc, attempt: Attempt): Program {
  const { dir, request } = attempt;
  const { token, nonce, timeLimitMs } = request;
  const claimed = yield* claim(machine, me, attempt);
  if (!claimed) return '';
  machine.host.oracle.claimed(token);
  const leader = machine.spawn('payload', token, () => payload(machine, attempt));
  let watcher: Proc | undefined;
  if (timeLimitMs > 0) {
    watcher = machine.spawn('crew', token, (proc) =>
      watchTime(machine, proc, { attempt, me, leader }),
    );
  }
  leader.waiters.push(me);
  while (leader.alive) yield UNTIL_WOKEN;
  yield 0;
  if (watcher !== undefined) machine.kill(watcher);
  // nothing in it: the container never ran the command; "started" alone: it was killed
  const rc = dir.read('rc') ?? '';
  const started = rc !== '';
  const code = started && rc !== 'started' ? Number(rc) : 137;
  const limit = dir.has(`.time.${nonce}`) ? '"time"' : 'null';
  const at = Math.floor(machine.host.world.now / 1000);
  dir.write(
    `.exit.${nonce}`,
    `{"format":1,"n":"${nonce}","started":${started},"code":${started ? code : null},"direct":false,"runtimeCode":${code},"limit":${limit},"copier":null,"copierCode":null,"out":${dir.printed},"err":0,"at":${at},"log":""}`,
  );
  yield 0;
  dir.syncFile(`.exit.${nonce}`);
  dir.syncNames();
  yield 0;
  dir.link(`.exit.${nonce}`, 'exit.json');
  return '';
}

/** Takes the ticket, which exists once; says so to whoever started it. */
function* claim(
  machine: Machine,
  me: Proc,
  { dir, request }: Attempt,
): Generator<number, boolean, void> {
  const { disk, host } = machine;
  const { token, nonce } = request;
  const { guards, now } = host.world;
  const say = (line: string): void => {
    me.said = line;
    for (const waiter of me.waiters) machine.wake(waiter);
  };
  const giveUp = (why: string): false => {
    for (const name of [`sup.${nonce}.json`, `.exit.${nonce}`]) dir.entries.delete(name);
    say(why === '@ failed no-record' || dir.find('cancelled.') === undefined ? why : '@ cancelled');
    return false;
  };
  if (disk.full) return giveUp('@ failed no-record');
  const at = Math.floor(now / 1000);
  const record = `{"format":1,"n":"${nonce}","pid":${me.pid},"start":"${me.start}","boot":"${machine.bootId}","machine":"${machine.machineId}","hostname":"${machine.name}","at":${at}}`;
  dir.write(`sup.${nonce}.json`, record);
  dir.write(`.exit.${nonce}`, '');
  yield 0;
  if (guards.host.durableRecord) {
    dir.syncFile(`sup.${nonce}.json`);
    yield 0;
  }
  dir.rename('ticket', `go.${nonce}`);
  yield 0;
  if (!dir.has(`go.${nonce}`) && guards.host.ownNonce) return giveUp('@ lost');
  if (disk.ended.has(token) && guards.host.endedMark) return giveUp('@ cancelled');
  yield 0;
  if (guards.host.durableClaim) {
    dir.syncFile(`sup.${nonce}.json`);
    dir.syncNames();
    if (guards.host.durablePublish) disk.syncNames();
  }
  yield 0;
  say(`@ started ${record}`);
  yield 0;
  return true;
}

/** The command: says to the oracle that it starts, prints, writes, ends. */
function* payload(machine: Machine, { request, dir }: Attempt): Program {
  const { oracle } = machine.host;
  const { token, payload: plan } = request;
  dir.write('rc', 'started');
  oracle.started(token, machine);
  dir.printed += plan.prints;
  oracle.printed(token, plan.prints);
  yield Math.ceil(plan.runsMs / 2);
  dir.printed += plan.prints;
  oracle.printed(token, plan.prints);
  yield Math.ceil(plan.runsMs / 2);
  if (plan.writesOutput) dir.hasOutput = true;
  oracle.finished(token, plan.code);
  dir.write('rc', `${plan.code}`);
  return '';
}

/** Wakes the supervisor when the time is over, or ends the payload itself. */
function* watchTime(
  machine: Machine,
  _me: Proc,
  { attempt, me: supervisor, leader }: { attempt: Attempt; me: Proc; leader: Proc },
): Program {
  const { request, dir } = attempt;
  const { host } = machine.host.world.guards;
  const until = machine.host.world.now + request.timeLimitMs;
  for (;;) {
    const left = until - machine.host.world.now;
    if (left <= 0) break;
    yield Math.min(left, 60_000);
    // the supervisor ends it; one that was killed cannot
    if (host.timerLeavesWithAll && !supervisor.alive && !leader.alive) return '';
  }
  if (!leader.alive) return '';
  // from here on its time is over, also when the command ends by itself before it is ended
  machine.host.oracle.timeUp(request.token, request.timeLimitMs);
  dir.write(`.time.${request.nonce}`, '');
  yield 0;
  machine.kill(leader);
  return '';
}
