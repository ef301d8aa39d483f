/** The parse tree of a script, and where its syntax is wrong. */
import { parse, type ParsedScript } from 'unbash';
import type { ByteText } from './byte-text.ts';
import { blankCompounds, type WrittenCompound, writeOutCompounds } from './compounds.ts';
import { findHereDocs } from './here-docs.ts';

export type ScriptTree = ParsedScript;

export interface SyntaxFault {
  readonly message: string;
  /** Byte of the script. */
  readonly position: number;
}

/** As nsh runs it: line for line the source, but for compound commands behind a nodeset word (compounds.ts). */
export interface ReadScript {
  readonly text: ByteText;
  /** Of the text. */
  readonly tree: ScriptTree;
  readonly written: readonly WrittenCompound[];
  /** Its position is one of the source. */
  readonly fault: SyntaxFault | undefined;
}

export function readScript(source: ByteText): ReadScript {
  const blanked = blankCompounds(source);
  const fault = faultOf(blanked.tree);
  if (blanked.places.length === 0 || fault !== undefined)
    return { text: source, tree: blanked.tree, written: [], fault };
  const { text, written } = writeOutCompounds(source, blanked);
  return { text, tree: parse(text), written, fault };
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
  const { tree, text } = blankCompounds(source);
  const { errors } = tree;
  if (errors === undefined) return hasOpenHereDoc(tree, text);
  const end = source.trimEnd().length;
  if (errors.some(({ message }) => message.startsWith('unexpected'))) return false;
  return errors.some(({ message, pos }) => message.startsWith('unterminated') || pos >= end);
}

function hasOpenHereDoc(tree: ScriptTree, source: ByteText): boolean {
  return source.includes('<<') && findHereDocs(tree, source).some(({ isClosed }) => !isClosed);
}
