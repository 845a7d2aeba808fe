/**
 * Asks a host for its keys as ssh-keyscan does: a connection for each key type, ended as soon as the key
 * is shown. No user name, no key and no signature of ours is ever sent.
 */
import { Client, type ServerHostKeyAlgorithm } from 'ssh2';
import type { AppError } from '../../domain/failure.ts';
import { classifySsh } from '../classify.ts';
import { withDeadline } from '../settle.ts';
import { algorithmsFor, SIGNATURES } from './algorithms.ts';
import { type Door, hostContext, knock } from './connect.ts';
import type { PublicKey } from './trust-file.ts';
import type { Wire } from './wire.ts';

interface Glance {
  key: PublicKey | undefined;
  /** The host's own list, if it was heard. */
  signatures: string[] | undefined;
}

/** Every key the host offers of a type that we can use; at most one connection for each type. */
export async function offeredKeys(door: Door): Promise<PublicKey[]> {
  const open = new Map(Object.entries(SIGNATURES));
  const keys: PublicKey[] = [];
  while (open.size > 0) {
    const { key, signatures } = await knock(door, (wire) =>
      look(door, wire, [...open.values()].flat()),
    );
    if (key === undefined) break;
    keys.push(key);
    open.delete(key.type);
    for (const [type, wanted] of open)
      if (signatures !== undefined && !wanted.some((name) => signatures.includes(name)))
        open.delete(type);
  }
  return keys;
}

async function look(
  { settings }: Door,
  wire: Wire,
  signatures: ServerHostKeyAlgorithm[],
): Promise<Glance> {
  const glance: Glance = { key: undefined, signatures: undefined };
  const { name, hostname, port, connectTimeoutMs } = settings;
  const explain = (error: unknown): AppError =>
    classifySsh(error, {
      what: `asking host ${name} (${hostname}:${port}) for its keys`,
      context: hostContext(settings),
    });
  const client = new Client();
  const ended = new Promise<void>((resolve, reject) => {
    client.on('error', (error) => {
      // Our own refusal ends the conversation; no matching type means that there is none left.
      if (glance.key !== undefined || /no matching host key/i.test(error.message)) resolve();
      else reject(explain(error));
    });
    client.once('close', () => reject(explain(new Error('Connection lost: closed by the host'))));
  });
  client.connect({
    sock: wire,
    username: 'nobody',
    algorithms: { ...algorithmsFor([]), serverHostKey: signatures },
    hostVerifier: (blob: Buffer): boolean => {
      glance.key = { type: blob.toString('latin1', 4, 4 + blob.readUInt32BE(0)), blob };
      return false;
    },
    authHandler: () => false,
    readyTimeout: connectTimeoutMs,
    debug: (line) => {
      const list = /^Handshake: \(remote\) Host key format: (.*)$/.exec(line)?.[1];
      if (list !== undefined) glance.signatures = list.split(',');
    },
  });
  try {
    const late = (): AppError => explain(new Error('Timed out while waiting for handshake'));
    await withDeadline(ended, connectTimeoutMs + 1_000, late);
    return glance;
  } finally {
    client.destroy();
    wire.destroy();
  }
}
