/** What no single line about a scheduler can be wrong about (agree.ts, for Slurm). */
import { didYouMean } from '../domain/suggest.ts';
import type { Setting } from './check.ts';
import type { Config, HostConfig } from './config.ts';
import { HOST_KEYS } from './host-keys.ts';
import type { KeyTable } from './key-table.ts';
import type { Problem } from './problem.ts';
import type { Winners } from './resolve.ts';
import type { Section } from './scan.ts';
import { besideHost, HOST_PREFIX } from './section-names.ts';

/** Everything about schedulers that contradicts itself. */
export function slurmDisagreements(
  config: Config,
  winners: Winners,
  sections: readonly Section[],
): Problem[] {
  return [
    ...Object.values(config.hosts).flatMap((host) => [
      ...keysWithoutSlurm(host, winners),
      ...pollAboveMax(host, winners),
    ]),
    ...sections.flatMap((section) => withoutHost(section, config)),
    ...sections.flatMap((section) => withoutArgs(section, config)),
  ];
}

function keysWithoutSlurm(host: HostConfig, winners: Winners): Problem[] {
  if (host.scheduler === 'slurm') return [];
  const table: KeyTable = HOST_KEYS;
  return Object.entries(table).flatMap(([key, row]) => {
    const setting = winners.get(`${HOST_PREFIX}${host.name}.${key}`);
    return row.slurmOnly === true && setting !== undefined
      ? [
          invalid(
            setting,
            'is only for a host with scheduler = slurm; add that, or remove the line',
          ),
        ]
      : [];
  });
}

function pollAboveMax(host: HostConfig, winners: Winners): Problem[] {
  if (host.queuePollMinMs <= host.queuePollMaxMs) return [];
  const section = `${HOST_PREFIX}${host.name}`;
  const setting =
    winners.get(`${section}.queue_poll_max`) ?? winners.get(`${section}.queue_poll_min`);
  return setting === undefined
    ? []
    : [invalid(setting, 'queue_poll_min is longer than queue_poll_max')];
}

function withoutHost({ name: section, file, line }: Section, { hosts }: Config): Problem[] {
  const beside = besideHost(section);
  if (beside === undefined) return [];
  const place = { file, line };
  const host = Object.hasOwn(hosts, beside.host) ? hosts[beside.host] : undefined;
  if (host === undefined) {
    const meant = didYouMean(beside.host, Object.keys(hosts));
    const what = `there is no section [host.${beside.host}]${meant}`;
    return [{ code: 'CONFIG_SECTION_UNKNOWN', place, section, what }];
  }
  if (host.scheduler === 'slurm') return [];
  const what = `[host.${host.name}] has no scheduler = slurm`;
  return [{ code: 'CONFIG_VALUE_INVALID', place, section, what }];
}

function withoutArgs({ name: section, file, line }: Section, config: Config): Problem[] {
  const beside = besideHost(section);
  if (beside?.prefix !== 'sbatch.') return [];
  const rule = config.slurm[beside.host]?.rules.find(({ name }) => name === beside.name);
  if (rule?.args !== undefined) return [];
  const code = 'CONFIG_VALUE_INVALID';
  return [{ code, place: { file, line }, section, key: 'args', what: 'is missing' }];
}

function invalid({ place, section, key }: Setting, what: string): Problem {
  return { code: 'CONFIG_VALUE_INVALID', place, section, key, what };
}
