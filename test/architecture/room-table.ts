/**
 * Who may import whom. Arrows go one way, `import type` counts. A forbidden import is a question of
 * design, not of this table: more often a type belongs in another room than a row needs a word more.
 */
export interface Room {
  /** Rooms (`domain`), single files (`engine/service.ts`), or a file's types only (`type remote/host.ts`). */
  rooms: readonly string[];
  /** Packages and node: modules; `node:*` is any of them, `type zod` a package's types only. */
  packages: readonly string[];
  /** The file that says in its header what the room is. */
  front: string;
}

export const ROOMS: Readonly<Record<string, Room>> = {
  domain: { rooms: [], packages: [], front: 'task.ts' },
  // node:crypto only for hashes, which are as pure as the texts they name.
  script: { rooms: ['domain'], packages: ['zod', 'node:crypto'], front: 'quote.ts' },
  protocol: { rooms: ['domain'], packages: ['zod'], front: 'routes.ts' },
  config: {
    rooms: ['domain'],
    packages: ['zod', 'ini', 'ssh-config', 'node:assert', 'node:fs', 'node:path', 'node:os'],
    front: 'load.ts',
  },
  store: { rooms: ['domain', 'fault.ts'], packages: ['zod', 'node:*'], front: 'store.ts' },
  spool: { rooms: ['domain', 'fault.ts'], packages: ['zod', 'node:*'], front: 'spool.ts' },
  remote: {
    rooms: ['domain', 'script/quote.ts', 'fault.ts', 'secrets.ts', 'spool/write-durably.ts'],
    packages: ['ssh2', 'ssh2-sftp-client', 'p-queue', 'p-retry', 'node:*'],
    front: 'host.ts',
  },
  scheduler: {
    rooms: ['domain', 'script', 'type remote/host.ts'],
    packages: [],
    front: 'scheduler.ts',
  },
  engine: {
    rooms: [
      'domain',
      'script',
      'store/store.ts',
      'spool',
      'type remote/host.ts',
      // which scheduler it is, only those know who put the house together
      'scheduler/scheduler.ts',
      'fault.ts',
    ],
    packages: ['p-queue', 'p-retry', 's3mini', 'node:*'],
    front: 'service.ts',
  },
  workflow: {
    rooms: ['domain', 'protocol'],
    packages: ['yaml', 'zod', 'node:path'],
    front: 'manifest.ts',
  },
  api: {
    rooms: ['domain', 'protocol', 'engine/service.ts', 'fault.ts'],
    packages: ['fastify', 'type zod', 'node:*'],
    front: 'server.ts',
  },
  client: {
    rooms: ['domain', 'protocol', 'config/socket.ts', 'config/computed.ts'],
    packages: ['node:*'],
    front: 'client.ts',
  },
  cli: {
    rooms: ['client', 'protocol', 'domain', 'config', 'workflow'],
    packages: ['commander', 'yaml', 'node:*'],
    front: 'main.ts',
  },
};

/** Files directly under src/. */
export const LOOSE_FILES: Readonly<Record<string, Omit<Room, 'front'>>> = {
  'fault.ts': { rooms: [], packages: [] },
  'log.ts': { rooms: ['domain', 'secrets.ts'], packages: ['pino', 'node:*'] },
  'secrets.ts': { rooms: [], packages: [] },
  'service-manager.ts': { rooms: ['domain'], packages: ['node:*'] },
  'memory-trim.ts': { rooms: [], packages: ['node:*'] },
  'version.ts': { rooms: [], packages: [] },
};

/** These put the house together: they may import everything, and no room may import them. */
export const COMPOSITION_ROOT: readonly string[] = [
  'main.ts',
  'daemon.ts',
  'host-settings.ts',
  'tes-door.ts',
];

/** Rooms that are pure: not even the type of a logger. Every other room may name log.ts's types. */
export const WITHOUT_LOG: readonly string[] = ['domain', 'script', 'protocol'];
