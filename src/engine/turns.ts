/** One act per key at a time, in the order asked; acts of other keys go on meanwhile. */
export type Turns<K> = <T>(key: K, act: () => Promise<T>) => Promise<T>;

export function createTurns<K>(): Turns<K> {
  const last = new Map<K, Promise<unknown>>();
  return <T>(key: K, act: () => Promise<T>): Promise<T> => {
    const result = (last.get(key) ?? Promise.resolve()).then(act, act);
    const settled = result.catch(() => {});
    last.set(key, settled);
    void settled.then(() => {
      if (last.get(key) === settled) last.delete(key);
    });
    return result;
  };
}
