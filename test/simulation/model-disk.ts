/**
 * The remote root: attempts that appear by one rename, their files, and what a loss of power leaves of
 * them. What was written and not synced within the last half minute may be gone, name by name.
 */
import type { World } from './world.ts';

const WRITTEN_BACK_MS = 30_000;

interface File {
  text: string;
  saved: string;
  changedAt: number;
}

/** The directory of an attempt. Names of streams and work are counts: their bytes do not matter here. */
export class Dir {
  readonly digest: string;
  entries = new Map<string, File>();
  /** Bytes that were printed. */
  printed = 0;
  /** The declared output was written. */
  hasOutput = false;
  removed = false;
  readonly #world: World;
  #saved = new Map<string, File>();
  #changedAt: number;

  constructor(world: World, digest: string) {
    this.#world = world;
    this.digest = digest;
    this.#changedAt = world.now;
  }

  has(name: string): boolean {
    return this.entries.has(name);
  }

  read(name: string): string | undefined {
    return this.entries.get(name)?.text;
  }

  /** The first name that begins so. */
  find(prefix: string): string | undefined {
    for (const name of this.entries.keys()) if (name.startsWith(prefix)) return name;
    return undefined;
  }

  write(name: string, text: string): void {
    if (this.removed) return;
    const file = this.entries.get(name);
    const now = this.#world.now;
    if (file === undefined) {
      this.entries.set(name, { text, saved: '', changedAt: now });
      this.#changedAt = now;
    } else {
      file.text = text;
      file.changedAt = now;
    }
  }

  /** rename(2): nothing happens when there is no such file. */
  rename(from: string, to: string): void {
    const file = this.entries.get(from);
    if (file === undefined) return;
    this.entries.delete(from);
    this.entries.set(to, file);
    this.#changedAt = this.#world.now;
  }

  /** link(2): never replaces. */
  link(from: string, to: string): void {
    const file = this.entries.get(from);
    if (file === undefined || this.entries.has(to)) return;
    this.entries.set(to, file);
    this.#changedAt = this.#world.now;
  }

  syncFile(name: string): void {
    const file = this.entries.get(name);
    if (file !== undefined) file.saved = file.text;
  }

  syncNames(): void {
    this.#saved = new Map(this.entries);
  }

  losePower(): void {
    const { choices, now } = this.#world;
    if (now - this.#changedAt < WRITTEN_BACK_MS && choices.chance(50)) this.entries = this.#saved;
    for (const file of this.entries.values()) {
      const dirty = file.text !== file.saved && now - file.changedAt < WRITTEN_BACK_MS;
      if (dirty && choices.chance(50)) file.text = file.saved;
      file.saved = file.text;
    }
    this.#saved = new Map(this.entries);
  }
}

export class Disk {
  readonly tasks = new Map<string, Dir>();
  /** `.ended/<T>`. */
  readonly ended = new Set<string>();
  image = false;
  object = false;
  /** A file of the user's that tasks with inputs name too. */
  given = true;
  /** The mount is away: whoever comes cannot see the root. */
  away = false;
  full = false;
  readonly #world: World;
  readonly #published = new Map<string, number>();
  readonly #saved = new Set<string>();

  constructor(world: World) {
    this.#world = world;
  }

  /** rename(2) of a complete directory: only one gets the name. */
  publish(token: string, dir: Dir): void {
    if (this.tasks.has(token) && this.#world.guards.host.publishOnce) return;
    this.tasks.set(token, dir);
    this.#published.set(token, this.#world.now);
  }

  remove(token: string): void {
    const dir = this.tasks.get(token);
    if (dir === undefined) return;
    dir.removed = true;
    this.tasks.delete(token);
    this.#saved.delete(token);
  }

  /** The names of the attempts are on disk. */
  syncNames(): void {
    for (const token of this.tasks.keys()) this.#saved.add(token);
  }

  losePower(): void {
    const { choices, now } = this.#world;
    for (const [token, dir] of this.tasks) {
      const fresh = now - (this.#published.get(token) ?? 0) < WRITTEN_BACK_MS;
      if (fresh && !this.#saved.has(token) && choices.chance(50)) this.remove(token);
      else dir.losePower();
    }
    this.syncNames();
  }
}
