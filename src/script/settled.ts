/** Asks whether the outputs of an attempt were on disk before its machine was booted again. */
import type { SupervisorRecord } from '../domain/state.ts';
import { ROOT_MARKER, safeName } from './layout.ts';
import { quote } from './quote.ts';
import { onlyLine, replyInvalid, stepFailed } from './reply.ts';

interface SettledQuery {
  root: string;
  dir: string;
  nonce: string;
  /** The machine, and its boot, that the attempt ran in. */
  on: Pick<SupervisorRecord, 'machineId' | 'hostname' | 'bootId'>;
}

/** Gives the text. On another machine that shares the files nothing is known of a boot: they are what they are. */
export function settledText({ root, dir, nonce, on }: SettledQuery): string {
  return [
    `if ! [ -r ${quote(`${root}/${ROOT_MARKER}`)} ] || ! [ -d ${quote(dir)} ]; then echo '@ failed no-root'; exit 0; fi`,
    "machine=''",
    'read -r boot </proc/sys/kernel/random/boot_id',
    '[ -r /etc/machine-id ] && read -r machine </etc/machine-id',
    'read -r host </proc/sys/kernel/hostname',
    `if [ "$machine $host" != ${quote(`${on.machineId} ${on.hostname}`)} ] || [ "$boot" = ${quote(on.bootId)} ] ||`,
    `  [ -e ${quote(`${dir}/.settled.${safeName(nonce)}`)} ]; then`,
    "  echo '@ settled'",
    'else',
    "  echo '@ unsettled'",
    'fi',
  ].join('\n');
}

/** Reads the answer. @throws HOST_ROOT_UNAVAILABLE HOST_REPLY_INVALID */
export function parseSettled(output: string): boolean {
  const { verb, rest, noise } = onlyLine('settled', output);
  if (verb === 'failed') throw stepFailed('settled', rest, noise);
  if (verb !== 'settled' && verb !== 'unsettled')
    throw replyInvalid('settled', `unknown word ${JSON.stringify(verb)}`, noise);
  return verb === 'settled';
}
