/**
 * The candidate nearest to a mistyped word, or undefined when none is near: at most two edits, and
 * fewer than half of the letters changed. A swap of two neighbours is one edit.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const typed = normalise(word);
  const limit = Math.min(2, Math.ceil(typed.length / 2) - 1);
  let best: { name: string; distance: number } | undefined;
  for (const name of candidates) {
    const distance = editDistance(typed, normalise(name));
    if (distance <= limit && distance < (best?.distance ?? Infinity)) best = { name, distance };
  }
  return best?.name;
}

/** ` Did you mean "x"?` as the tail of a message, or nothing. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const name = nearest(word, candidates);
  return name === undefined ? '' : `; did you mean "${name}"?`;
}

/** Case and the choice between - and _ are not what people mistype: they cost nothing. */
function normalise(word: string): string {
  return word.slice(0, 64).toLowerCase().replaceAll('-', '_');
}

/** Damerau-Levenshtein distance (optimal string alignment). */
function editDistance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  const at = (i: number, j: number): number => rows[i]?.[j] ?? Infinity;
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    rows.push(row);
    for (let j = 1; j <= b.length; j += 1) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(
        at(i - 1, j) + 1,
        at(i, j - 1) + 1,
        at(i - 1, j - 1) + change,
        swapped ? at(i - 2, j - 2) + 1 : Infinity,
      );
    }
  }
  return at(a.length, b.length);
}
