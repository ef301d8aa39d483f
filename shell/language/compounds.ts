/**
 * Compound commands behind a nodeset word: `@web1 { a; b; }`, `@web1 ( … )`, `@web1 if …; fi`, `@web1 for …`, `@web1 [[ … ]]`. Bash's grammar has no word before a compound
 * command, so they are read in two goes: with blanks in place of the word, which says where the command ends and what is wrong in it, and then as
 * `@web1 eval '{ a; b; }'`, which means the same and is a simple command everywhere, also where bash itself reads it.
 */
import { forEachChild, parse, type ParsedScript, type SyntaxNode, type Word } from 'unbash';
import type { ByteText } from './byte-text.ts';
import { findHereDocs, pieceOf } from './here-docs.ts';
import { isNodesetWord } from './nsh-words.ts';

export interface CompoundPlace {
  /** The nodeset word. */
  readonly word: Word;
  /** Where the compound command begins. */
  readonly start: number;
}

export interface BlankedScript {
  /** As the text is with blanks in place of the words: positions are the text's own. */
  readonly tree: ParsedScript;
  readonly text: ByteText;
  readonly places: readonly CompoundPlace[];
}

/** What can only begin a compound command. */
const opening = /[ \t]+(?=\{\s|\(|(?:\[\[|if|for|while|until|case|select)[\s;&|(])/y;

/** More are taken for what they are not. */
const maxPlaces = 1000;

/** Cheap, and never wrong when it says no. */
function mayHaveCompounds(text: ByteText): boolean {
  return text.includes('@') && /@\S+[ \t]+(?:[{(]|\[\[|if|for|while|until|case|select)/.test(text);
}

export function blankCompounds(source: ByteText): BlankedScript {
  let text = source;
  let tree = parse(text);
  const places: CompoundPlace[] = [];
  if (!mayHaveCompounds(source)) return { tree, text, places };
  // One at a time: what stands behind it is read anew once it is known for what it is.
  for (let found = firstPlace(tree, text); found !== undefined && places.length < maxPlaces; ) {
    const { pos, end } = found.word;
    places.push(found);
    text = text.slice(0, pos) + ' '.repeat(end - pos) + text.slice(end);
    tree = parse(text);
    found = firstPlace(tree, text);
  }
  return { tree, text, places };
}

function firstPlace(root: SyntaxNode, text: ByteText): CompoundPlace | undefined {
  let first: CompoundPlace | undefined;
  const visit = (node: SyntaxNode): void => {
    // Positions in it are another text's (backquotes).
    if (node.type === 'Script' && node.source !== undefined) return;
    if (node.type === 'Command' && node.prefix.length === 0 && node.name !== undefined && isNodesetWord(node.name)) {
      const word = node.name;
      opening.lastIndex = word.end;
      const blanks = opening.exec(text)?.[0];
      const isFirst = first === undefined || word.pos < first.word.pos;
      if (blanks !== undefined && isFirst) first = { word, start: word.end + blanks.length };
    }
    forEachChild(node, visit);
  };
  visit(root);
  return first;
}

/** One that was written out: what stands there now, and what stood there. */
export interface WrittenCompound {
  readonly now: ByteText;
  readonly before: ByteText;
}

export interface WrittenScript {
  readonly text: ByteText;
  readonly written: readonly WrittenCompound[];
}

/** The script with `eval '…'` in their place, line for line; unchanged where the syntax is wrong. */
export function writeOutCompounds(source: ByteText, blanked = blankCompounds(source)): WrittenScript {
  const { tree, places, text } = blanked;
  if (places.length === 0 || tree.errors !== undefined) return { text: source, written: [] };
  const ends = compoundEnds(tree);
  const docs = source.includes('<<') ? findHereDocs(tree, text) : [];
  const written: WrittenCompound[] = [];
  let result = '';
  let at = 0;
  for (const { start } of places.toSorted((a, b) => a.start - b.start)) {
    const end = ends.get(start);
    // Those within others were written out with them.
    if (end === undefined || start < at) continue;
    // The newline that ends the line of a here-document's operator takes the place of the one behind its end.
    const before = pieceOf(source, docs, start, end).replace(/\n$/, '');
    const now = `eval '${writeOutCompounds(before).text.replaceAll("'", "'\\''")}'`;
    written.push({ now, before });
    result += source.slice(at, start) + now;
    at = end;
    // Here-documents of the command whose bodies stand behind it have moved into it.
    for (const doc of docs) {
      if (doc.operator < start || doc.operator >= end || doc.start < end) continue;
      result += source.slice(at, doc.start);
      at = doc.end;
    }
  }
  return { text: result + source.slice(at), written };
}

/** For people to see: as they wrote it. */
export function asWritten(text: ByteText, written: readonly WrittenCompound[]): ByteText {
  return written.reduce((shown, { now, before }) => shown.replace(now, () => before), text);
}

function compoundEnds(root: SyntaxNode): Map<number, number> {
  const ends = new Map<number, number>();
  const visit = (node: SyntaxNode): void => {
    if (isCompound(node) && !ends.has(node.pos)) ends.set(node.pos, node.end);
    forEachChild(node, visit);
  };
  visit(root);
  return ends;
}

const compoundTypes: ReadonlySet<SyntaxNode['type']> = new Set<SyntaxNode['type']>([
  'If',
  'For',
  'ArithmeticFor',
  'Select',
  'While',
  'Subshell',
  'BraceGroup',
  'Case',
  'TestCommand',
  'ArithmeticCommand',
]);

function isCompound({ type }: SyntaxNode): boolean {
  return compoundTypes.has(type);
}
