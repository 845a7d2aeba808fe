/**
 * The log: JSON lines on stderr, for the journal. Secrets are taken out by field name, and by value
 * (secrets.ts) from the line as it is written, whatever brought them there.
 */
import { type DestinationStream, type Logger, pino } from 'pino';
import { withoutSecrets } from './secrets.ts';

export type { Logger } from 'pino';

const SECRET_FIELDS = [
  'password',
  'passphrase',
  'privateKey',
  'secret',
  'token',
  'authorization',
  'env',
];

/** Makes the daemon's log. `level` is one of pino's. */
export function createLog(
  level: string,
  to: DestinationStream = pino.destination({ fd: 2, sync: true }),
): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: {
        paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]),
        censor: '[redacted]',
      },
      hooks: { streamWrite: withoutSecrets },
    },
    to,
  );
}
