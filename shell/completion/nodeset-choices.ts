/** Nodes, groups and ranges that a nodeset can go on with: `we` → web1 …, `web[1-` → web[1-2] …, `db1,@g` → @gpu. Pure. */
import { foldNames, parseNodeset } from '../../src/ids/nodeset/index.ts';
import type { KnownNode } from './sources.ts';
import type { Choice } from './types.ts';

export interface NodesetChoices {
  /** So many characters of what is typed stay: the operands before. */
  readonly skip: number;
  readonly choices: readonly Choice[];
}

/** @param form `at`: behind a pipeline's `@`, where `all` and `any` are words; `bare`: an argument, where `@all` is a group. */
export function nodesetChoices(typed: string, nodes: readonly KnownNode[], form: 'at' | 'bare'): NodesetChoices {
  const skip = operandStart(typed);
  const operand = typed.slice(skip);
  const bracket = operand.lastIndexOf('[');
  if (bracket > operand.lastIndexOf(']'))
    return { skip, choices: rangeChoices(operand.slice(0, bracket), operand.slice(bracket + 1), nodes) };
  return { skip, choices: operandChoices(operand, nodes, form, skip === 0) };
}

/** Behind the last operator that is in no brackets. */
function operandStart(typed: string): number {
  let depth = 0;
  let start = 0;
  for (const [at, character] of Array.from(typed).entries()) {
    if (character === '[') depth++;
    else if (character === ']') depth--;
    else if (depth === 0 && ',!&^'.includes(character)) start = at + 1;
  }
  return start;
}

function operandChoices(
  operand: string,
  nodes: readonly KnownNode[],
  form: 'at' | 'bare',
  isFirst: boolean,
): readonly Choice[] {
  const names = nodes.map(({ name, id, labels }) => ({ value: name, description: describeNode(id, labels) }));
  const labels = [...new Set(nodes.flatMap((node) => node.labels))].sort();
  const groups = labels.map((label) => ({ value: `@${label}`, description: membersOf(label, nodes) }));
  const every = { value: form === 'at' ? 'all' : '@all', description: 'every node of the cluster' };
  const any = { value: 'any', description: 'the least loaded node' };
  const words = form === 'at' && isFirst ? [every, any] : form === 'bare' ? [every] : [];
  // Of many the whole series is what is looked for.
  const series = folded(operand, nodes);
  const members = nodes.length > maxFewNodes ? [...series, ...names] : [...names, ...series];
  return [...members, ...words, ...groups];
}

function describeNode(id: number, labels: readonly string[]): string {
  return id === 0 ? 'this machine' : `node ${id}${labels.length > 0 ? `, ${labels.join(',')}` : ''}`;
}

const maxFewNodes = 16;
const maxMembersLength = 60;

function membersOf(label: string, nodes: readonly KnownNode[]): string {
  const members = foldNames(nodes.filter((node) => node.labels.includes(label)).map(({ name }) => name));
  return members.length <= maxMembersLength ? members : `${members.slice(0, maxMembersLength)}…`;
}

/** All nodes of a series in one: `web[1-8]`. */
function folded(operand: string, nodes: readonly KnownNode[]): Choice[] {
  const series = new Map<string, string[]>();
  for (const { name } of nodes) {
    const stem = name.replace(/\d+$/, '');
    if (stem !== name && stem.startsWith(operand)) series.set(stem, [...(series.get(stem) ?? []), name]);
  }
  return [...series.values()]
    .filter((names) => names.length > 1)
    .map((names) => ({ value: foldNames(names), description: `${names.length} nodes` }));
}

/** Inside brackets: a first index, or the end of a range. */
function rangeChoices(stem: string, inside: string, nodes: readonly KnownNode[]): Choice[] {
  const indexes = nodes.flatMap(({ name }) => {
    const index = name.startsWith(stem) ? name.slice(stem.length) : '';
    return /^\d+$/.test(index) ? [index] : [];
  });
  const comma = inside.lastIndexOf(',') + 1;
  const [before, current] = [inside.slice(0, comma), inside.slice(comma)];
  const head = `${stem}[${before}`;
  const range = /^(?<from>\d+)-\d*$/.exec(current)?.groups?.['from'];
  if (range !== undefined) {
    const ends = indexes.filter((index) => Number(index) > Number(range));
    return ends.map((end) => ({ value: `${head}${range}-${end}]` }));
  }
  const used = new Set(before === '' ? [] : expand(`${head.slice(0, -1)}]`));
  const whole = inside === '' && indexes.length > 1 ? [foldNames(indexes.map((index) => stem + index))] : [];
  const single = indexes.filter((index) => !used.has(stem + index));
  return [
    ...whole.map((value) => ({ value, description: `${indexes.length} nodes` })),
    ...single.map((index) => ({ value: `${head}${index}`, open: true })),
  ];
}

function expand(text: string): string[] {
  try {
    return parseNodeset(text).names();
  } catch {
    return []; // Not a nodeset yet: nothing is left out.
  }
}
