/** Near matches for a word that nobody knows: `did you mean 'web1'?` */

/** Up to three candidates that are a slip of the hand away, none farther than the nearest. */
export function findNear(word: string, candidates: Iterable<string>): string[] {
  const lower = word.toLowerCase();
  const most = word.length <= 2 ? 1 : Math.min(3, Math.floor(word.length / 3) + 1);
  const near: { candidate: string; distance: number }[] = [];
  for (const candidate of new Set(candidates)) {
    if (Math.abs(candidate.length - word.length) > most) continue;
    const distance = editDistance(lower, candidate.toLowerCase());
    if (distance <= most && distance < word.length) near.push({ candidate, distance });
  }
  const nearest = Math.min(...near.map(({ distance }) => distance));
  const best = near.filter(({ distance }) => distance === nearest);
  return best.slice(0, 3).map(({ candidate }) => candidate);
}

/** `; did you mean 'web1' or 'web2'?`, or nothing. */
export function suggestNear(word: string, candidates: Iterable<string>): string {
  const near = findNear(word, candidates).map((candidate) => `'${candidate}'`);
  const last = near.pop();
  if (last === undefined) return '';
  return `; did you mean ${near.length > 0 ? `${near.join(', ')} or ${last}` : last}?`;
}

/**
 * Damerau-Levenshtein distance in its "optimal string alignment" form: letters put in, left out, changed, or swapped with
 * their neighbour.
 */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, at(beforeLast, j - 2) + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return at(last, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
