/** Does a Host or Match line of an OpenSSH configuration mean this host? Nothing is ever executed. Pure. */
import { matchesPatterns } from '../../domain/wildcards.ts';

/** What is asked about, as far as it is known at this line. */
export interface Asked {
  /** As it would be typed after `ssh`. */
  alias: string;
  hostname: string;
  user: string;
  localUser: string;
  /** The second reading, which a `Match final` asks for. */
  final: boolean;
}

export interface MatchVerdict {
  matches: boolean;
  /** A criterion that Towline does not judge: the block does not count. */
  unjudged?: string | undefined;
  wantsFinal: boolean;
}

/** ssh does not split these at commas: they have no argument. */
const BARE = new Set(['all', 'canonical', 'final']);

export function matchLine(args: readonly string[], asked: Asked): MatchVerdict {
  const verdict: MatchVerdict = { matches: args.length > 0, wantsFinal: false };
  for (let index = 0; index < args.length; index += 1) {
    const word = args[index] ?? '';
    const negated = word.startsWith('!');
    const criterion = (negated ? word.slice(1) : word).toLowerCase();
    if (criterion === 'final') verdict.wantsFinal = true;
    const argument = BARE.has(criterion) ? '' : (args[(index += 1)] ?? '');
    const holds = judge(criterion, argument, asked);
    if (holds === undefined) return { ...verdict, matches: false, unjudged: criterion };
    if (holds === negated) verdict.matches = false;
  }
  return verdict;
}

function judge(criterion: string, argument: string, asked: Asked): boolean | undefined {
  const patterns = argument.split(',');
  switch (criterion) {
    case 'all':
      return true;
    case 'canonical':
    case 'final':
      return asked.final;
    case 'host':
      return matchesPatterns(patterns, asked.hostname);
    case 'originalhost':
      return matchesPatterns(patterns, asked.alias);
    case 'user':
      return matchesPatterns(patterns, asked.user);
    case 'localuser':
      return matchesPatterns(patterns, asked.localUser);
    default:
      return undefined;
  }
}
