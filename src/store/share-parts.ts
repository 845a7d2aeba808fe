/**
 * Tasks of one batch are alike: the same image, environment, hints, empty lists. Read back from the
 * store each has copies of its own; ten thousand of them take a third of the memory when they share.
 */

/** Longer texts are hardly ever the same, and looking for them costs. */
const KEY_CHARS_MAX = 200;

/** A value, and a text that only equal values have; absent when it would be long. */
interface Part {
  value: unknown;
  key: string | undefined;
}

/**
 * Gives a function that returns a value equal to its argument, made of parts that equal parts of
 * earlier ones are. Only for values of JSON that nobody changes.
 */
export function createPartSharing(): <T>(value: T) => T {
  const parts = new Map<string, unknown>();

  function shared(value: unknown, key: string | undefined): Part {
    if (key === undefined || key.length > KEY_CHARS_MAX) return { value, key: undefined };
    const known = parts.get(key);
    if (known !== undefined) return { value: known, key };
    parts.set(key, value);
    return { value, key };
  }

  function partOf(value: unknown): Part {
    if (typeof value === 'string') {
      return shared(value, value.length < KEY_CHARS_MAX ? JSON.stringify(value) : undefined);
    }
    if (typeof value !== 'object' || value === null) return { value, key: String(value) };
    if (Array.isArray(value)) {
      const items = value.map(partOf);
      return shared(
        items.map((item) => item.value),
        keyOf('[', items),
      );
    }
    const names = Object.keys(value);
    const fields = Object.values(value).map(partOf);
    const whole = Object.fromEntries(names.map((name, index) => [name, fields[index]?.value]));
    return shared(whole, keyOf(`{${names.map((name) => JSON.stringify(name)).join()}:`, fields));
  }

  return <T>(value: T): T => partOf(value).value as T;
}

function keyOf(begin: string, parts: readonly Part[]): string | undefined {
  let key = begin;
  for (const part of parts) {
    if (part.key === undefined || key.length > KEY_CHARS_MAX) return undefined;
    key += `${part.key},`;
  }
  return key;
}
