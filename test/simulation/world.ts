/** Virtual time and what is to happen in it: one act at a time, those that are due in any order. */
import type { Choices } from './choices.ts';
import type { Guards } from './guards.ts';

export interface Item {
  at: number;
  act: () => void;
}

/** A promise was broken. */
export class Violation extends Error {
  readonly promise: string;

  constructor(promise: string, what: string) {
    super(what);
    this.promise = promise;
  }
}

export class World {
  /** Milliseconds; steps of the clock that people see are `clockSkew`. */
  now = 1_700_000_000_000;
  clockSkew = 0;
  steps = 0;
  readonly faults: Record<string, number> = {};
  readonly choices: Choices;
  readonly guards: Guards;
  readonly #trace: string[] | undefined;
  readonly #agenda: Item[] = [];
  readonly #due: Item[] = [];
  #nonces = 0;
  readonly #start = this.now;

  constructor(parts: { choices: Choices; guards: Guards; trace?: string[] | undefined }) {
    this.choices = parts.choices;
    this.guards = parts.guards;
    this.#trace = parts.trace;
  }

  later(ms: number, act: () => void): Item {
    const item = { at: this.now + ms, act };
    this.#agenda.push(item);
    return item;
  }

  drop(item: Item | undefined): void {
    const index = item === undefined ? -1 : this.#agenda.indexOf(item);
    if (index >= 0) this.#agenda.splice(index, 1);
  }

  /** Something in the daemon's memory or on a host: new for each try. */
  nonce(): string {
    this.#nonces += 1;
    return `n${this.#nonces}`;
  }

  /** Does one of the acts that are due, or goes on to the next; false when nothing is to happen any more. */
  step(): boolean {
    const due = this.#due;
    due.length = 0;
    let next: Item | undefined;
    for (const item of this.#agenda) {
      if (item.at <= this.now) due.push(item);
      else if (next === undefined || item.at < next.at) next = item;
    }
    let chosen = due.length > 1 ? due[this.choices.below(due.length)] : due[0];
    if (chosen === undefined) {
      if (next === undefined || next.at === Number.POSITIVE_INFINITY) return false;
      chosen = next;
      this.now = next.at;
    }
    this.drop(chosen);
    this.steps += 1;
    chosen.act();
    return true;
  }

  fault(kind: string, what: () => string): void {
    this.faults[kind] = (this.faults[kind] ?? 0) + 1;
    this.note(() => `FAULT ${kind}: ${what()}`);
  }

  note(what: () => string): void {
    if (this.#trace === undefined) return;
    const seconds = ((this.now - this.#start) / 1000).toFixed(3).padStart(9);
    this.#trace.push(`${seconds} s  ${what()}`);
  }
}
