import { readFileSync } from 'node:fs';
import { isPretended } from '../fault.ts';

/** Names this boot of the machine; another name means that what was only in memory is gone. */
export function readBootId(): string {
  const id = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return isPretended('boot.other') ? `after-${id}` : id;
}
