/** What a runtime says when a pull fails, as errors of ours. The texts are those of Apptainer 1.4 and its libraries. */
import { AppError, type ErrorCode } from '../domain/failure.ts';

/** The first that matches decides: causes that also appear inside other errors come first. */
const TABLE: readonly (readonly [RegExp, ErrorCode])[] = [
  [/no space left on device|towline: not enough space|disk quota exceeded/i, 'HOST_NO_SPACE'],
  [/toomanyrequests|too many requests|\b429\b/i, 'IMAGE_RATE_LIMITED'],
  [
    /towline: not a whole SIF|digest (did not|does not) match|digest mismatch|error verifying/i,
    'IMAGE_CORRUPT',
  ],
  [
    /manifest unknown|MANIFEST_UNKNOWN|name unknown|NAME_UNKNOWN|repository name not known/,
    'IMAGE_MANIFEST_UNKNOWN',
  ],
  [/image not found|requested manifest .*not found|\b404\b.*not found/i, 'IMAGE_MANIFEST_UNKNOWN'],
  [
    /no library client|invalid reference format|unsupported transport type/i,
    'IMAGE_REFERENCE_INVALID',
  ],
  [
    /unauthorized|authentication required|access to the resource is denied|\b40[13]\b|\bdenied:|DENIED/i,
    'IMAGE_UNAUTHORIZED',
  ],
  [
    /no such host|connection refused|no route to host|network is unreachable/i,
    'IMAGE_REGISTRY_UNREACHABLE',
  ],
  [
    /i\/o timeout|TLS handshake timeout|deadline exceeded|connection reset|unexpected EOF/i,
    'IMAGE_REGISTRY_UNREACHABLE',
  ],
  [/server gave HTTP response to HTTPS client|x509:/i, 'IMAGE_REGISTRY_UNREACHABLE'],
  [/\b50[0-4]\b/, 'IMAGE_REGISTRY_FAILED'],
];

const QUOTED_LENGTH = 600;

/** Names the failure of a pull from what the runtime said; the last lines are kept in the message. */
export function classifyPull(output: string, context: { host: string; image: string }): AppError {
  const code = TABLE.find(([pattern]) => pattern.test(output))?.[1] ?? 'IMAGE_PULL_FAILED';
  const said = output
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^(INFO|DEBUG|WARNING|towline: pulling)/.test(line))
    .map((line) => line.replace(/^FATAL:\s*/, '').trim())
    .join('\n');
  const reason = (said === '' ? output.trim() : said).slice(-QUOTED_LENGTH);
  const { host, image } = context;
  const after = /retry-after["':=\s]+(\d{1,6})/i.exec(output)?.[1];
  const asked = after === undefined ? {} : { retryAfterS: Number(after) };
  return new AppError(code, `pulling ${image} on ${host}: ${reason}`, {
    context: { host, image, ...asked },
  });
}
