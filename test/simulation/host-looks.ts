/** Cancel, clean and the looks of the daemon on a host, act by act as in script/cancel.ts, clean.ts, status.ts and sweep.ts. */
import { Dir } from './model-disk.ts';
import type { Machine, Proc, Program } from './model-host.ts';

export interface TokenRequest {
  verb: 'cancel' | 'clean' | 'survivors' | 'salvage' | 'read' | 'collect' | 'stage' | 'pull';
  token: string;
  nonce: string;
  /** The machine whose processes are asked for. */
  on?: { machineId: string; hostname: string };
}

export interface StatusRequest {
  verb: 'status';
  token: string;
  /** The directory as the daemon names it: the reply names the streams by it. */
  dir: string;
  nonce: string;
  pid: number;
}

const FIELD = (record: string, name: string): string =>
  new RegExp(`"${name}":"([^"]*)"`).exec(record)?.[1] ?? '';

export function* cancel(machine: Machine, { token, nonce }: TokenRequest): Program {
  const { disk, host } = machine;
  const { guards } = host.world;
  if (disk.away) return '@ failed no-root';
  if (disk.ended.has(token) && !disk.tasks.has(token)) return '@ cancelled-before-start';
  if (!disk.tasks.has(token)) {
    if (disk.full) {
      disk.ended.add(token);
      yield 0;
      if (!disk.tasks.has(token)) return '@ cancelled-before-start';
    } else {
      const grave = new Dir(host.world, '');
      grave.write(`cancelled.${nonce}`, '');
      yield 0;
      if (!disk.tasks.has(token)) disk.publish(token, grave);
    }
    yield 0;
  }
  const dir = disk.tasks.get(token);
  if (dir === undefined) return '@ failed no-directory';
  if (guards.host.cancelTakesTicket) dir.rename('ticket', `cancelled.${nonce}`);
  else if (dir.has('ticket')) return '@ cancelled-before-start';
  yield 0;
  if (dir.find('cancelled.') !== undefined) return '@ cancelled-before-start';
  if (dir.has('exit.json')) return '@ ended';
  if (dir.find('killed.') !== undefined) return '@ killed';
  yield 0;
  const record = startedBy(dir);
  if (record !== '' && guards.host.cancelKnowsPlace) {
    const named = FIELD(record, 'hostname');
    if (FIELD(record, 'machine') !== machine.machineId || named !== machine.name)
      return `@ elsewhere ${named}`;
    if (FIELD(record, 'boot') !== machine.bootId) {
      dir.write(`killed.${nonce}`, '');
      return '@ rebooted';
    }
  }
  if (machine.find('killer', token).length > 0) return '@ killing';
  machine.spawn('killer', token, () => killer(machine, { token, nonce, dir }));
  return '@ killing';
}

function startedBy(dir: Dir): string {
  for (const name of dir.entries.keys()) {
    if (!name.startsWith('go.')) continue;
    const record = dir.read(`sup.${name.slice(3)}.json`) ?? '';
    if (record !== '') return record;
  }
  return '';
}

const PATIENCE_MS = 25_000;

function* killer(
  machine: Machine,
  { token, nonce, dir }: { token: string; nonce: string; dir: Dir },
): Program {
  const until = machine.host.world.now + PATIENCE_MS;
  let looks = 0;
  while (looks < 2) {
    for (const proc of machine.find('payload', token)) machine.kill(proc);
    yield 50;
    const crew = machine.find('crew', token);
    if (crew.length === 0) looks += 1;
    else {
      looks = 0;
      if (machine.host.world.now >= until) for (const proc of crew) machine.kill(proc);
    }
    yield 50;
  }
  dir.write(`killed.${nonce}`, '');
  return '';
}

export function* clean(machine: Machine, { token }: TokenRequest): Program {
  const { disk, host } = machine;
  if (disk.away) return '@ failed root is away';
  yield 0;
  if (disk.tasks.get(token)?.entries.size === 0) disk.remove(token);
  const dir = disk.tasks.get(token);
  if (dir === undefined) {
    disk.ended.add(token);
    return `@ cleaned ${token}\n@ done`;
  }
  const known =
    dir.has('spec.json') ||
    dir.find('killed.') !== undefined ||
    dir.has('.cleaning') ||
    dir.find('cancelled.') !== undefined;
  if (!known) return `@ failed ${token} not-ours\n@ done`;
  dir.rename('ticket', 'cancelled.clean');
  yield 0;
  const lives = machine.find('payload', token).length + machine.find('crew', token).length;
  if (lives > 0) return `@ busy ${token}\n@ done`;
  disk.ended.add(token);
  yield 0;
  host.oracle.removed(token);
  dir.write('.cleaning', '');
  for (const name of [...dir.entries.keys()]) if (name !== '.cleaning') dir.entries.delete(name);
  dir.hasOutput = false;
  yield 0;
  if (disk.tasks.get(token) === dir) disk.remove(token);
  return `@ cleaned ${token}\n@ done`;
}

export function* status(machine: Machine, request: StatusRequest): Program {
  const { disk } = machine;
  const { token, nonce, pid } = request;
  const lines = [`@ host ${machine.bootId} ${machine.machineId} ${machine.name}`];
  const dir = disk.tasks.get(token);
  if (disk.away) return `${lines[0]}\n@ unseen 0`;
  if (dir === undefined) return `${lines[0]}\n@ gone 0`;
  let seen = '@ seen 0 there';
  if (dir.has('ticket')) seen += ' ticket';
  if (dir.has(`go.${nonce}`)) seen += ' go';
  if (dir.find('cancelled.') !== undefined) seen += ' cancelled';
  if (dir.find('killed.') !== undefined) seen += ' killed';
  lines.push(seen);
  if (dir.has('exit.json')) lines.push(`@ exit 0 ${dir.read('exit.json')}`);
  else {
    yield 0;
    const proc = machine.procs.find((one) => one.pid === pid);
    if (proc !== undefined) lines.push(`@ alive 0 ${proc.start}`);
  }
  lines.push(`@ size ${dir.printed} ${request.dir}/stdout`, `@ size 0 ${request.dir}/stderr`);
  return lines.join('\n');
}

export function* survivors(machine: Machine, { token, on }: TokenRequest): Program {
  const elsewhere = on?.hostname !== machine.name || on.machineId !== machine.machineId;
  if (elsewhere && machine.host.world.guards.host.survivorsKnowPlace) return '@ elsewhere';
  if (machine.disk.away || !machine.disk.tasks.has(token)) return '@ failed no-directory';
  yield 0;
  const pids = (procs: Proc[]): string => procs.map(({ pid }) => ` ${pid}`).join('');
  const payload = pids(machine.find('payload', token));
  yield 0;
  return `@ survivors${payload} /${pids(machine.find('crew', token))}`;
}

export function* salvage(machine: Machine, { token, nonce }: TokenRequest): Program {
  const dir = machine.disk.tasks.get(token);
  if (machine.disk.away || dir === undefined) return '@ failed no-directory';
  yield 0;
  const rc = dir.read('rc') ?? '';
  const limit = dir.has(`.time.${nonce}`) ? 'time' : '-';
  const at = Math.floor(machine.host.world.now / 1000);
  const record = dir.read(`.exit.${nonce}`) ?? '';
  const code = rc === '' || rc === 'started' ? '-' : rc;
  return `@ left ${code} - ${limit} ${dir.printed} 0 ${at} ${record}`;
}

/** Acts whose texts are of no matter here: inputs, images, streams and outputs are there or not. */
export function* plain(machine: Machine, { verb, token }: TokenRequest): Program {
  const { disk, host } = machine;
  yield 0;
  if (disk.away) return '@ away';
  const dir = disk.tasks.get(token);
  switch (verb) {
    case 'stage':
      if (disk.full) return '@ full';
      disk.object = true;
      return '@ ok';
    case 'pull':
      if (disk.image) return '@ ok';
      if (host.registryFails) return '@ registry';
      if (disk.full) return '@ full';
      yield 2_000;
      disk.image = true;
      return '@ ok';
    case 'read':
      return dir === undefined ? '@ away' : `@ ${dir.printed}`;
    case 'cancel':
    case 'clean':
    case 'survivors':
    case 'salvage':
    case 'collect':
      if (dir === undefined) return '@ away';
      return dir.hasOutput ? '@ ok' : '@ missing';
  }
}
