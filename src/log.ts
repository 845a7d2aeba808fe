/** The log: JSON lines on stderr, for the journal. Secrets are redacted by field name before anything is written. */
import { type Logger, pino } from 'pino';

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
export function createLog(level: string): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: {
        paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`]),
        censor: '[redacted]',
      },
    },
    pino.destination({ fd: 2, sync: true }),
  );
}
