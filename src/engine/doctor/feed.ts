/** Values pushed from one side and awaited on the other, in order. */

export interface Feed<T> extends AsyncIterable<T> {
  push: (value: T) => void;
  end: () => void;
  fail: (error: unknown) => void;
}

/** Keeps what nobody has taken yet; few values are expected. */
export function createFeed<T>(): Feed<T> {
  const values: T[] = [];
  let over: { error?: unknown } | undefined;
  let wake = (): void => {};
  const finish = (how: { error?: unknown }): void => {
    over ??= how;
    wake();
  };
  return {
    push(value) {
      values.push(value);
      wake();
    },
    end: () => finish({}),
    fail: (error) => finish({ error }),
    async *[Symbol.asyncIterator]() {
      for (;;) {
        while (values.length > 0) yield values.shift() as T;
        if (over !== undefined) {
          if ('error' in over) throw over.error;
          return;
        }
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}
