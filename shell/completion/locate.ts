/**
 * Where in the grammar the cursor is: which word of which command, or what else. A stand-in for what is about to be typed is put at the
 * cursor and the text up to there parsed; what is unfinished (`if x; then ca`) is closed as the parser's complaints say, so that the tree
 * has the place in it.
 */
import { parse, forEachChild, type SyntaxNode, type Word } from 'unbash';

export interface Place {
  /** Beginning of the word, and the cursor. */
  readonly start: number;
  readonly end: number;
  readonly role:
    | 'command'
    | 'argument'
    | 'redirection'
    /** A value: of an assignment, of a list to loop over, … */
    | 'value'
    | 'arithmetic';
  /** Words of the command before this one, unquoted. */
  readonly words: readonly string[];
}

/** No name can hold it: private use, and it is in the text for the time of parsing only. */
const standIn = '\ue000';
/** Longer texts are pasted ones, in which nobody completes. */
const maxLength = 65_536;
const maxRepairs = 12;

const closers: ReadonlyMap<string, string> = new Map([
  ['then', '\nthen :\n'],
  ['fi', '\nfi\n'],
  ['do', '\ndo :\n'],
  ['done', '\ndone\n'],
  ['esac', '\n;; esac\n'],
  ['}', '\n}\n'],
  [')', '\n)\n'],
  [']]', ' ]]\n'],
]);

export function locate(text: string, offset: number): Place | undefined {
  if (offset > maxLength || text.includes(standIn)) return undefined;
  return locateIn(text.slice(0, offset), 0);
}

/** @param base where `text` begins in the whole line. */
function locateIn(text: string, base: number): Place | undefined {
  const found = findPlace(text);
  if (found !== undefined) return { ...found, start: found.start + base, end: found.end + base };
  // Inside an unfinished $(…) or `…` within something unfinished: each beginning is tried, the innermost first.
  const openings = [...text.matchAll(/[$<>]\(|`/g)].map(({ index, 0: opening }) => index + opening.length).reverse();
  for (const from of openings.slice(0, maxRepairs)) {
    const inner = findPlace(text.slice(from));
    if (inner !== undefined) return { ...inner, start: inner.start + from + base, end: inner.end + from + base };
  }
  return undefined;
}

function findPlace(text: string): Place | undefined {
  let tail = '';
  for (let repair = 0; repair < maxRepairs; repair++) {
    const script = parse(text + standIn + tail);
    const complaints = script.errors?.map(({ message }) => message) ?? [];
    const isInArray = complaints.includes('unterminated extended glob') && !tail.startsWith(')');
    if (isInArray) {
      tail = `)${tail}`;
      continue;
    }
    const chain = chainTo(script, text.length);
    const place = describe(chain, text);
    if (place !== undefined) return place;
    const missing = complaints.flatMap((message) => closers.get(/^expected '(.+?)'/.exec(message)?.[1] ?? '') ?? []);
    if (missing[0] === undefined) return undefined;
    tail += missing[0];
  }
  return undefined;
}

/** Nodes from the root to the innermost one around the offset. */
function chainTo(root: SyntaxNode, offset: number): SyntaxNode[] {
  const chain: SyntaxNode[] = [];
  for (let node: SyntaxNode | undefined = root; node !== undefined; ) {
    chain.push(node);
    // Positions in an escaped backtick script are of another text.
    if (node.type === 'Script' && node.source !== undefined && node !== root) return [];
    let inner: SyntaxNode | undefined;
    forEachChild(node, (child) => {
      if (child.pos <= offset && offset < child.end) inner ??= child;
    });
    node = inner;
  }
  return chain;
}

function describe(chain: readonly SyntaxNode[], text: string): Place | undefined {
  const end = text.length;
  const at = chain.findLastIndex((node) => node.type === 'Word' || node.type === 'ArithmeticWord');
  const word = chain[at];
  if (word === undefined || chain.slice(at).some((node) => node.type === 'Script')) return undefined;
  const place = { start: word.pos, end };
  if (word.type === 'ArithmeticWord') return { ...place, role: 'arithmetic', words: [] };
  const parent = chain[at - 1];
  switch (parent?.type) {
    case 'Command': {
      if (parent.name?.pos === word.pos) return { ...place, role: 'command', words: [] };
      const args = parent.args.filter((arg): arg is Word => arg.type === 'Word' && arg.pos < word.pos);
      const name = parent.name === undefined ? [] : [parent.name.value];
      return { ...place, role: 'argument', words: [...name, ...args.map(({ value }) => value)] };
    }
    case 'Redirect':
      return { ...place, role: 'redirection', words: [] };
    case 'Function':
    case 'Coproc':
      return undefined;
    default:
      return { ...place, role: 'value', words: [] };
  }
}
