/**
 * From text to nodeset: operands evaluated from left to right, `@label` and wildcards through a resolver that the caller
 * brings, since only it knows the cluster.
 */
import { maxNames, nodesetError, tooManyNames } from './nodeset-error.ts';
import { quoteText } from '../quote-text.ts';
import { Nodeset } from './nodeset.ts';
import { scanNodeset, type NodesetOperator, type Operand, type Pattern } from './scan.ts';
import { vectorSize } from './vectors.ts';

/** Names of the nodes with a label; `all` means every node. Undefined: no node has that label. */
export type LabelResolver = (label: string) => readonly string[] | undefined;

export interface ParseNodesetOptions {
  /** Without one, `@label` is an error and `*` an ordinary character. */
  readonly labels?: LabelResolver;
  /**
   * Turns each name of an operand into the node's own (an id into its name), before operators apply.
   * May throw where there is no such node.
   */
  readonly rename?: (name: string) => string;
  /** Words after the message for a label that nobody has: `; did you mean '@gpu'?` */
  readonly explainLabel?: (label: string) => string;
}

/** @throws NshError `nodeset`, naming the column and what is wrong there. */
export function parseNodeset(text: string, options: ParseNodesetOptions = {}): Nodeset {
  let result = Nodeset.empty;
  let added: Nodeset[] = [];
  const addAll = (): void => {
    result = Nodeset.unionOf([result, ...added]);
    added = [];
  };
  for (const operand of scanNodeset(text)) {
    if (vectorSize(operand.vector) > maxNames) throw tooManyNames(text, operand.offset);
    const names = evaluateOperand(text, operand, options);
    if (operand.operator === ',') {
      added.push(names);
    } else {
      addAll();
      result = operations[operand.operator](result, names);
    }
  }
  addAll();
  if (result.count > maxNames) throw tooManyNames(text, 0);
  return result;
}

const operations: Readonly<Record<Exclude<NodesetOperator, ','>, (left: Nodeset, right: Nodeset) => Nodeset>> = {
  '!': (left, right) => left.subtract(right),
  '&': (left, right) => left.intersect(right),
  '^': (left, right) => left.xor(right),
};

function evaluateOperand(text: string, operand: Operand, options: ParseNodesetOptions): Nodeset {
  const literal = Nodeset.ofVector(operand.pattern, operand.vector);
  const [start] = operand.pattern;
  if (start.startsWith('@')) return resolveLabels(text, operand, literal, options);
  if (options.labels !== undefined && hasWildcard(operand.pattern)) return matchNames(literal, options.labels);
  const { rename } = options;
  return rename === undefined ? literal : Nodeset.ofNames(literal.names().map((name) => rename(name)));
}

function resolveLabels(text: string, operand: Operand, literal: Nodeset, options: ParseNodesetOptions): Nodeset {
  const names = literal.names().flatMap((word) => {
    const label = word === '@*' ? 'all' : word.slice(1);
    const found = options.labels?.(label);
    if (found !== undefined) return found;
    const hint = options.explainLabel?.(label) ?? '';
    throw nodesetError(
      text,
      operand.offset,
      label === '' ? "a label is missing after '@'" : `no node has the label ${quoteText(label)}${hint}`,
    );
  });
  return Nodeset.ofNames(names);
}

function hasWildcard(pattern: Pattern): boolean {
  return pattern.some((part) => /[*?]/.test(part));
}

/** Names of the cluster that match; `*` and `?` as in file names. */
function matchNames(masks: Nodeset, labels: LabelResolver): Nodeset {
  const tests = masks.names().map(
    (mask) =>
      new RegExp(
        `^${mask
          .replace(/[\\^$.|+(){}]/g, '\\$&')
          .replaceAll('?', '.')
          .replace(/\*+/g, '.*')}$`,
        's',
      ),
  );
  const all = labels('all') ?? [];
  return Nodeset.ofNames(all.filter((name) => tests.some((test) => test.test(name))));
}
