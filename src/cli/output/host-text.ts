/** Hosts and images for people. */
import type { HostView, ImageView } from '../../protocol/views.ts';
import { oneLine, sizeText, spanText, table } from './text.ts';

/** One line a host. */
export function hostTable(hosts: readonly HostView[], width: number): string {
  const rows = hosts.map((host) => [
    host.name,
    host.mode === 'open' ? host.link.kind : host.mode,
    `${host.slots.usedTasks}/${host.slots.maxTasks}`,
    gpuCount(host),
    host.facts?.runtime?.version ?? '-',
    host.address,
    host.tags.join(', ') || '-',
    host.link.code ?? nodeTrouble(host) ?? '',
  ]);
  return table(
    [['HOST', 'LINK', 'TASKS', 'GPUS', 'RUNTIME', 'ADDRESS', 'TAGS', ''], ...rows],
    width,
  );
}

/** Everything about one host on a page. */
export function hostPage(host: HostView, now: number): string {
  const { facts, link, slots, lastFailure } = host;
  const isQueue = host.scheduler !== 'none';
  // what a login node has is not for tasks
  const cpus = facts && (slots.cpus ?? (isQueue ? undefined : facts.cpus));
  const memory = facts && (slots.memoryBytes ?? (isQueue ? undefined : facts.memoryBytes));
  const lines: [string, string | undefined][] = [
    ['host', host.name],
    ['address', host.address],
    ['mode', modeText(host, now)],
    ['link', host.mode === 'paused' ? undefined : linkText(host, now)],
    ['why', link.code && `${link.code}: ${link.message ?? ''}`],
    ['hint', link.hint],
    ['root', facts?.root ?? host.root],
    ['tasks', `${slots.usedTasks} of ${slots.maxTasks}`],
    ['scheduler', isQueue ? host.scheduler : undefined],
    ['cpus', cpus === undefined ? undefined : `${slots.usedCpus} of ${cpus} used`],
    [
      'memory',
      memory === undefined
        ? undefined
        : `${sizeText(slots.usedMemoryBytes)} of ${sizeText(memory)} used`,
    ],
    ['gpus', host.gpus.length > 0 ? `${slots.usedGpus} of ${host.gpus.length} used` : undefined],
    ...host.gpus.map((gpu): [string, string] => ['', gpuText(gpu)]),
    ['tags', host.tags.length > 0 ? host.tags.join(', ') : undefined],
    ['free disk', facts && `${sizeText(facts.freeBytes)} (${facts.rootFsType})`],
    [
      'runtime',
      facts && (facts.runtime ? `${facts.runtime.version} (${facts.runtime.path})` : 'none found'),
    ],
    ...budgetLines(host.budget, now),
    ['clock', facts && `${facts.clockSkewMs >= 0 ? '+' : ''}${facts.clockSkewMs} ms`],
    ['last error', lastFailure && `${lastFailure.code}: ${lastFailure.message}`],
    ['', lastFailure && `hint: ${lastFailure.hint}`],
  ];
  return lines
    .filter((line): line is [string, string] => line[1] !== undefined)
    .map(([label, text]) => `${label.padEnd(10)}  ${oneLine(text)}\n`)
    .join('');
}

function modeText({ mode, modeSince }: HostView, now: number): string | undefined {
  if (mode === 'open') return undefined;
  const since = modeSince === undefined ? '' : ` for ${spanText(now - Date.parse(modeSince))}`;
  return `${mode}${since}; towline host resume ends it`;
}

function gpuCount({ slots }: HostView): string {
  if (slots.gpus === undefined) return '-';
  return slots.gpus === 0 && slots.usedGpus === 0 ? '0' : `${slots.usedGpus}/${slots.gpus}`;
}

function gpuText({ device, name, memoryBytes, task }: HostView['gpus'][number]): string {
  const what = [name, memoryBytes === undefined ? undefined : sizeText(memoryBytes)];
  const known = what.filter((word) => word !== undefined).join(', ');
  return `${device}${known === '' ? '' : ` (${known})`}: ${task ?? 'free'}`;
}

function budgetLines(budget: HostView['budget'], now: number): [string, string | undefined][] {
  if (budget === undefined) return [];
  const { logins, channels, polls, jumps, nodes } = budget;
  const limit = channels.limit === undefined ? '' : `, ${channels.limit} per connection at most`;
  const several = nodes.length > 0;
  return [
    ...nodes.map((node): [string, string] => ['login node', nodeText(node, now)]),
    ['logins', several ? undefined : loginsText(logins, now)],
    [
      'channels',
      `${channels.open} open on ${channels.connections} connection${channels.connections === 1 ? '' : 's'}${limit}; ${channels.refused} refused`,
    ],
    ['polls', `${polls.lastSecond} in the last second, ${polls.limit} at most`],
    ...jumps.map((jump): [string, string] => [
      'jump host',
      `${jump.name} is ${jump.link}; logins: ${loginsText(jump.logins, now)}`,
    ]),
  ];
}

type NodeView = NonNullable<HostView['budget']>['nodes'][number];

/** What a look at all hosts should not hide: the host serves, but not by way of all its nodes. */
function nodeTrouble({ budget }: HostView): string | undefined {
  const node = budget?.nodes.find(({ trouble }) => trouble !== undefined);
  return node && `${node.name}: ${node.trouble?.code}`;
}

function nodeText({ name, inUse, logins, trouble }: NodeView, now: number): string {
  const budget = `logins: ${loginsText(logins, now)}`;
  if (trouble === undefined) return `${name}${inUse ? ' is in use' : ''}; ${budget}`;
  const { code, message, hint, since, nextTryAt } = trouble;
  const next =
    nextTryAt === undefined
      ? 'tried again with the next connection'
      : `left alone for ${spanText(Date.parse(nextTryAt) - now)}`;
  const what = `WARNING: cannot be used for ${spanText(now - Date.parse(since))}: ${code}: ${message}`;
  return `${name} ${what}; hint: ${hint}; ${next}; ${budget}`;
}

function loginsText(logins: NonNullable<HostView['budget']>['logins'], now: number): string {
  const next =
    logins.nextAt === undefined
      ? 'now'
      : `in ${spanText(Math.max(0, Date.parse(logins.nextAt) - now))}`;
  return (
    `${logins.left} of ${logins.burst} left, one more every ${spanText(logins.refillMs)}, next ${next}; ` +
    `${logins.usedLastHour} in the last hour, ${logins.failed} failed, ${logins.refused} refused`
  );
}

function linkText({ link }: HostView, now: number): string {
  const since = link.since === undefined ? '' : ` for ${spanText(now - Date.parse(link.since))}`;
  const next =
    link.nextTryAt === undefined
      ? ''
      : `, next try in ${spanText(Date.parse(link.nextTryAt) - now)}`;
  return `${link.kind}${since}${next}`;
}

/** One line an image. */
export function imageTable(images: readonly ImageView[], width: number): string {
  const rows = images.map((image) => [
    image.reference,
    sizeText(image.bytes),
    image.pulledAt ?? '-',
    image.digest ?? '-',
    image.path,
  ]);
  return table([['IMAGE', 'SIZE', 'PULLED', 'DIGEST', 'PATH'], ...rows], width);
}
