/** Which machine this is, as far as a copied state directory can be told from its original. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

const SOURCES = ['/etc/machine-id', '/var/lib/dbus/machine-id'];

/** A digest of the machine's id: stable over reboots and renames; 'unknown' where there is none. */
export async function readMachineId(sources = SOURCES): Promise<string> {
  for (const path of sources) {
    const text = await readFile(path, 'utf8').catch(() => '');
    // The id itself is confidential (machine-id(5)); a digest serves as well.
    if (/^[0-9a-f]{32}\s*$/.test(text)) {
      return createHash('sha256').update(`towline:${text.trim()}`).digest('hex');
    }
  }
  return 'unknown';
}
