/** OpenSSH's patterns: `*` stands for any characters, `?` for one. Pure. */

/** Linear with one step back, so that no pattern takes long. */
export function matchesWildcards(pattern: string, text: string): boolean {
  let at = 0;
  let star = -1;
  let resume = 0;
  let index = 0;
  while (index < text.length) {
    const wanted = pattern[at];
    if (wanted === '*') {
      star = at;
      resume = index;
      at += 1;
    } else if (wanted === '?' || wanted === text[index]) {
      at += 1;
      index += 1;
    } else if (star !== -1) {
      resume += 1;
      index = resume;
      at = star + 1;
    } else {
      return false;
    }
  }
  while (pattern[at] === '*') at += 1;
  return at === pattern.length;
}

/** A list of patterns: one that fits is enough, but a negated one that fits (`!name`) beats all others. */
export function matchesPatterns(patterns: readonly string[], text: string): boolean {
  let positive = false;
  for (const part of patterns) {
    const negated = part.startsWith('!');
    const pattern = negated ? part.slice(1) : part;
    if (pattern === '' || !matchesWildcards(pattern, text)) continue;
    if (negated) return false;
    positive = true;
  }
  return positive;
}
