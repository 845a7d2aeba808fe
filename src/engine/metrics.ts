/** The engine's numbers as metric families: hosts, their links and budgets, tasks, the ledger. */
import { ENDED_KINDS, isEnded, STATE_KINDS } from '../domain/state.ts';
import type { JumpUse } from '../remote/host.ts';
import type { ServiceDeps } from './create-service.ts';
import type { Seat } from './seats.ts';
import type { MetricFamily, MetricSample } from './service.ts';

type MetricsDeps = Pick<ServiceDeps, 'ledger' | 'seats' | 'store'>;

const LINK_KINDS = [
  'idle',
  'connecting',
  'ready',
  'unreachable',
  'refused',
  'needs-login',
  'closed',
];

/** Counts ends from now on; gives all numbers whenever it is asked. */
export function createMetrics({ ledger, seats, store }: MetricsDeps): () => MetricFamily[] {
  const ended = new Map<string, number>(ENDED_KINDS.map((kind) => [kind, 0]));
  ledger.onTold(({ before, task: { state } }) => {
    if (!isEnded(state) || (before !== undefined && isEnded(before.state))) return;
    ended.set(state.kind, (ended.get(state.kind) ?? 0) + 1);
  });

  return () => {
    const states = new Map<string, number>(
      STATE_KINDS.filter((kind) => !(ENDED_KINDS as readonly string[]).includes(kind)).map(
        (kind) => [kind, 0],
      ),
    );
    for (const { state } of ledger.live())
      if (!isEnded(state)) states.set(state.kind, (states.get(state.kind) ?? 0) + 1);
    const { transactions, changes } = store.counters();
    return [
      gauge('towline_tasks', 'Tasks that have not ended, by state.', labelled('state', states)),
      gauge('towline_queue_length', 'Tasks that wait for a host with room.', [
        { value: states.get('queued') ?? 0 },
      ]),
      counter(
        'towline_tasks_ended_total',
        'Tasks that ended since the daemon started, by outcome.',
        labelled('outcome', ended),
      ),
      counter('towline_store_transactions_total', 'Transactions committed to the database.', [
        { value: transactions },
      ]),
      counter('towline_store_changes_total', 'Changes of tasks committed to the database.', [
        { value: changes },
      ]),
      ...hostFamilies(seats.all()),
    ];
  };
}

function hostFamilies(all: Seat[]): MetricFamily[] {
  const kinds = new Map(LINK_KINDS.map((kind) => [kind, 0]));
  for (const { host } of all) {
    const { kind } = host.linkState();
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  const each = (number: (seat: Seat) => number | undefined): MetricSample[] =>
    all.flatMap((seat) => {
      const value = number(seat);
      return value === undefined ? [] : [{ labels: { host: seat.name }, value }];
    });
  const count = (name: keyof ReturnType<Seat['host']['counters']>) =>
    each(({ host }) => host.counters()[name]);
  return [
    gauge(
      'towline_hosts',
      'Configured hosts by the state of their link.',
      labelled('state', kinds),
    ),
    gauge(
      'towline_host_ready',
      'Whether the control link of the host is up.',
      each(({ host }) => (host.linkState().kind === 'ready' ? 1 : 0)),
    ),
    ...budgetFamilies(all, each),
    counter(
      'towline_host_channels_opened_total',
      'Channels opened on connections to the host.',
      count('channels'),
    ),
    counter(
      'towline_host_shell_batches_total',
      'Writes to the control shell of the host, each a round trip.',
      count('shellBatches'),
    ),
    counter(
      'towline_host_shell_commands_total',
      'Commands given to the shells of the host.',
      count('shellCommands'),
    ),
    counter('towline_host_sftp_requests_total', 'SFTP requests sent.', count('sftpRequests')),
    counter('towline_host_sent_bytes_total', 'Bytes sent to the host.', count('bytesSent')),
    counter(
      'towline_host_received_bytes_total',
      'Bytes received from the host.',
      count('bytesReceived'),
    ),
    {
      name: 'towline_host_poll_seconds',
      help: 'How long one look at all running tasks of the host took.',
      type: 'histogram',
      samples: all.flatMap(pollSamples),
    },
  ];
}

type Each = (number: (seat: Seat) => number | undefined) => MetricSample[];

/** Hosts that need no logins have none of these. */
function budgetFamilies(seats: Seat[], each: Each): MetricFamily[] {
  return [
    counter(
      'towline_host_logins_total',
      'Logins by result: ok, failed after the door, refused at the door.',
      seats.flatMap(({ name, host }) => {
        const budget = host.budget();
        if (budget === undefined) return [];
        const { nodes } = budget;
        const all = nodes.length > 0 ? nodes.map(({ logins }) => logins) : [budget.logins];
        const sum = (of: 'failed' | 'refused'): number =>
          all.reduce((total, logins) => total + logins[of], 0);
        const results = {
          ok: host.counters().logins,
          failed: sum('failed'),
          refused: sum('refused'),
        };
        return labelled('result', Object.entries(results), { host: name });
      }),
    ),
    gauge(
      'towline_host_logins_left',
      'Logins that the budget allows at once now.',
      each(({ host }) => host.budget()?.logins.left),
    ),
    gauge(
      'towline_host_connections',
      'Connections to the host that are open.',
      each(({ host }) => host.budget()?.channels.connections),
    ),
    gauge(
      'towline_host_channels_open',
      'Channels to the host that are open.',
      each(({ host }) => host.budget()?.channels.open),
    ),
    gauge(
      'towline_host_channel_limit',
      'Channels the host allows per connection, where it has refused one.',
      each(({ host }) => host.budget()?.channels.limit),
    ),
    counter(
      'towline_host_channels_refused_total',
      'Channels that the host refused.',
      each(({ host }) => host.budget()?.channels.refused),
    ),
    ...jumpFamilies(seats),
  ];
}

/** A jump host stands once, however many hosts are behind it. */
function jumpFamilies(all: Seat[]): MetricFamily[] {
  const jumps = new Map(
    all.flatMap(({ host }) => host.budget()?.jumps ?? []).map((jump) => [jump.name, jump]),
  );
  const sample = (number: (jump: JumpUse) => number): MetricSample[] =>
    [...jumps.values()].map((jump) => ({ labels: { jump: jump.name }, value: number(jump) }));
  return [
    gauge(
      'towline_jump_ready',
      'Whether the jump host is connected to.',
      sample(({ link }) => (link === 'ready' ? 1 : 0)),
    ),
    gauge(
      'towline_jump_logins_left',
      'Logins to the jump host that the budget allows at once now.',
      sample(({ logins }) => logins.left),
    ),
    counter(
      'towline_jump_logins_failed_total',
      'Logins to the jump host that failed after the door.',
      sample(({ logins }) => logins.failed),
    ),
    counter(
      'towline_jump_logins_refused_total',
      'Logins to the jump host that were refused at the door.',
      sample(({ logins }) => logins.refused),
    ),
  ];
}

function pollSamples({ name, polls }: Seat): MetricSample[] {
  const { buckets, count, sumSeconds } = polls.times();
  const bucket = (le: string, value: number): MetricSample => ({
    suffix: '_bucket',
    labels: { host: name, le },
    value,
  });
  return [
    ...buckets.map(({ le, count: value }) => bucket(String(le), value)),
    bucket('+Inf', count),
    { suffix: '_sum', labels: { host: name }, value: sumSeconds },
    { suffix: '_count', labels: { host: name }, value: count },
  ];
}

function labelled(
  label: string,
  numbers: Iterable<readonly [string, number]>,
  more: Record<string, string> = {},
): MetricSample[] {
  return [...numbers].map(([key, value]) => ({ labels: { ...more, [label]: key }, value }));
}

function gauge(name: string, help: string, samples: MetricSample[]): MetricFamily {
  return { name, help, type: 'gauge', samples };
}

function counter(name: string, help: string, samples: MetricSample[]): MetricFamily {
  return { name, help, type: 'counter', samples };
}
