/** What the host that has an image must tell of it before its bytes go to another host. */
import { z } from 'zod';
import { AppError } from '../domain/failure.ts';
import { quote } from './quote.ts';
import { REMOTE_FORMAT } from './records.ts';
import { parseValue, replyInvalid, splitReply } from './reply.ts';
import { setupLines } from './task-script.ts';

/** The record beside an image: what we must know of it, and whatever else a pull has written there. */
const recordSchema = z.looseObject({
  format: z.literal(REMOTE_FORMAT),
  reference: z.string(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.int().nonnegative(),
});
export type ImageRecord = z.infer<typeof recordSchema>;

const countSchema = z
  .string()
  .regex(/^\s*\d+$/, 'not a number')
  .transform(Number);

/** Gives the text that tells size and record of an image. */
export function imageFileText(path: string): string {
  return [
    `f=${quote(path)}`,
    'if [ -f "$f" ] && [ -r "$f" ]; then',
    "  record=''",
    '  [ -r "${f%.sif}.json" ] && read -r record <"${f%.sif}.json"',
    '  echo "@ bytes $(wc -c <"$f")"',
    '  [ -z "$record" ] || printf \'%s\\n\' "@ record $record"',
    'fi',
    "echo '@ done'",
  ].join('\n');
}

/**
 * Reads it. Without a record that fits the file its hash is not known.
 * @throws IMAGE_NOT_FOUND HOST_REPLY_INVALID
 */
export function parseImageFile(
  output: string,
  query: { host: string; image: string },
): { bytes: number; record?: ImageRecord | undefined } {
  const { host, image } = query;
  const purpose = `looking at image ${image} on ${host}`;
  const { lines, noise } = splitReply(output);
  if (lines.at(-1)?.verb !== 'done') throw replyInvalid(purpose, 'the reply is cut', noise);
  const said = (verb: string): string | undefined => lines.find((l) => l.verb === verb)?.rest;
  const size = said('bytes');
  if (size === undefined) {
    const text = `${purpose}: it cannot be read there`;
    throw new AppError('IMAGE_NOT_FOUND', text, { context: { host, image } });
  }
  const bytes = parseValue(countSchema, size, purpose);
  const record = recordOf(said('record'));
  return { bytes, record: record?.bytes === bytes ? record : undefined };
}

function recordOf(text: string | undefined): ImageRecord | undefined {
  try {
    return recordSchema.safeParse(JSON.parse(text ?? '')).data;
  } catch {
    return undefined;
  }
}

/** Gives the text that asks for a runtime and leaves nothing on the machine, not even a root. */
export function hasRuntimeText(plan: { runtime: string; setup?: string | undefined }): string {
  const look = `command -v ${quote(plan.runtime)} >/dev/null 2>&1`;
  return [...setupLines(plan.setup), `if ${look}; then echo '@ yes'; else echo '@ no'; fi`].join(
    '\n',
  );
}
