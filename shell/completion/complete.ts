/**
 * Completion of a line: what the cursor stands at (locate, decide), who is asked (offers), and what goes into the line. Results grow as
 * nodes answer; one that is slow brings nothing. Whoever loses interest aborts.
 */
import { escapeText } from '../escape.ts';
import { builtinOf, decide } from './decide.ts';
import { locate, type Place } from './locate.ts';
import { commonPrefix, eachOnce, matchPrefix, maxChoices } from './match.ts';
import { mergeGrowing } from './merge-growing.ts';
import { offerFor, variableChoices, type Offer } from './offers.ts';
import { closingQuote } from './quote.ts';
import { scanWord, type ScannedWord } from './scan-word.ts';
import type { CompletionSources } from './sources.ts';
import { insertText, targetAfter, type InsertStyle, type Target } from './target.ts';
import type { Choice, Completion, CompletionItem, Decision } from './types.ts';

/** When no node is waited for any more. */
const deadlineMs = 2_500;
const maxDescription = 200;

/**
 * @param text the line, all lines of it. @param offset the cursor, in UTF-16 units.
 * Yields at least once unless aborted; the last one is `done`.
 */
export async function* complete(
  text: string,
  offset: number,
  sources: CompletionSources,
  signal: AbortSignal,
): AsyncGenerator<Completion, void, undefined> {
  const place = locate(text, offset);
  if (place === undefined) {
    yield { start: offset, end: offset, items: [], common: undefined, done: true };
    return;
  }
  const word = scanWord(text.slice(place.start, offset));
  const variable = completeVariable(place, word, text, sources);
  if (variable !== undefined) {
    yield variable;
    return;
  }
  const values = valuesOf(word, sources);
  if (values === undefined) {
    yield { start: offset, end: offset, items: [], common: undefined, done: true };
    return;
  }
  const typed = values.join('');
  const decision = await decideAt(place, typed, sources);
  if (signal.aborted) return;
  const next = text.slice(offset, offset + 1);
  yield* offerAll({ place, word, values, decision, sources, signal, typed, next });
}

async function decideAt({ role, words }: Place, typed: string, sources: CompletionSources): Promise<Decision> {
  if (role === 'arithmetic') return { wants: [{ kind: 'variable' }], skip: 0 };
  if (role === 'redirection') return { wants: [{ kind: 'path', only: 'any' }], skip: 0 };
  // PATH=/bin:/usr
  if (role === 'value') return { wants: [{ kind: 'path', only: 'any' }], skip: typed.lastIndexOf(':') + 1 };
  const builtin = builtinOf(words);
  const shape = builtin === undefined ? undefined : await sources.shape(builtin);
  return decide({ words, typed }, (name) => (name === builtin ? shape : undefined));
}

/** What each unit of the word stands for; undefined where only running it can tell. */
function valuesOf({ units }: ScannedWord, sources: CompletionSources): string[] | undefined {
  const variables = new Map(sources.variables().map(({ name, value }) => [name, value]));
  const values = units.map(({ kind, text }) =>
    kind === 'text' ? text : kind === 'variable' ? variables.get(text) : undefined,
  );
  return values.every((value) => value !== undefined) ? values : undefined;
}

function completeVariable(
  { start, end }: Place,
  { variable, quoting }: ScannedWord,
  text: string,
  sources: CompletionSources,
): Completion | undefined {
  if (variable === undefined) return undefined;
  const from = start + variable.nameStart;
  const suffix = variable.braces ? '}' : '';
  const target: Target = { start: from, from: quoting, to: quoting };
  const choices = matchPrefix(variableChoices(sources), text.slice(from, end)).map((choice) => ({
    ...choice,
    value: choice.value + suffix,
    open: true,
  }));
  return completion({ target, end, typed: text.slice(from, end), next: '' }, [{ style: 'raw', choices }], true);
}

interface Asked {
  readonly place: Place;
  readonly word: ScannedWord;
  readonly values: readonly string[];
  readonly typed: string;
  /** The character behind the cursor. */
  readonly next: string;
  readonly decision: Decision;
  readonly sources: CompletionSources;
  readonly signal: AbortSignal;
}

async function* offerAll(asked: Asked): AsyncGenerator<Completion, void, undefined> {
  const { place, word, values, typed, decision, sources, signal } = asked;
  const [first] = word.units;
  const hasTilde = first?.text === '~' && first.quoting === 'none' && !first.escaped && decision.skip === 0;
  const context = { sources, where: decision.where, signal: withDeadline(signal), hasTilde };
  const offers = decision.wants.map((want) => offerFor(want, typed.slice(decision.skip), context));
  // All wants of a place replace the same part of the line; where they do not, the first decides.
  const skip = offers[0]?.skip ?? 0;
  const target = targetAfter(word, place.start, values, decision.skip + skip);
  const fitting = offers.filter((offer) => offer.skip === skip);
  const replaced = { target, end: place.end, typed: typed.slice(decision.skip + skip), next: asked.next };
  for await (const { latest, done } of mergeGrowing(fitting.map(asIterable), context.signal)) {
    if (signal.aborted) return;
    const parts = fitting.map(({ style }, index) => ({ style, choices: latest[index] ?? [] }));
    yield completion(replaced, parts, done);
  }
}

function withDeadline(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
}

async function* atOnce(choices: readonly Choice[]): AsyncIterable<readonly Choice[]> {
  yield choices;
}

function asIterable({ choices }: Offer): AsyncIterable<readonly Choice[]> {
  return Symbol.asyncIterator in choices ? choices : atOnce(choices);
}

interface Part {
  readonly style: InsertStyle;
  readonly choices: readonly Choice[];
}

/** What an item takes the place of. */
interface Replaced {
  readonly target: Target;
  readonly end: number;
  /** Unquoted. */
  readonly typed: string;
  /** The character behind the cursor: a blank or closing quotes that are there are not inserted again. */
  readonly next: string;
}

function completion(replaced: Replaced, parts: readonly Part[], done: boolean): Completion {
  const { target, end, typed } = replaced;
  const items: CompletionItem[] = [];
  const values: string[] = [];
  for (const { style, choices } of parts) {
    for (const choice of eachOnce(choices).slice(0, maxChoices - items.length)) {
      // Bytes that are no UTF-8 cannot be typed back.
      if (choice.value.includes('\ufffd')) continue;
      items.push(toItem(choice, replaced, style));
      values.push(choice.value);
    }
  }
  const shared = values.length > 1 ? commonPrefix(values) : '';
  // A process that was found by its command line has nothing in common with what is typed.
  const isLonger = shared !== typed && shared.toLowerCase().startsWith(typed.toLowerCase());
  const common = isLonger ? insertText(shared, target, parts[0]?.style ?? 'quoted', false) : undefined;
  return { start: target.start, end, items, common, done };
}

function toItem(choice: Choice, { target, next }: Replaced, style: InsertStyle): CompletionItem {
  const { value, description, open = false } = choice;
  const isClosed = next !== '' && next === closingQuote(target.to);
  return {
    insert: insertText(value, target, style, !open && !isClosed),
    append: open || isClosed || /^\s$/.test(next) ? '' : ' ',
    display: escapeText(value),
    ...(description === undefined ? {} : { description: escapeText(description.slice(0, maxDescription)) }),
  };
}
