/**
 * Conversations of people who log in to a host: what the host asks goes out as a step, what they
 * answer comes in with the next. One per host; whoever begins anew takes it over with the question that
 * is open, so that no login is wasted. Answers pass through and are kept nowhere.
 */
import { AppError } from '../domain/failure.ts';
import type { LoginQuestion } from '../remote/host.ts';
import type { Seat } from './seats.ts';

export interface LoginRequest {
  /** As the last step said; undefined to begin. */
  session?: string | undefined;
  answers?: readonly string[] | undefined;
}

/** What to answer next, or that the link is ready. */
export type LoginStep = { done: true } | { done: false; session: string; question: LoginQuestion };

export interface Logins {
  /**
   * Begins, or goes on with answers. The signal fires when the client is gone.
   * @throws SSH_* SSH_LOGIN_FAILED SSH_LOGIN_ENDED REQUEST_INVALID
   */
  step(seat: Seat, request: LoginRequest, signal: AbortSignal): Promise<LoginStep>;
}

interface LoginsDeps {
  sessionId: () => string;
  answerWithinMs?: number;
}

/** As long as sshd waits for a login to be done. */
const ANSWER_WITHIN_MS = 120_000;

export function createLogins({ sessionId, answerWithinMs }: LoginsDeps): Logins {
  const conversations = new Map<string, Conversation>();

  function begin(seat: Seat): Conversation {
    const known = conversations.get(seat.name);
    if (known !== undefined) return known.takeOver(sessionId());
    const begun = new Conversation(seat, sessionId(), answerWithinMs ?? ANSWER_WITHIN_MS);
    conversations.set(seat.name, begun);
    const over = (): void => {
      if (conversations.get(seat.name) === begun) conversations.delete(seat.name);
    };
    begun.run().then(over, over);
    return begun;
  }

  return {
    async step(seat, { session, answers }, signal) {
      if (session === undefined) return await begin(seat).next(signal);
      const conversation = conversations.get(seat.name);
      if (conversation?.session !== session) throw ended(seat.name, 'there is no such login');
      conversation.answer(answers ?? []);
      return await conversation.next(signal);
    },
  };
}

interface Open {
  question: LoginQuestion;
  resolve: (answers: string[]) => void;
  reject: (error: AppError) => void;
}

class Conversation {
  session: string;
  readonly #seat: Seat;
  readonly #answerWithinMs: number;
  #open: Open | undefined;
  #waiting: PromiseWithResolvers<LoginStep> | undefined;
  /** Set once nobody is there any more: the next question is not asked. */
  #giveUp: AppError | undefined;
  /** How it ended, for whoever asks after that. */
  #end: (() => LoginStep) | undefined;

  constructor(seat: Seat, session: string, answerWithinMs: number) {
    this.#seat = seat;
    this.session = session;
    this.#answerWithinMs = answerWithinMs;
  }

  /** Logs in; never rejects. */
  async run(): Promise<void> {
    try {
      await this.#seat.host.login((question, signal) => this.#ask(question, signal));
      this.#end = () => ({ done: true });
      this.#waiting?.resolve({ done: true });
    } catch (error) {
      this.#end = () => {
        throw error;
      };
      this.#waiting?.reject(error);
    }
  }

  takeOver(session: string): this {
    this.session = session;
    this.#giveUp = undefined;
    this.#waiting?.reject(ended(this.#seat.name, 'another login took over'));
    return this;
  }

  /** Resolves with the next question, or when the link is ready. */
  async next(signal: AbortSignal): Promise<LoginStep> {
    if (this.#end !== undefined) return this.#end();
    if (this.#open !== undefined) return this.#step(this.#open.question);
    const waiting = Promise.withResolvers<LoginStep>();
    this.#waiting = waiting;
    const gone = (): void => {
      if (this.#waiting !== waiting) return;
      this.#giveUp = ended(this.#seat.name, 'the client went away');
      waiting.reject(this.#giveUp);
    };
    signal.addEventListener('abort', gone, { once: true });
    try {
      return await waiting.promise;
    } finally {
      signal.removeEventListener('abort', gone);
      if (this.#waiting === waiting) this.#waiting = undefined;
    }
  }

  answer(answers: readonly string[]): void {
    const open = this.#open;
    if (open === undefined) throw ended(this.#seat.name, 'nothing is asked just now');
    const wanted = open.question.prompts.length;
    if (answers.length !== wanted) {
      const message = `${wanted} answers are wanted and ${answers.length} were given`;
      throw new AppError('REQUEST_INVALID', message);
    }
    // At once: whoever asks for the next step must not get this one again.
    this.#open = undefined;
    open.resolve([...answers]);
  }

  async #ask(question: LoginQuestion, signal: AbortSignal): Promise<string[]> {
    if (this.#giveUp !== undefined) throw this.#giveUp;
    const { promise, resolve, reject } = Promise.withResolvers<string[]>();
    this.#open = { question, resolve, reject };
    const name = this.#seat.name;
    const seconds = Math.round(this.#answerWithinMs / 1000);
    const late = (): void => reject(ended(name, `nobody answered within ${seconds} s`));
    const timer = setTimeout(late, this.#answerWithinMs);
    const hungUp = (): void => reject(ended(name, 'the host hung up'));
    signal.addEventListener('abort', hungUp, { once: true });
    this.#waiting?.resolve(this.#step(question));
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', hungUp);
      if (this.#open?.resolve === resolve) this.#open = undefined;
    }
  }

  #step(question: LoginQuestion): LoginStep {
    return { done: false, session: this.session, question };
  }
}

function ended(host: string, why: string): AppError {
  return new AppError('SSH_LOGIN_ENDED', `login to host ${host}: ${why}`, { context: { host } });
}
