/**
 * Acts soon after it was asked to, one act at a time: many askings are one act, and what is asked
 * while one is under way is one more after it. An act that failed is asked for again after a while.
 */
export function whenAsked(
  act: () => Promise<void>,
  failed: (error: unknown) => void,
  againAfterMs: number,
): () => void {
  let asked = false;
  let acting = false;

  async function actWhileAsked(): Promise<void> {
    acting = true;
    try {
      while (asked) {
        asked = false;
        await act();
      }
    } catch (error) {
      asked = false;
      failed(error);
      setTimeout(ask, againAfterMs).unref();
    } finally {
      acting = false;
    }
  }

  function ask(): void {
    if (asked) return;
    asked = true;
    setImmediate(() => {
      if (!acting) void actWhileAsked();
    });
  }

  return ask;
}
