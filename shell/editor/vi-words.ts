/** vi's words: letters, digits and `_`; other signs; and in the large form (W B E) all that is not white space. */
import { nextBoundary, previousBoundary } from './graphemes.ts';
import { isBlank, isWordCharacter } from './words.ts';

type Kind = 'blank' | 'word' | 'sign';

export function nextWordStart(text: string, from: number, isLarge: boolean): number {
  let at = from;
  const kind = kindAt(text, at, isLarge);
  if (kind !== 'blank') at = skip(text, at, (here) => here === kind, isLarge);
  return skip(text, at, (here) => here === 'blank', isLarge);
}

export function previousWordStart(text: string, from: number, isLarge: boolean): number {
  let at = from;
  while (at > 0 && kindAt(text, at - 1, isLarge) === 'blank') at--;
  if (at === 0) return 0;
  const kind = kindAt(text, previousBoundary(text, at), isLarge);
  while (at > 0) {
    const before = previousBoundary(text, at);
    if (kindAt(text, before, isLarge) !== kind) break;
    at = before;
  }
  return at;
}

/** On the last character of this word, or of the next where it stands there already. */
export function wordEnd(text: string, from: number, isLarge: boolean): number {
  const at = skip(text, nextBoundary(text, from), (here) => here === 'blank', isLarge);
  if (at >= text.length) return Math.max(from, previousBoundary(text, text.length));
  const kind = kindAt(text, at, isLarge);
  return previousBoundary(
    text,
    skip(text, at, (here) => here === kind, isLarge),
  );
}

function skip(text: string, from: number, matches: (kind: Kind) => boolean, isLarge: boolean): number {
  let at = from;
  while (at < text.length && matches(kindAt(text, at, isLarge))) at = nextBoundary(text, at);
  return at;
}

function kindAt(text: string, at: number, isLarge: boolean): Kind {
  if (isBlank(text, at)) return 'blank';
  return isLarge || text[at] === '_' || isWordCharacter(text, at) ? 'word' : 'sign';
}
