/** How a host says that it has an image, and what its record tells of it; pulled or received. */
import { z } from 'zod';
import { parseValue } from './reply.ts';

export interface ReadyReply {
  kind: 'ready';
  path: string;
  /** Of the SIF, where Towline made it. */
  sha256?: string | undefined;
  /** Of the manifest, where the runtime told it. */
  digest?: string | undefined;
}

/** `ready` is true, and says so, when the image $key is in the working directory. */
export const READY = `ready() {
  [ -r "$key.sif" ] || return 1
  record='' sum='-' digest='-'
  [ -r "$key.json" ] && read -r record <"$key.json"
  case $record in *'"sha256":"'*) sum=\${record#*'"sha256":"'} sum=\${sum%%'"'*} ;; esac
  case $record in *'"digest":"'*) digest=\${record#*'"digest":"'} digest=\${digest%%'"'*} ;; esac
  printf '%s\\n' "@ ready $sum $digest $PWD/$key.sif"
}`;

const schema = z.object({
  sha256: z.string().regex(/^([0-9a-f]{64}|-)$/, 'not a sha256'),
  digest: z.string().regex(/^(sha256:[0-9a-f]{64}|-)$/, 'not a digest'),
  path: z.string().startsWith('/'),
});

/** Reads what follows the word. @throws HOST_REPLY_INVALID */
export function parseReady(rest: string, purpose: string): ReadyReply {
  const [, sha256, digest, path] = /^(\S+) (\S+) (.*)$/s.exec(rest) ?? [];
  const found = parseValue(schema, { sha256, digest, path }, purpose);
  return {
    kind: 'ready',
    path: found.path,
    sha256: found.sha256 === '-' ? undefined : found.sha256,
    digest: found.digest === '-' ? undefined : found.digest,
  };
}
