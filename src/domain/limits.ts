/** Bounds that several rooms keep. Those of requests stand in protocol/limits.ts; docs/limits.md has all. */

/** A directory of a host is not listed beyond this: it would have to be held in memory. */
export const LIST_ENTRIES_MAX = 100_000;
