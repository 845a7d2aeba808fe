import { readFileSync } from 'node:fs';

/** Names this boot of the machine; another name means that what was only in memory is gone. */
export function readBootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}
