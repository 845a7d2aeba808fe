/**
 * One authentication: gathers the keys, hands ssh2 one move after the other, lets a person answer
 * what only a person can, and says in the end why it did not work. Decisions: auth-plan.ts, offers.ts.
 */
import type { AuthHandlerMiddleware, KeyboardInteractiveAuthMethod, NextAuthHandler } from 'ssh2';
import { AppError, type ErrorContext } from '../../domain/failure.ts';
import { keepSecret } from '../../secrets.ts';
import type { Ask, LoginQuestion } from '../host.ts';
import type { HostSettings } from '../settings.ts';
import { OneKeyAgent, readAgent, withSha2 } from './agent.ts';
import { authFailure } from './auth-failure.ts';
import { AuthPlan, type Move } from './auth-plan.ts';
import { type KeyMemory, type Offer, orderOffers } from './offers.ts';
import { readKeyFiles } from './private-keys.ts';

const AGENT_TIMEOUT_MS = 5_000;

export interface AuthDeps {
  settings: HostSettings;
  context: ErrorContext;
  memory: KeyMemory;
  /** Somebody who answers; without it a host that wants an answer is left alone. */
  ask?: Ask | undefined;
}

/**
 * Reads key files and agent.
 * @throws SSH_KEY_UNREADABLE SSH_AGENT_UNAVAILABLE when there are some but none can be used, and
 * nobody is there to answer instead
 */
export async function prepareAuthentication(deps: AuthDeps): Promise<Authentication> {
  const { settings, memory, ask } = deps;
  const { identityAgent } = settings;
  const [files, agent] = await Promise.all([
    readKeyFiles(settings),
    identityAgent === undefined ? undefined : readAgent(identityAgent, agentTimeoutMs(settings)),
  ]);
  const offers = orderOffers(files, agent?.keys ?? [], memory);
  const usable = new Set(offers.map(({ id }) => id));
  const passedOver = files
    .filter(({ blob }) => blob === undefined || !usable.has(blob.toString('base64')))
    .flatMap(({ trouble }) => trouble ?? []);
  if (agent?.trouble !== undefined) passedOver.push(agent.trouble);
  const plan = new AuthPlan(offers, { memory, person: ask !== undefined, passedOver });
  const nothingUsable = offers.length === 0 && passedOver.length > 0;
  if (nothingUsable && ask === undefined) throw authFailure(plan, deps);
  return new Authentication(deps, plan);
}

/** An agent must leave time for the rest of the login. */
function agentTimeoutMs({ connectTimeoutMs }: HostSettings): number {
  return Math.min(AGENT_TIMEOUT_MS, Math.floor(connectTimeoutMs / 2));
}

export class Authentication {
  readonly #deps: AuthDeps;
  readonly #plan: AuthPlan;
  readonly #ended = new AbortController();
  #agent: OneKeyAgent | undefined;
  #unanswered: AppError | undefined;
  #asked = false;
  #asking = false;

  constructor(deps: AuthDeps, plan: AuthPlan) {
    this.#deps = deps;
    this.#plan = plan;
  }

  /** A person was asked, so this login cannot be repeated without one. */
  get asked(): boolean {
    return this.#asked;
  }

  /** Somebody is thinking about an answer just now. */
  get asking(): boolean {
    return this.#asking;
  }

  get mayAsk(): boolean {
    return this.#deps.ask !== undefined;
  }

  /** The connection is gone: whoever is being asked need not answer any more. */
  end(): void {
    this.#ended.abort();
  }

  /** The login has worked. */
  succeeded(): void {
    this.#plan.succeeded();
  }

  /** Why the host did not let us in. */
  failure(cause: unknown): AppError {
    if (this.#unanswered !== undefined) return this.#unanswered;
    if (/Too many authentication failures/.test(String(cause))) this.#plan.hungUp();
    return authFailure(this.#plan, { ...this.#deps, cause });
  }

  /** For ssh2, which calls it before the first move and after each one that was not enough. */
  readonly handler: AuthHandlerMiddleware = (methods, partial, next) => {
    const turn = this.#agent?.turn;
    this.#agent = undefined;
    // Null before the first answer; its types do not know.
    const heard = { methods: methods ?? undefined, partial, turn };
    this.#make(this.#plan.next(heard), next);
  };

  #make(move: Move, next: NextAuthHandler): void {
    const username = this.#deps.settings.user;
    switch (move.kind) {
      case 'none':
        return next({ type: 'none', username } as never);
      case 'key':
        return this.#offer(move.offer, next);
      case 'keyboard-interactive':
        return next({ type: move.kind, username, prompt: this.#prompt(next) });
      case 'password':
        return void this.#askPassword(next);
      case 'stop':
        return stop(next);
    }
  }

  #offer({ by }: Offer, next: NextAuthHandler): void {
    const { settings } = this.#deps;
    const username = settings.user;
    if (by.kind === 'file') return next({ type: 'publickey', username, key: withSha2(by.key) });
    const socketPath = settings.identityAgent ?? '';
    this.#agent = new OneKeyAgent(socketPath, by.key, agentTimeoutMs(settings));
    return next({ type: 'agent', username, agent: this.#agent });
  }

  #prompt(next: NextAuthHandler): KeyboardInteractiveAuthMethod['prompt'] {
    return (...[name, instruction, , wanted, finish]) => {
      const prompts = wanted.map(({ prompt, echo }) => ({ prompt, echo: echo === true }));
      void this.#answers({ name, instruction, prompts }, next).then((answers) => {
        if (answers !== undefined) finish(answers);
      });
    };
  }

  async #askPassword(next: NextAuthHandler): Promise<void> {
    const { user, hostname } = this.#deps.settings;
    const prompts = [{ prompt: `${user}@${hostname}'s password: `, echo: false }];
    const answers = await this.#answers({ name: '', instruction: '', prompts }, next);
    if (answers === undefined) return;
    next({ type: 'password', username: user, password: answers[0] ?? '' });
  }

  /** Undefined when nobody answers or nobody waits for it any more: the login is then given up. */
  async #answers(
    question: Omit<LoginQuestion, 'host'>,
    next: NextAuthHandler,
  ): Promise<string[] | undefined> {
    const { ask, settings } = this.#deps;
    const { signal } = this.#ended;
    this.#asked = true;
    this.#asking = true;
    try {
      const answers = await ask?.({ host: settings.name, ...question }, signal);
      // The user's own name may be asked for too, and stands in every line of the log.
      question.prompts.forEach(({ echo }, index) => !echo && keepSecret(answers?.[index] ?? ''));
      return signal.aborted ? undefined : answers;
    } catch (error) {
      if (signal.aborted) return undefined;
      this.#unanswered = error as AppError;
      stop(next);
      return undefined;
    } finally {
      this.#asking = false;
    }
  }
}

/** ssh2 takes false for "nothing left"; its types do not know. */
function stop(next: NextAuthHandler): void {
  next(false as never);
}
