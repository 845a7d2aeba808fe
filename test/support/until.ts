/** Waits for a condition instead of for a time. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: () => string = () => 'the condition',
  limitMs = 30_000,
): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not met within ${limitMs} ms: ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
