/** What doctor asks a login node about its Slurm: facts only, nothing is submitted. */
import { quoteAll } from '../../script/quote.ts';
import { splitReply } from '../../script/reply.ts';
import { LIST_PARTITIONS, type Partition, parsePartition } from './partitions.ts';

export interface SlurmFacts {
  /** Commands that are not on the PATH. */
  missing: string[];
  version?: string | undefined;
  /** Absent: it could not be asked for them, for these words. */
  partitions?: Partition[] | undefined;
  words?: string | undefined;
  /** Where ended jobs are kept; absent: nowhere. */
  accounting?: string | undefined;
  /** What sbatch says of a job that asks for nothing but what the configuration gives to all. */
  trial?: { accepted: boolean; words: string } | undefined;
}

const NOWHERE = ['', '(null)', 'accounting_storage/none'];

/** The text; `args` are the words of a job for which the task asks nothing. Each command has its own deadline. */
export function slurmInspectText(args: readonly string[]): string {
  return `slurm() { name=$1; shift; printf '%s\\n' "@ slurm $name $*"; }
short() { printf '%s' "$*" | tr '\\n' ' ' | cut -c 1-400; }
missing=
for tool in sbatch squeue scancel scontrol; do
  command -v "$tool" >/dev/null 2>&1 || missing="$missing $tool"
done
slurm missing "$missing"
if [ -z "$missing" ]; then
  slurm version "$(timeout 5 sbatch --version 2>/dev/null </dev/null)"
  ${LIST_PARTITIONS.replaceAll('\n', '\n  ')}
  if [ "$code" -ne 0 ]; then
    slurm words "$code" "$(short "$words")"
  else
    slurm listed
    slurm accounting "$(timeout 12 scontrol show config 2>/dev/null </dev/null | sed -n 's/^AccountingStorageType *= *//p')"
    words=$(timeout 12 sbatch --test-only ${quoteAll(args)} --wrap=: 2>&1 </dev/null)
    slurm trial "$?" "$(short "$words")"
  fi
fi`;
}

/** Reads what that text said among other things; undefined: it did not run to its first line. */
export function parseSlurmInspect(output: string): SlurmFacts | undefined {
  let facts: SlurmFacts | undefined;
  const partitions: Partition[] = [];
  for (const { verb, rest } of splitReply(output).lines) {
    const partition = verb === 'partition' ? parsePartition(rest) : undefined;
    if (partition !== undefined) partitions.push(partition);
    if (verb !== 'slurm') continue;
    const [, name = '', value = ''] = /^(\S+) ?(.*)$/.exec(rest) ?? [];
    if (name === 'missing') facts = { missing: value.split(' ').filter((tool) => tool !== '') };
    else if (facts !== undefined) Object.assign(facts, factOf(name, value.trim(), partitions));
  }
  return facts;
}

function factOf(name: string, value: string, partitions: Partition[]): Partial<SlurmFacts> {
  const [code = '', ...words] = value.split(' ');
  switch (name) {
    case 'version':
      return value === '' ? {} : { version: value };
    case 'listed':
      return { partitions };
    case 'words':
      return { words: code === '124' ? 'it did not answer in 12 s' : words.join(' ') };
    case 'accounting':
      return NOWHERE.includes(value) ? {} : { accounting: value };
    case 'trial':
      return { trial: { accepted: code === '0', words: words.join(' ') } };
    default:
      return {};
  }
}
