/** The sections beside hosts, filled: what partitions give, and further words for some jobs. */

import { keysOf } from './check.ts';
import type { Config, PartitionConfig, SbatchConfig } from './config.ts';
import type { Fill } from './resolve.ts';
import { besideHost, tableOf } from './section-names.ts';

interface Beside {
  partitions: PartitionConfig[];
  rules: SbatchConfig[];
}

/** By host; sections keep the order in which they are first met. */
export function resolveSlurm(sections: Iterable<string>, fill: Fill): Config['slurm'] {
  const slurm: Record<string, Beside> = Object.create(null);
  for (const section of new Set(sections)) {
    const beside = besideHost(section);
    if (beside === undefined) continue;
    const { prefix, host, name } = beside;
    const values = fill({ section, id: tableOf(section), keys: keysOf(section), name });
    const of = (slurm[host] ??= { partitions: [], rules: [] });
    if (prefix === 'partition.')
      of.partitions.push({ name, ...(values as Omit<PartitionConfig, 'name'>) });
    else of.rules.push({ name, ...(values as Omit<SbatchConfig, 'name'>) });
  }
  return slurm;
}
