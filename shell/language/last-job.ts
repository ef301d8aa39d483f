/** `$!` in a text whose session has started a job: bash's own is empty, since another bash started it, and cannot be set. */
import { forEachChild, type SyntaxNode } from 'unbash';
import type { ByteText } from './byte-text.ts';
import { parseScript } from './script-tree.ts';

/** Writes the id in place of `$!` and `${!}`; not where the text itself starts something in the background. */
export function replaceLastJob(text: ByteText, id: number): ByteText {
  if (!text.includes('$!') && !text.includes('${!}')) return text;
  const places: (readonly [number, number])[] = [];
  let startsOwn = false;
  const visit = (node: SyntaxNode): void => {
    if (node.type === 'Statement' && node.background === true) startsOwn = true;
    if (node.type === 'Coproc') startsOwn = true;
    const isExpansion = node.type === 'SimpleExpansion' || node.type === 'ParameterExpansion';
    if (isExpansion && (node.text === '$!' || node.text === '${!}')) places.push([node.pos, node.end]);
    forEachChild(node, visit);
  };
  visit(parseScript(text));
  if (startsOwn) return text;
  let result = text;
  for (const [from, to] of places.sort(([a], [b]) => b - a)) {
    // Positions in decoded substitutions (backquotes) are not the text's.
    if (['$!', '${!}'].includes(result.slice(from, to))) result = `${result.slice(0, from)}${id}${result.slice(to)}`;
  }
  return result;
}
