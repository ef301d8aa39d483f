/**
 * Pieces of a script with the here-documents that belong to them: the body of `cat <<E; @web1 ls` stands behind the whole line, yet goes with `cat`.
 */
import { forEachChild, type HereDoc, type SyntaxNode } from 'unbash';
import type { ByteText } from './byte-text.ts';

export interface HereDocPlace {
  /** Of the `<<`. */
  readonly operator: number;
  /** From the first line of the body to behind the closing line and its newline. */
  readonly start: number;
  readonly end: number;
  readonly isClosed: boolean;
}

/** Every here-document of the tree, nested ones too, in the order of their bodies. */
export function findHereDocs(root: SyntaxNode, source: ByteText): HereDocPlace[] {
  const places: HereDocPlace[] = [];
  const visit = (node: SyntaxNode): void => {
    if (node.type === 'HereDoc') places.push(placeOf(node, source));
    forEachChild(node, visit);
  };
  visit(root);
  return places.sort((a, b) => a.start - b.start);
}

function placeOf({ pos, body, closing }: HereDoc, source: ByteText): HereDocPlace {
  const end = closing?.end ?? source.length;
  return {
    operator: pos,
    start: body.pos,
    end: source[end] === '\n' ? end + 1 : end,
    isClosed: closing !== undefined,
  };
}

/** The text of `[from, to)` with its own here-documents and no others'. */
export function pieceOf(source: ByteText, docs: readonly HereDocPlace[], from: number, to: number): ByteText {
  let text = '';
  let at = from;
  for (const doc of docs) {
    const isOwn = doc.operator >= from && doc.operator < to;
    if (isOwn || doc.start < from || doc.start >= to) continue;
    text += source.slice(at, doc.start);
    at = Math.max(at, Math.min(doc.end, to));
  }
  text += source.slice(at, to);
  const outside = docs.filter((doc) => doc.operator >= from && doc.operator < to && doc.start >= to);
  if (outside.length === 0) return text;
  const bodies = outside.map((doc) => source.slice(doc.start, doc.end)).join('');
  return `${text}\n${bodies}`;
}
