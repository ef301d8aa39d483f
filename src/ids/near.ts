/** Near matches for a word that nobody knows: `did you mean 'web1'?` */
import { quoteText } from './quote-text.ts';

const maxShown = 3;

/** Up to three candidates that are a slip of the hand away, none farther than the nearest; else those that begin with the word. */
export function findNear(word: string, candidates: Iterable<string>): string[] {
  const lower = word.toLowerCase();
  const known = [...new Set(candidates)];
  const near = known
    .map((candidate) => ({ candidate, distance: slipDistance(lower, candidate.toLowerCase()) }))
    .filter(({ distance }) => distance < Number.POSITIVE_INFINITY);
  const nearest = Math.min(...near.map(({ distance }) => distance));
  const best = near.filter(({ distance }) => distance === nearest).map(({ candidate }) => candidate);
  if (best.length > 0) return best.slice(0, maxShown);
  const begun = lower === '' ? [] : known.filter((candidate) => candidate.toLowerCase().startsWith(lower));
  return begun.length > maxShown ? [] : begun;
}

/**
 * `; did you mean 'web1' or 'web2'?`, or nothing.
 * @param show how a candidate is written where it is typed, `--on` for `on`
 */
export function suggestNear(
  word: string,
  candidates: Iterable<string>,
  show: (candidate: string) => string = (candidate) => candidate,
): string {
  return askWhether(findNear(word, candidates).map(show));
}

/** The same for words that were found in another way. */
export function askWhether(words: readonly string[]): string {
  const quoted = words.map(quoteText);
  const last = quoted.pop();
  if (last === undefined) return '';
  return `; did you mean ${quoted.length > 0 ? `${quoted.join(', ')} or ${last}` : last}?`;
}

/** One slip for every three letters; in one or two letters nothing may be wrong but their order, or that one is left out. */
function slipDistance(word: string, candidate: string): number {
  const most = Math.min(3, Math.max(1, Math.floor(word.length / 3)));
  if (word === '' || Math.abs(candidate.length - word.length) > most) return Number.POSITIVE_INFINITY;
  if (word.length <= 2 && (word.length === 1 || !Array.from(word).every((letter) => candidate.includes(letter))))
    return word === candidate ? 0 : Number.POSITIVE_INFINITY;
  const distance = editDistance(word, candidate);
  return distance <= most ? distance : Number.POSITIVE_INFINITY;
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
