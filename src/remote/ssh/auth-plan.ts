/**
 * What to send next to a host that wants to know who we are. Each refused key counts against sshd's
 * MaxAuthTries (6 unless the site says otherwise; at the last one it hangs up and remembers us), so
 * the plan stops before that. Pure: offers and answers in, moves out.
 */
import type { AgentTurn } from './agent.ts';
import type { KeyMemory, Offer } from './offers.ts';

/** One request of the authentication. `none` asks which methods there are. */
export type Move =
  | { kind: 'none' }
  | { kind: 'key'; offer: Offer }
  | { kind: 'keyboard-interactive' }
  | { kind: 'password' }
  | { kind: 'stop' };

/** What is known of how the last move went. */
export interface Heard {
  /** The methods that may go on, as told with the refusal; undefined before the first one. */
  methods: readonly string[] | undefined;
  /** The move was right, and the host wants more. */
  partial: boolean;
  /** For a key that the agent signs for: then neither of the above is told to us. */
  turn?: AgentTurn | undefined;
}

/** One below sshd's default of 6, at which it hangs up. */
const REFUSALS_MAX = 5;
/** Somebody who answers must be able to mistype. */
const REFUSALS_MAX_BEFORE_PERSON = 3;
const PERSON_TRIES_MAX = 3;

const BY_PERSON = ['keyboard-interactive', 'password'] as const;

export class AuthPlan {
  /** Keys that the host took, though it wanted more. */
  readonly accepted: Offer[] = [];
  readonly refused: Offer[] = [];
  /** Reasons why keys could not be used, in the words for an error message. */
  readonly passedOver: string[];
  readonly #left: Offer[];
  readonly #memory: KeyMemory;
  readonly #person: boolean;
  readonly #beginsWithKey: boolean;
  #methods: readonly string[] | undefined;
  #last: Move | undefined;
  #failures = 0;
  #moves = 0;
  #personTries = 0;

  /** `person`: somebody answers what the host asks. */
  constructor(
    offers: readonly Offer[],
    { memory, person, passedOver }: { memory: KeyMemory; person: boolean; passedOver: string[] },
  ) {
    this.#left = [...offers];
    this.#memory = memory;
    this.#person = person;
    this.passedOver = [...passedOver];
    const [first] = offers;
    // The first `none` costs nothing but a round trip; with an agent's keys nothing else tells us
    // the methods.
    this.#beginsWithKey =
      first !== undefined && (first.by.kind === 'file' || first.id === memory.worked);
  }

  /** Takes note of how the last move went, and gives the next. */
  next(heard: Heard): Move {
    this.#note(heard);
    this.#last = this.#choose();
    if (this.#last.kind !== 'stop') this.#moves += 1;
    return this.#last;
  }

  /** The login has worked: the key that did it comes first from now on. */
  succeeded(): void {
    const key = this.#last?.kind === 'key' ? this.#last.offer : this.accepted[0];
    if (key === undefined) return;
    this.#memory.worked = key.id;
    this.#memory.refused.delete(key.id);
  }

  /** The host hung up because of too many refusals, before we would have stopped. */
  hungUp(): void {
    if (this.#last?.kind === 'key') this.#refuse(this.#last.offer);
    this.#memory.bears = Math.max(1, this.#failures - 1);
  }

  /** Methods with which a person could go on where the keys do not. */
  get wantsPerson(): string[] {
    return BY_PERSON.filter((method) => this.#methods?.includes(method) === true);
  }

  /** Somebody has answered, and it was not enough. */
  get personRefused(): boolean {
    return this.#personTries > 0;
  }

  get methods(): readonly string[] {
    return this.#methods ?? [];
  }

  /** Keys there was no more room to offer. */
  get notOffered(): number {
    return this.#left.length;
  }

  #note({ methods, partial, turn }: Heard): void {
    const last = this.#last;
    if (last === undefined) return;
    if (last.kind === 'key' && turn !== undefined) {
      this.#noteAgent(last.offer, turn);
      return;
    }
    this.#methods = methods;
    if (last.kind === 'key') {
      if (partial) this.accepted.push(last.offer);
      else this.#refuse(last.offer);
      return;
    }
    // sshd does not count a `none` that is the first request.
    if (!partial && !(last.kind === 'none' && this.#moves === 1)) this.#failures += 1;
  }

  /** ssh2 keeps the host's answer to itself here; what was asked of the agent tells the same. */
  #noteAgent(offer: Offer, turn: AgentTurn): void {
    if (turn.trouble !== undefined) {
      this.passedOver.push(turn.trouble);
    } else if (turn.signed) {
      this.accepted.push(offer);
      this.#methods = undefined;
    } else {
      this.#refuse(offer);
    }
  }

  #refuse(offer: Offer): void {
    this.refused.push(offer);
    this.#memory.refused.add(offer.id);
    if (this.#memory.worked === offer.id) this.#memory.worked = undefined;
    this.#failures += 1;
  }

  #choose(): Move {
    const mayFail = this.#failures < this.#cap();
    if (this.#methods === undefined && !(this.#moves === 0 && this.#beginsWithKey)) {
      return this.#moves === 0 || mayFail ? { kind: 'none' } : { kind: 'stop' };
    }
    if (this.#methods?.includes('publickey') !== false && mayFail) {
      const offer = this.#left.shift();
      if (offer !== undefined) return { kind: 'key', offer };
    }
    const [kind] = this.wantsPerson as ('keyboard-interactive' | 'password')[];
    if (kind === undefined || !this.#person || this.#personTries === PERSON_TRIES_MAX) {
      return { kind: 'stop' };
    }
    this.#personTries += 1;
    return { kind };
  }

  #cap(): number {
    const most = this.#person ? REFUSALS_MAX_BEFORE_PERSON : REFUSALS_MAX;
    return Math.min(most, this.#memory.bears ?? most);
  }
}
