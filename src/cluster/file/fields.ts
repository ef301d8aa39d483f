/** Fields of one map in a cluster file: known keys, types and forms, each fault told with its place. */
import { suggestNear } from '../../ids/near.ts';
import { quoteText } from '../../ids/quote-text.ts';
import type { Position, Problems } from './problems.ts';
import { describeTree, type Tree, type TreeEntry, type TreeList, type TreeMap, type TreeScalar } from './tree.ts';

export interface TextField {
  readonly text: string;
  readonly at: Position;
}

export class Fields {
  readonly at: Position;
  readonly #entries: ReadonlyMap<string, TreeEntry>;
  readonly #problems: Problems;

  /** Keys that are not among `known` become problems. */
  constructor(map: TreeMap, known: readonly string[], where: string, problems: Problems) {
    this.at = map.at;
    this.#problems = problems;
    for (const { key, keyAt } of map.entries) {
      if (known.includes(key)) continue;
      const hint = suggestNear(key, known) || `; known are ${known.join(', ')}`;
      problems.add(keyAt, `unknown key ${quoteText(key)} ${where}${hint}`);
    }
    this.#entries = new Map(map.entries.map((entry) => [entry.key, entry]));
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  keyAt(key: string): Position {
    return this.#entries.get(key)?.keyAt ?? this.at;
  }

  /** As it is, whatever it is. */
  tree(key: string): Tree | undefined {
    return this.#entries.get(key)?.value;
  }

  /** Text that `form` accepts; `expected` says in a message what that is. */
  text(key: string, expected: string, form: RegExp): TextField | undefined {
    const scalar = this.#scalar(key, expected);
    if (scalar === undefined) return undefined;
    if (typeof scalar.value !== 'string') {
      this.#problems.add(scalar.at, `${key} must be ${expected}, not ${describeTree(scalar)}${quotesHelp(scalar)}`);
      return undefined;
    }
    if (!form.test(scalar.value)) {
      this.#problems.add(scalar.at, `${key} must be ${expected}, not ${quoteText(scalar.value)}`);
      return undefined;
    }
    return { text: scalar.value, at: scalar.at };
  }

  /** The text as written where it is a number or a text: `ids: 5` and `ids: 1,3-16`. */
  word(key: string, expected: string): TextField | undefined {
    const scalar = this.#scalar(key, expected);
    if (scalar === undefined) return undefined;
    if (typeof scalar.value === 'boolean' || scalar.value === null) {
      this.#problems.add(scalar.at, `${key} must be ${expected}, not ${describeTree(scalar)}`);
      return undefined;
    }
    return { text: typeof scalar.value === 'string' ? scalar.value : scalar.text, at: scalar.at };
  }

  integer(key: string, expected: string, min: number, max: number): { value: number; at: Position } | undefined {
    const scalar = this.#scalar(key, expected);
    if (scalar === undefined) return undefined;
    const { value, at } = scalar;
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return { value, at };
    const found = typeof value === 'string' ? `the text ${quoteText(value)}` : describeTree(scalar);
    this.#problems.add(at, `${key} must be ${expected}, not ${found.replace(/^the number /, '')}`);
    return undefined;
  }

  list(key: string, expected: string): TreeList | undefined {
    const value = this.#entries.get(key)?.value;
    if (value === undefined || value.kind === 'list') return value;
    this.#problems.add(value.at, `${key} must be ${expected}, not ${describeTree(value)}`);
    return undefined;
  }

  #scalar(key: string, expected: string): TreeScalar | undefined {
    const value = this.#entries.get(key)?.value;
    if (value === undefined || value.kind === 'scalar') return value;
    this.#problems.add(value.at, `${key} must be ${expected}, not ${describeTree(value)}`);
    return undefined;
  }
}

function quotesHelp(scalar: TreeScalar): string {
  return scalar.value === null ? '' : `; write it in quotes: "${scalar.text}"`;
}
