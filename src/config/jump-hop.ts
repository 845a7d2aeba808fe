/** One hop of a way to a host, as it is written: the NAME of a section, or [user@]hostname[:port]. */
import { fitting, type ValueType } from './values.ts';

export const HOSTNAME =
  /^(?:[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9_.])?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:%[A-Za-z0-9._-]+)?)$/;
export const USER = /^[A-Za-z0-9_][A-Za-z0-9_.@+\\-]{0,254}\$?$/;

export interface Hop {
  user?: string | undefined;
  host: string;
  port?: number | undefined;
}

const HOP = /^(?:([^\s,/]+)@)?(?:\[([0-9A-Fa-f:.%]+)\]|([^\s,:@[\]/]+))(?::(\d{1,5}))?$/;

/** Undefined: this is no hop. */
export function parseHop(text: string): Hop | undefined {
  const match = HOP.exec(text);
  if (match === null) return undefined;
  const [, user, address, name, digits] = match;
  const host = address ?? name ?? '';
  const port = digits === undefined ? undefined : Number(digits);
  if (!HOSTNAME.test(host) || (user !== undefined && !USER.test(user))) return undefined;
  if (port !== undefined && (port < 1 || port > 65_535)) return undefined;
  return { user, host, port };
}

/** A hop as a value of the configuration; kept as written, since only the whole says what it means. */
export const jumpHop: ValueType<string> = fitting(
  'host',
  (text) => parseHop(text) !== undefined,
  'the NAME of a [host.NAME] or [user@]hostname[:port]',
);
