/** Events, hosts and images as shown. */
import type { HostReport, ImageReport, LiveEvent, PruneReport } from '../engine/service.ts';
import type { EventView, HostView, ImageView, PruneView } from '../protocol/views.ts';
import { failureView, iso } from './view-parts.ts';

export function toEventView(event: LiveEvent): EventView {
  return event.type === 'gap' ? event : { ...event, at: iso(event.at) };
}

export function toHostView(report: HostReport): HostView {
  const { facts, lastFailure, link, modeSince, counters, budget, slots, ...rest } = report;
  return {
    ...rest,
    link: linkView(link),
    ...(modeSince !== undefined && { modeSince: iso(modeSince) }),
    slots: { ...slots },
    counters: { ...counters },
    ...(budget !== undefined && { budget: budgetView(budget) }),
    ...(facts !== undefined && { facts: { ...facts } }),
    ...(lastFailure !== undefined && { lastFailure: failureView(lastFailure) }),
  };
}

function budgetView(budget: NonNullable<HostReport['budget']>): HostView['budget'] {
  const loginsView = ({ nextAt, ...logins }: (typeof budget)['logins']) => ({
    ...logins,
    ...(nextAt !== undefined && { nextAt: iso(nextAt) }),
  });
  return {
    ...budget,
    logins: loginsView(budget.logins),
    jumps: budget.jumps.map((jump) => ({ ...jump, logins: loginsView(jump.logins) })),
    nodes: budget.nodes.map(({ trouble, ...node }) => ({
      ...node,
      logins: loginsView(node.logins),
      ...(trouble !== undefined && { trouble: troubleView(trouble) }),
    })),
  };
}

type Trouble = NonNullable<NonNullable<HostReport['budget']>['nodes'][number]['trouble']>;

function troubleView({ since, nextTryAt, ...trouble }: Trouble) {
  return {
    ...trouble,
    since: iso(since),
    ...(nextTryAt !== undefined && { nextTryAt: iso(nextTryAt) }),
  };
}

/** A link's times are the only ones inside it. */
function linkView(link: HostReport['link']): HostView['link'] {
  const { since, nextTryAt, ...rest } = link as {
    since?: number;
    nextTryAt?: number;
  } & typeof link;
  return {
    ...rest,
    ...(since !== undefined && { since: iso(since) }),
    ...(nextTryAt !== undefined && { nextTryAt: iso(nextTryAt) }),
  };
}

export function toImageView({ pulledAt, ...rest }: ImageReport): ImageView {
  return { ...rest, ...(pulledAt !== undefined && { pulledAt: iso(pulledAt) }) };
}

export function toPruneView({ images, kept }: PruneReport, dryRun: boolean): PruneView {
  return {
    dryRun,
    images: images.map(({ lastUsedAt, ...rest }) => ({ ...rest, lastUsedAt: iso(lastUsedAt) })),
    bytes: images.reduce((sum, { bytes }) => sum + bytes, 0),
    kept: { ...kept },
  };
}
