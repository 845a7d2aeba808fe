/** The keys of [host.NAME] that concern images: part of host-keys.ts. */
import { IMAGE_NEWER_KEYS } from './image-newer-keys.ts';
import { IMAGE_SOURCE_KEYS } from './image-source-keys.ts';
import type { KeyTable } from './key-table.ts';
import {
  choice,
  duration,
  integer,
  list,
  localPath,
  matching,
  orNone,
  remotePath,
  size,
} from './values.ts';

const HOUR_MS = 3_600_000;

export const IMAGE_KEYS = {
  image_cache_dir: {
    field: 'imageCacheDir',
    type: remotePath,
    doc: 'The directory on the host for pulled images; may be shared by several accounts.',
    example: '/scratch/shared/images',
    otherwise: { absent: 'images in root' },
  },
  ...IMAGE_SOURCE_KEYS,
  ...IMAGE_NEWER_KEYS,
  insecure_registries: {
    field: 'insecureRegistries',
    type: list(
      matching(
        'registry',
        /^[A-Za-z0-9][A-Za-z0-9._-]*(?::\d{1,5})?$/,
        'a registry: name or name:port',
      ),
    ),
    doc: 'Registries that are spoken to over plain HTTP.',
    example: 'registry.example.org:5000',
    otherwise: { computed: 'none' },
  },
  max_pulls: {
    field: 'maxPulls',
    type: integer(1, 64),
    doc: 'How many images may be pulled on the host at the same time.',
    example: '1',
    otherwise: { default: '2' },
  },
  pull_attempts: {
    field: 'pullAttempts',
    type: integer(1, 100),
    doc: 'How often a pull is tried before its task ends with an error; what cannot get better is tried once.',
    example: '10',
    otherwise: { default: '5' },
  },
  pull_backoff: {
    field: 'pullBackoffMs',
    type: duration(1, HOUR_MS),
    doc: 'The wait after the first failed pull; it doubles with each further one.',
    example: '10s',
    otherwise: { default: '2s' },
  },
  pull_backoff_cap: {
    field: 'pullBackoffCapMs',
    type: duration(1, 24 * HOUR_MS),
    doc: 'The longest wait between two pulls.',
    example: '5m',
    otherwise: { default: '1m' },
  },
  pull_memory: {
    field: 'pullMemoryMs',
    type: duration(0, 24 * HOUR_MS),
    doc: 'How long after a pull that gave up the same image is refused with the same reason; it doubles with each further one, and 0s asks the registry each time.',
    example: '1m',
    otherwise: { default: '10s' },
  },
  pull_memory_cap: {
    field: 'pullMemoryCapMs',
    type: duration(0, 24 * HOUR_MS),
    doc: 'The longest time for which an image is refused.',
    example: '1h',
    otherwise: { default: '10m' },
  },
  pull_timeout: {
    field: 'pullTimeoutMs',
    type: duration(1_000, 168 * HOUR_MS),
    doc: 'How long one pull may take.',
    example: '3h',
    otherwise: { default: '1h' },
  },
  pull_priority: {
    field: 'pullPriority',
    type: choice('low', 'normal'),
    doc: 'With low a pull leaves processor and disk to others where nice and ionice are there: for login nodes.',
    example: 'low',
    otherwise: { default: 'normal' },
  },
  pull_min_free: {
    field: 'pullMinFreeBytes',
    type: size,
    doc: 'A pull is not begun while less than this is free, or left of a quota that df tells, where images are kept.',
    example: '10 GiB',
    otherwise: { default: '4 MiB' },
  },
  registry_auth_file: {
    field: 'registryAuthFile',
    type: orNone(localPath, undefined),
    doc: "A file of mode 0600 here with logins of registries, as docker login writes it (config.json); a pull gets that of its own registry, in a file that goes with the pull's end.",
    example: '~/.config/towline/registries.json',
    otherwise: { absent: 'none: images are pulled without a login' },
  },
} as const satisfies KeyTable;
