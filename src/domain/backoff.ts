/** Exponential delay with full jitter over its upper half: 1st try after about `firstMs`, never above `capMs`. */
export function backoffMs(
  tries: number,
  limits: { firstMs: number; capMs: number },
  random01: number,
): number {
  const full = Math.min(limits.capMs, limits.firstMs * 2 ** Math.min(tries, 30));
  return Math.round(full * (0.5 + random01 / 2));
}
