/**
 * Values that must not be told: passphrases, passwords, one-time codes. Whoever learns one says so here,
 * and the log takes it out of every line, whichever field or foreign message it came in.
 */

/** One-time codes come and go: the last ones are known. */
const KNOWN_MAX = 256;
/** What is shorter stands in ordinary words too, and is no secret worth the name. */
const LENGTH_MIN = 4;
const CENSOR = '[redacted]';

/** A secret, and the forms in which it could be found in a line. */
const known = new Map<string, string[]>();

/** From now on the value is taken out of the log. */
export function keepSecret(value: string): void {
  if (value.length < LENGTH_MIN) return;
  known.delete(value);
  known.set(value, formsOf(value));
  for (const [oldest] of known) {
    if (known.size <= KNOWN_MAX) break;
    known.delete(oldest);
  }
}

/** The text without any secret, in whatever form. */
export function withoutSecrets(text: string): string {
  let clean = text;
  for (const forms of known.values()) {
    for (const form of forms) clean = clean.replaceAll(form, CENSOR);
  }
  return clean;
}

function formsOf(value: string): string[] {
  const bytes = Buffer.from(value);
  const unpadded = (text: string): string => text.replace(/=+$/, '');
  const inJson = JSON.stringify(value).slice(1, -1);
  const forms = [
    value,
    inJson,
    JSON.stringify(inJson).slice(1, -1),
    encodeURIComponent(value.toWellFormed()),
    unpadded(bytes.toString('base64')),
    unpadded(bytes.toString('base64url')),
    bytes.toString('hex'),
  ];
  return [...new Set(forms)].toSorted((a, b) => b.length - a.length);
}
