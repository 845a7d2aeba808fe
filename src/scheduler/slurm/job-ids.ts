/** Ids of Slurm's jobs: `12`, an element of an array `12_3`, and the folded form of elements that wait, `12_[0-2,7%4]`. */

/** True when the id that a list shows, perhaps folded, covers the one asked for. */
export function covers(listed: string, id: string): boolean {
  if (listed === id) return true;
  const folded = /^(\d+)_\[([^\]%]*)(?:%\d+)?\]$/.exec(listed);
  const element = /^(\d+)_(\d+)$/.exec(id);
  if (folded === null || element === null || folded[1] !== element[1]) return false;
  const index = Number(element[2]);
  return (folded[2] ?? '').split(',').some((range) => isIn(range, index));
}

/** The number of the job, without the element. */
export function baseOf(id: string): string {
  return id.replace(/_.*$/, '');
}

/** `3`, `0-9` or `0-9:3`. */
function isIn(range: string, index: number): boolean {
  const parts = /^(\d+)(?:-(\d+))?(?::(\d+))?$/.exec(range);
  if (parts === null) return false;
  const from = Number(parts[1]);
  const to = parts[2] === undefined ? from : Number(parts[2]);
  const step = parts[3] === undefined ? 1 : Number(parts[3]);
  return index >= from && index <= to && (index - from) % step === 0;
}
