/** The parse tree of a script, and where its syntax is wrong. */
import { parse, type ParsedScript } from 'unbash';
import type { ByteText } from './byte-text.ts';
import { findHereDocs } from './here-docs.ts';

export type ScriptTree = ParsedScript;

export interface SyntaxFault {
  readonly message: string;
  /** Byte of the script. */
  readonly position: number;
}

export function parseScript(source: ByteText): ScriptTree {
  return parse(source);
}

/** The first fault, or undefined. */
export function faultOf(tree: ScriptTree): SyntaxFault | undefined {
  const [first] = (tree.errors ?? []).toSorted((a, b) => a.pos - b.pos);
  return first === undefined ? undefined : { message: first.message, position: first.pos };
}

/** More lines could make it whole: a quote, a here-document, a compound command or a list is open. */
export function isUnfinished(source: ByteText): boolean {
  if (/(?:^|[^\\])(?:\\\\)*\\\n?$/.test(source)) return true;
  const tree = parse(source);
  const { errors } = tree;
  if (errors === undefined) return hasOpenHereDoc(tree, source);
  const end = source.trimEnd().length;
  if (errors.some(({ message }) => message.startsWith('unexpected'))) return false;
  return errors.some(({ message, pos }) => message.startsWith('unterminated') || pos >= end);
}

function hasOpenHereDoc(tree: ScriptTree, source: ByteText): boolean {
  return source.includes('<<') && findHereDocs(tree, source).some(({ isClosed }) => !isClosed);
}
