/** `scancel`: without a signal option it ends the job, by TERM and after KillWait by KILL. */
import { AppError } from '../../domain/failure.ts';
import { quoteAll } from '../../script/quote.ts';
import { hexText } from '../../script/records.ts';
import { onlyLine } from '../../script/reply.ts';
import { HEX, LIMITED } from '../../script/scheduler-tools.ts';

/** Gives the text that ends jobs. */
export function cancelText(ids: readonly string[], { timeoutS }: { timeoutS: number }): string {
  return [
    LIMITED,
    HEX,
    `dir=$(mktemp -d 2>/dev/null) || { echo '@ scancel 1'; exit 0; }
trap 'rm -rf "$dir"' EXIT`,
    `limited ${timeoutS} scancel ${quoteAll(ids)} >"$dir/err" 2>&1 </dev/null`,
    'echo "@ scancel $? $(hex_of "$dir/err")"',
  ].join('\n');
}

/** A job that is gone needs no ending. */
export function parseCancel(output: string, host: string): AppError | undefined {
  const [code, ...hex] = onlyLine('scancel', output).rest.split(' ');
  if (code === '0') return undefined;
  const said = hexText(hex.join(' ')).trim();
  if (code !== '124' && /Invalid job id|already complet/i.test(said)) return undefined;
  const why =
    code === '124' ? 'did not answer in time' : `failed (code ${code}): ${said.slice(-300)}`;
  return new AppError('SLURM_UNAVAILABLE', `scancel on ${host} ${why}`, { context: { host } });
}
