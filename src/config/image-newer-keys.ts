/** Whether a registry is asked about images that are there: part of the table in image-keys.ts. */
import type { KeyTable } from './key-table.ts';
import { choice, duration } from './values.ts';

export const IMAGE_NEWER_KEYS = {
  pull: {
    field: 'pullWhen',
    type: choice('missing', 'newer'),
    doc: 'When a task of the host has its image pulled: missing takes the one that is there; newer asks the registry first whether the tag has moved.',
    example: 'newer',
    otherwise: { absent: 'as [defaults] pull says' },
  },
  pull_ask_every: {
    field: 'pullAskEveryMs',
    type: duration(0, 168 * 3_600_000),
    doc: 'How long the answer of a registry about one image counts, for all tasks of the host; 0s asks for each task that starts.',
    example: '1h',
    otherwise: { default: '5m' },
  },
} as const satisfies KeyTable;
