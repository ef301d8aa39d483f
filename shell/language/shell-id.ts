/**
 * `$$` in a session of several bashes: each has a number of its own, and bash's cannot be set, so the session's is written out. Not behind `kill`: there the shell is
 * meant that runs at that moment, which gets the signal before the next command.
 */
import { type Command, forEachChild, type SyntaxNode } from 'unbash';
import type { ByteText } from './byte-text.ts';
import { parseScript } from './script-tree.ts';

export function writeShellId(text: ByteText, id: number): ByteText {
  if (!text.includes('$$') && !text.includes('${$}')) return text;
  const places: (readonly [from: number, to: number])[] = [];
  const visit = (node: SyntaxNode): void => {
    // Positions in it are another text's (backquotes).
    if (node.type === 'Script' && node.source !== undefined) return;
    if (node.type === 'Command' && node.name?.text === 'kill') return;
    const isExpansion = node.type === 'SimpleExpansion' || node.type === 'ParameterExpansion';
    if (isExpansion && (node.text === '$$' || node.text === '${$}')) places.push([node.pos, node.end]);
    if (node.type === 'Command') places.push(...laterPlaces(node));
    forEachChild(node, visit);
  };
  visit(parseScript(text));
  let result = text;
  let before = Number.POSITIVE_INFINITY;
  for (const [from, to] of places.sort(([a], [b]) => b - a)) {
    if (to > before) continue;
    result = result.slice(0, from) + result.slice(from, to).replaceAll(/\$\$|\$\{\$\}/g, String(id)) + result.slice(to);
    before = from;
  }
  return result;
}

/** Where quotes keep for later what this same shell will expand. */
function laterPlaces({ name, args }: Command): [number, number][] {
  if (name?.text !== 'trap' && name?.text !== 'eval') return [];
  return args
    .flatMap((word) => (word.type === 'Word' ? (word.parts ?? []) : []))
    .filter(({ type, text }) => type === 'SingleQuoted' && !/\bkill\b/.test(text))
    .map(({ pos, end }) => [pos, end]);
}
