/** The keys of [host.NAME] for what a task finds around it: part of the table in host-keys.ts. */
import type { KeyTable } from './key-table.ts';
import { orNone, remotePath, size } from './values.ts';

export const SURROUNDINGS_KEYS = {
  tmp_dir: {
    field: 'tmpDir',
    type: remotePath,
    doc: 'The directory on the host below which each attempt gets one of its own for /tmp and /var/tmp of its container; removed with the attempt.',
    example: '/local/$USER',
    otherwise: { absent: 'in the directory of the attempt, in root' },
  },
  overlay_size: {
    field: 'overlayBytes',
    type: orNone(size, 0),
    doc: 'How much tasks of the host can write to the root of their container, in an overlay of their own; none makes it read-only.',
    example: '4 GiB',
    otherwise: { absent: 'as [defaults] overlay_size says' },
  },
} as const satisfies KeyTable;
