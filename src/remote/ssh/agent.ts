/**
 * Talks to an ssh-agent. An agent may be gone, locked, or wait for somebody to touch a token, so each
 * question has a deadline, and what it does not do is a reason to tell, never a hang.
 */
import type { Duplex } from 'node:stream';
import ssh2, { type OpenSSHAgent, type ParsedKey } from 'ssh2';
import { withDeadline } from '../settle.ts';

export interface AgentKey {
  blob: Buffer;
  type: string;
  comment: string;
  key: ParsedKey;
}

/** What an agent holds, or why that is not known. */
export interface AgentKeys {
  keys: AgentKey[];
  trouble?: string;
}

/** Asks the agent for its keys. Never throws. */
export async function readAgent(socketPath: string, timeoutMs: number): Promise<AgentKeys> {
  try {
    const found = await question<readonly ParsedKey[]>(socketPath, timeoutMs, (agent, done) =>
      agent.getIdentities((error, keys) => done(error, (keys ?? []) as readonly ParsedKey[])),
    );
    if (found.length === 0) {
      return {
        keys: [],
        trouble: `agent ${socketPath} holds no key that can be used, or is locked`,
      };
    }
    return { keys: found.map(describe) };
  } catch (error) {
    return { keys: [], trouble: `agent ${socketPath}: ${(error as Error).message}` };
  }
}

type Answered<T> = (error: Error | null | undefined, answer?: T) => void;

/** One question over a connection of its own, which is closed whether or not there is an answer. */
async function question<T>(
  socketPath: string,
  timeoutMs: number,
  put: (agent: OpenSSHAgent, done: Answered<T>) => void,
): Promise<T> {
  const agent = new ClosableAgent(socketPath);
  const asked = new Promise<T>((resolve, reject) => {
    put(agent, (error, answer) => {
      if (error || answer === undefined) reject(error ?? new Error('no answer'));
      else resolve(answer);
    });
  });
  try {
    return await withDeadline(
      asked,
      timeoutMs,
      () => new Error(`no answer within ${timeoutMs} ms`),
    );
  } finally {
    agent.close();
  }
}

/** ssh2 keeps the connection for as long as an agent is silent; this one can be told to let go. */
class ClosableAgent extends ssh2.OpenSSHAgent {
  #stream: Duplex | undefined;

  override getStream(done: (error?: Error | null, stream?: Duplex) => void): void {
    super.getStream((error, stream) => {
      this.#stream = stream;
      done(error, stream);
    });
  }

  close(): void {
    this.#stream?.destroy();
  }
}

function describe(key: ParsedKey): AgentKey {
  return { blob: key.getPublicSSH(), type: key.type, comment: key.comment, key };
}

/** How an offer through the agent went, as far as our side knows. */
export interface AgentTurn {
  /** The host liked the key and asked for the signature. */
  signed: boolean;
  /** Why the agent did not give it. */
  trouble?: string;
}

/** An agent of one key: ssh2 would otherwise offer all it holds without asking us in between. */
export class OneKeyAgent extends ssh2.BaseAgent<ParsedKey> {
  readonly turn: AgentTurn = { signed: false };
  readonly #socketPath: string;
  readonly #key: AgentKey;
  readonly #timeoutMs: number;

  constructor(socketPath: string, key: AgentKey, timeoutMs: number) {
    super();
    this.#socketPath = socketPath;
    this.#key = key;
    this.#timeoutMs = timeoutMs;
  }

  override getIdentities(done: (error: Error | undefined, keys?: ParsedKey[]) => void): void {
    done(undefined, [withSha2(this.#key.key)]);
  }

  override sign(...args: unknown[]): void {
    const data = args[1] as Buffer;
    const done = args.at(-1) as (error: Error | undefined, signature?: Buffer) => void;
    void this.#sign(data, done);
  }

  async #sign(
    data: Buffer,
    done: (error: Error | undefined, signature?: Buffer) => void,
  ): Promise<void> {
    const { key, type } = this.#key;
    const options = type === 'ssh-rsa' ? { hash: 'sha512' as const } : {};
    let signature: Buffer;
    try {
      signature = await question(this.#socketPath, this.#timeoutMs, (agent, answered) =>
        agent.sign(key, data, options, answered),
      );
    } catch (error) {
      const words = `agent ${this.#socketPath} did not sign: ${(error as Error).message}`;
      this.turn.trouble = words;
      done(new Error(words, { cause: error }));
      return;
    }
    this.turn.signed = true;
    done(undefined, signature);
  }
}

/**
 * An RSA key that signs with SHA-512 whatever the host says about itself: left alone, ssh2 falls back
 * to SHA-1 where a host does not list its algorithms. Other keys stay as they are.
 */
export function withSha2(key: ParsedKey): ParsedKey {
  if (key.type !== 'ssh-rsa') return key;
  return Object.create(key, {
    type: { value: 'rsa-sha2-512', enumerable: true },
    sign: { value: (data: Buffer | string) => key.sign(data, 'sha512') },
  }) as ParsedKey;
}
