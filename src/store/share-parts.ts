/**
 * Tasks of one batch are alike: the same image, environment, hints, empty lists. Read back from the
 * store each has copies of its own; ten thousand of them take a third of the memory when they share.
 */

/** Longer texts are hardly ever the same, and looking for them costs. */
const TEXT_CHARS_MAX = 200;

/**
 * Gives a function that returns a value equal to its argument, made of parts that equal parts of
 * earlier ones are. Only for values of JSON that nobody changes.
 */
export function createPartSharing(): <T>(value: T) => T {
  const parts = new Map<string, unknown>();
  const one = (key: string, value: unknown): unknown => {
    if (key.length > TEXT_CHARS_MAX) return value;
    const known = parts.get(key);
    if (known !== undefined) return known;
    parts.set(key, value);
    return value;
  };
  const share = (value: unknown): unknown => {
    if (typeof value === 'string') return one(JSON.stringify(value), value);
    if (typeof value !== 'object' || value === null) return value;
    const shared: unknown = Array.isArray(value)
      ? value.map(share)
      : Object.fromEntries(Object.entries(value).map(([key, part]) => [key, share(part)]));
    return one(JSON.stringify(shared), shared);
  };
  return share as <T>(value: T) => T;
}
