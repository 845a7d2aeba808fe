/** Listens in on a login: what the server asks for, what is offered, what it says to each. */
import type { AuthHandlerMiddleware, ConnectConfig, ParsedKey } from 'ssh2';
import type { AuthTry } from '../../inspection.ts';
import { OneKeyAgent } from '../agent.ts';
import { fingerprint } from '../host-key.ts';

export interface AuthNotes {
  methods: string[];
  tries: AuthTry[];
}

type Next = (auth: unknown) => void;

/**
 * The same options with each offer noted. The login itself is the ordinary one; only the question
 * what the server takes (`none`, which no server counts as a failed try) comes before it.
 */
export function noteAuth(config: ConnectConfig, notes: AuthNotes): ConnectConfig {
  const inner = config.authHandler as AuthHandlerMiddleware;
  let asked = false;
  let begun = false;
  const authHandler = ((methodsLeft, partialSuccess, next) => {
    if (Array.isArray(methodsLeft)) notes.methods = methodsLeft.map(String);
    const last = notes.tries.at(-1);
    if (last !== undefined) last.verdict = partialSuccess ? 'wants more' : 'refused';
    if (!asked) {
      asked = true;
      (next as Next)('none');
      return;
    }
    const noted: Next = (auth) => {
      const attempt = tryOf(auth);
      // It wants to know what was asked just now; a second `none` would count.
      if (attempt?.method === 'none') {
        inner(methodsLeft, false, noted as typeof next);
        return;
      }
      if (attempt !== undefined) notes.tries.push(attempt);
      (next as Next)(auth);
    };
    // It is told what ssh2 tells it first when nobody listens.
    const told = begun ? methodsLeft : (null as never);
    begun = true;
    inner(told, partialSuccess, noted as typeof next);
  }) as AuthHandlerMiddleware;
  return { ...config, authHandler };
}

function tryOf(auth: unknown): AuthTry | undefined {
  if (typeof auth === 'string') return { method: auth, verdict: 'not answered' };
  if (typeof auth !== 'object' || auth === null || !('type' in auth)) return undefined;
  const method = String(auth.type);
  const key =
    'key' in auth ? keyOf(auth.key) : 'agent' in auth ? agentKeyOf(auth.agent) : undefined;
  return { method, ...key, verdict: 'not answered' };
}

/** Our agents hold one key each and tell it at once. */
function agentKeyOf(agent: unknown): ReturnType<typeof keyOf> {
  if (!(agent instanceof OneKeyAgent)) return undefined;
  let key: unknown;
  agent.getIdentities((_, keys) => {
    key = keys?.[0];
  });
  return keyOf(key);
}

/** Keys that are already read; anything else an offer may hold has nothing to show. */
function keyOf(key: unknown): Pick<AuthTry, 'key' | 'rsaBits' | 'publicKey'> | undefined {
  if (typeof key !== 'object' || key === null || !('getPublicSSH' in key)) return undefined;
  const parsed = key as ParsedKey;
  const { type, comment } = parsed;
  const blob = parsed.getPublicSSH();
  const rsaBits = rsaBitsOf(blob);
  const words = [type, fingerprint(blob), comment && `(${comment})`].filter(Boolean).join(' ');
  const publicKey = [type, blob.toString('base64'), comment].filter(Boolean).join(' ');
  return { key: words, publicKey, ...(rsaBits !== undefined && { rsaBits }) };
}

/** Bits of the modulus of an RSA public key; undefined for other types. */
export function rsaBitsOf(blob: Buffer): number | undefined {
  const parts: Buffer[] = [];
  for (let at = 0; at + 4 <= blob.length && parts.length < 3; ) {
    const end = at + 4 + blob.readUInt32BE(at);
    parts.push(blob.subarray(at + 4, end));
    at = end;
  }
  const [type, , modulus] = parts;
  if (type?.toString('latin1') !== 'ssh-rsa' || modulus === undefined) return undefined;
  const digits = modulus.toString('hex').replace(/^0+/, '');
  return digits === ''
    ? 0
    : (digits.length - 1) * 4 + Number.parseInt(digits[0] ?? '0', 16).toString(2).length;
}
