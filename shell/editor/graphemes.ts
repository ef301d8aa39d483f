/**
 * Where user-perceived characters begin and end. Positions are UTF-16 offsets. Only a window around the position is segmented, so a
 * step costs the same in a text of any length (Intl.Segmenter takes time that grows with the square of what it is given).
 */
let segmenter: Intl.Segmenter | undefined;
/** No cluster that a person types is longer; a longer one is stepped through in pieces. */
const window = 128;
const pieceLength = 512;

/** The first boundary after `at`; the text's end at its end. */
export function nextBoundary(text: string, at: number): number {
  if (at >= text.length) return text.length;
  if (isPlain(text.charCodeAt(at)) && (at + 1 >= text.length || isPlain(text.charCodeAt(at + 1)))) return at + 1;
  for (const { segment } of segmentsOf(text.slice(at, at + window))) return at + segment.length;
  return at + 1;
}

/** The last boundary before `at`; 0 at the beginning. */
export function previousBoundary(text: string, at: number): number {
  if (at <= 1) return 0;
  if (isPlain(text.charCodeAt(at - 1))) return at - 1;
  const start = safeStart(text, at);
  let last = start;
  for (const { index } of segmentsOf(text.slice(start, at))) last = start + index;
  return last;
}

/** `count` boundaries on, or back where it is negative. */
export function moveByGraphemes(text: string, at: number, count: number): number {
  let position = at;
  for (let left = count; left > 0 && position < text.length; left--) position = nextBoundary(text, position);
  for (let left = count; left < 0 && position > 0; left++) position = previousBoundary(text, position);
  return position;
}

/** The nearest boundary at or before `at`: for offsets that come from elsewhere. */
export function floorBoundary(text: string, at: number): number {
  if (at <= 0) return 0;
  if (at >= text.length) return text.length;
  const before = previousBoundary(text, at);
  return nextBoundary(text, before) <= at ? at : before;
}

/** Clusters from a boundary on, as far as the caller reads. Plain text is not segmented at all, other text in pieces. */
export function* clustersFrom(text: string, start: number): Generator<string, void, undefined> {
  let at = start;
  while (at < text.length) {
    if (isPlainPair(text, at)) {
      yield text.charAt(at);
      at++;
      continue;
    }
    const end = pieceEnd(text, at);
    const piece = text.slice(at, end);
    let used = 0;
    for (const { segment, index } of segmentsOf(piece)) {
      // The piece's last cluster may go on behind it; one that fills the piece is cut.
      if (end < text.length && index > 0 && index + segment.length === piece.length) break;
      used = index + segment.length;
      yield segment;
    }
    at += used;
  }
}

/** A plain character that nothing behind it joins. */
function isPlainPair(text: string, at: number): boolean {
  return isPlain(text.charCodeAt(at)) && (at + 1 >= text.length || isPlain(text.charCodeAt(at + 1)));
}

/** Up to the next plain text, and one character of it. */
function pieceEnd(text: string, start: number): number {
  const most = Math.min(text.length, start + pieceLength);
  let end = start + 1;
  while (end < most && !isPlainPair(text, end)) end++;
  return Math.min(most, end + 1);
}

/** Printable ASCII or newline: never joined to what stands before it, nor to what follows if that is plain too. */
export function isPlain(code: number): boolean {
  return (code >= 0x20 && code < 0x7f) || code === 0x0a;
}

/** Somewhere before `at` where a cluster certainly begins: a plain character, if there is one near. */
function safeStart(text: string, at: number): number {
  for (let index = at - 1; index > 0 && index > at - window; index--) {
    if (isPlain(text.charCodeAt(index))) return index;
  }
  const start = Math.max(0, at - window);
  return isLowSurrogate(text.charCodeAt(start)) && start > 0 ? start - 1 : start;
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff;
}

/** Its tables take longer to load than the rest of the editor, and plain text needs none. */
function segmentsOf(text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter('und', { granularity: 'grapheme' });
  return segmenter.segment(text);
}
