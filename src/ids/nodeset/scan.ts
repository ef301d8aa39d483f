/**
 * The scanner: cuts a nodeset into operands and operators, as ClusterShell reads it. No precedence: `,` `!` `&` `^` apply from left
 * to right. An operand is a pattern (`web[1-8]-eth0`, `@rack[1-2]`, `web*`) with its vector.
 */
import { nodesetError } from './nodeset-error.ts';
import { parseRangesWithin, RangeFault } from './ranges.ts';
import type { Vector } from './vectors.ts';

export type NodesetOperator = ',' | '!' | '&' | '^';

/** Literal parts around the numbers of a name: `web1-eth0` has `web`, `-eth`, and an empty last part. */
export type Pattern = readonly [string, ...string[]];

export interface Operand {
  readonly operator: NodesetOperator;
  readonly pattern: Pattern;
  readonly vector: Vector;
  /** Where it begins in the text. */
  readonly offset: number;
  readonly text: string;
}

/** @throws NshError `nodeset` */
export function scanNodeset(text: string): Operand[] {
  if (text.trim() === '') return [];
  const operands: Operand[] = [];
  let operator: NodesetOperator = ',';
  let offset = 0;
  for (;;) {
    const end = findOperator(text, offset);
    operands.push(scanOperand(text, offset, end, operator));
    const next = text[end];
    if (next === undefined) return operands;
    operator = next as NodesetOperator;
    offset = end + 1;
  }
}

/** Operators between brackets are the range's own; a bracket that is never closed is found by scanOperand. */
function findOperator(text: string, from: number): number {
  let inBracket = false;
  for (let at = from; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (character === '[') inBracket = true;
    else if (character === ']') inBracket = false;
    else if (!inBracket && ',!&^'.includes(character)) return at;
  }
  return text.length;
}

function scanOperand(text: string, from: number, to: number, operator: NodesetOperator): Operand {
  const raw = text.slice(from, to);
  const operand = raw.trim();
  const offset = from + raw.length - raw.trimStart().length;
  if (operand === '') {
    const sign = text[to] ?? operator;
    throw nodesetError(
      text,
      Math.min(offset, text.length),
      `a name is missing ${to < text.length ? 'before' : 'after'} '${sign}'`,
    );
  }
  return { operator, ...scanName(text, operand, offset), offset, text: operand };
}

/** Splits literal text, numbers and brackets. */
function scanName(text: string, operand: string, offset: number): { pattern: Pattern; vector: Vector } {
  const pattern: [string, ...string[]] = [''];
  const axes: ReadonlySet<string>[] = [];
  const addIndexes = (indexes: ReadonlySet<string>): void => {
    axes.push(indexes);
    pattern.push('');
  };
  // One token: digits with a bracket and further digits, digits alone, or other text.
  const token = /(?<before>\d*)\[(?<ranges>[^\]]*)\](?<after>\d*)|(?<digits>\d+)|(?<other>[^\d[\]]+)|(?<stray>[[\]])/gy;
  let closedAt = -1;
  for (const match of operand.matchAll(token)) {
    const at = offset + match.index;
    const { before, ranges, after, digits, other, stray } = match.groups ?? {};
    if (stray !== undefined) {
      throw nodesetError(text, at, stray === '[' ? "this '[' is never closed" : "this ']' closes nothing");
    }
    if (digits !== undefined) addIndexes(new Set([digits]));
    if (other !== undefined) pattern[pattern.length - 1] += other;
    if (ranges === undefined) continue;
    if (match.index === closedAt) {
      throw nodesetError(text, at, 'two brackets need something other than digits between them');
    }
    addIndexes(readRanges(text, at, before ?? '', ranges, after ?? ''));
    closedAt = match.index + match[0].length;
  }
  return { pattern, vector: axes };
}

function readRanges(text: string, at: number, before: string, ranges: string, after: string): ReadonlySet<string> {
  const nested = ranges.indexOf('[');
  if (nested >= 0) throw nodesetError(text, at + before.length + 1 + nested, "a '[' within brackets");
  try {
    return parseRangesWithin(before, ranges, after);
  } catch (error) {
    if (!(error instanceof RangeFault)) throw error;
    throw nodesetError(text, at + before.length + 1 + error.offset, error.message);
  }
}

/** A name as it stands, without operators and brackets. */
export function scanSingleName(name: string): { pattern: Pattern; vector: Vector } {
  const pieces = name.split(/(\d+)/);
  const [first = '', ...rest] = pieces.filter((_, index) => index % 2 === 0);
  const indexes = pieces.filter((_, index) => index % 2 === 1);
  return { pattern: [first, ...rest], vector: indexes.map((index) => new Set([index])) };
}

export function formatName(pattern: Pattern, indexes: readonly string[]): string {
  return pattern.map((part, place) => part + (indexes[place] ?? '')).join('');
}
