/** Styles of what the parse tree has nodes for. Parents are painted before what is in them. */
import { type Command, forEachChild, type ParseError, type ParsedScript, type SyntaxNode, type Word } from 'unbash';
import { concernOf, isLiteralWord } from '../language/nsh-words.ts';
import type { HighlightLookup, HighlightStyle, Known } from './highlight-style.ts';
import type { Paint } from './paint.ts';

export interface Painted {
  /** Of the text and of what is substituted in it. */
  readonly errors: readonly ParseError[];
}

export function paintTree(tree: ParsedScript, text: string, paint: Paint, lookup: HighlightLookup): Painted {
  const errors: ParseError[] = [];
  const commands: Command[] = [];
  const functions = new Set<string>();
  // Deep nesting must not end in a full call stack.
  const open: SyntaxNode[] = [tree];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node.type === 'Script') {
      // Its positions are those of another text.
      if (node.source !== undefined) continue;
      errors.push(...(node.errors ?? []));
    }
    if (node.type === 'Command') commands.push(node);
    if (node.type === 'Function') functions.add(node.name.text);
    paintNode(node, text, paint);
    const children: SyntaxNode[] = [];
    forEachChild(node, (child) => {
      children.push(child);
    });
    for (const child of children.reverse()) open.push(child);
  }
  for (const command of commands) paintCommand(command, paint, lookup, functions);
  return { errors };
}

function paintNode(node: SyntaxNode, text: string, paint: Paint): void {
  switch (node.type) {
    case 'Word':
    case 'ArithmeticCommand':
      // A word of an expansion is the expansion's.
      return paint.addToBare(node.pos, node.end, 'plain');
    case 'Assignment':
      paint.addToBare(node.pos, node.end, 'plain');
      return paint.add(node.pos, node.pos + node.name.length + (node.append === true ? 2 : 1), 'assignment');
    case 'Function':
      return paint.add(node.name.pos, node.name.end, 'function');
    case 'SingleQuoted':
    case 'DoubleQuoted':
    case 'AnsiCQuoted':
    case 'LocaleString':
    case 'HereDocBody':
      return paint.add(node.pos, node.end, 'string');
    case 'SimpleExpansion':
    case 'ParameterExpansion':
    case 'ArithmeticExpansion':
    case 'BraceExpansion':
    case 'ExtendedGlob':
    case 'Glob':
      return paint.add(node.pos, node.end, 'expansion');
    case 'CommandExpansion':
    case 'ProcessSubstitution':
    case 'ArithmeticCommandExpansion':
      return paintSubstitution(node, text, paint);
    case 'Redirect':
    case 'HereString':
      return paint.add(node.pos, node.target?.pos ?? node.end, 'redirection');
    case 'HereDoc':
      paint.add(node.pos, node.end, 'redirection');
      if (node.closing !== undefined) paint.add(node.closing.pos, node.closing.end, 'redirection');
      return;
    default:
  }
}

type Substitution = Extract<
  SyntaxNode,
  { type: 'CommandExpansion' | 'ProcessSubstitution' | 'ArithmeticCommandExpansion' }
>;

/** What stands in it is a script of its own, laid bare for it; only its brackets are the expansion's. */
function paintSubstitution({ pos, end, script }: Substitution, text: string, paint: Paint): void {
  paint.add(pos, end, 'expansion');
  if (script === undefined || script.source !== undefined) return;
  const opening = text[pos] === '`' ? 1 : 2;
  const closing = end - pos > opening && /[)`}]/.test(text.charAt(end - 1)) ? 1 : 0;
  paint.add(pos + opening, end - closing, undefined);
}

function paintCommand(command: Command, paint: Paint, lookup: HighlightLookup, functions: ReadonlySet<string>): void {
  const { name } = command;
  if (name === undefined) return;
  const concern = concernOf(command, {
    ...lookup.around,
    isDefined: (word) => functions.has(word) || lookup.around.isDefined(word),
  });
  if (concern?.kind === 'builtin') return paint.add(name.pos, name.end, 'builtin');
  if (concern?.kind !== 'node') {
    const known = functions.has(name.text) ? 'known' : commandAt(name, undefined, lookup);
    return paintKnown(name, known, 'command', paint);
  }
  const nodeset = paintNodeset(name, paint, lookup);
  const far = command.args.find((word): word is Word => word.type === 'Word');
  if (far === undefined) return;
  if (lookup.around.builtins.has(far.text)) paint.add(far.pos, far.end, 'builtin');
  else paintKnown(far, functions.has(far.text) ? 'known' : commandAt(far, nodeset, lookup), 'command', paint);
}

/** @returns the nodeset. */
export function paintNodeset(word: Word, paint: Paint, lookup: HighlightLookup): string {
  const nodeset = word.text.slice(1);
  paintKnown(word, hasExpansion(word) ? 'unsure' : lookup.nodeset(nodeset), 'node', paint);
  return nodeset;
}

function commandAt(word: Word, nodeset: string | undefined, lookup: HighlightLookup): Known | undefined {
  return isLiteralWord(word) || word.text === '[' ? lookup.command(word.text, nodeset) : undefined;
}

/** Without an answer the word keeps the styles of its parts. */
function paintKnown(word: Word, known: Known | undefined, style: 'command' | 'node', paint: Paint): void {
  if (known === undefined) return;
  const painted: HighlightStyle = known === 'known' ? style : `${style}-${known}`;
  paint.add(word.pos, word.end, painted);
}

function hasExpansion(word: Word): boolean {
  return /[$`]/.test(word.text);
}
