/** How images come to a host: part of the table in image-keys.ts. */
import type { KeyTable } from './key-table.ts';
import { choice, matching } from './values.ts';

export const IMAGE_SOURCE_KEYS = {
  image_source: {
    field: 'imageSource',
    type: choice('pull', 'upload', 'auto'),
    doc: 'How images come to the host: pull has the host fetch them from the registry; upload has another host fetch them and sends them over SFTP; auto sends them where the host cannot reach the registry.',
    example: 'auto',
    otherwise: { default: 'pull' },
  },
  image_from: {
    field: 'imageFrom',
    type: matching(
      'host name',
      /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/,
      'the NAME of a [host.NAME], or local',
    ),
    doc: 'The host that images are sent from: the NAME of another [host.NAME], or local for this machine.',
    example: 'local',
    otherwise: {
      absent: 'this machine if it has the runtime, else any other host that pulls its own',
    },
  },
} as const satisfies KeyTable;
