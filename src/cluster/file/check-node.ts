/** One item of `nodes:` in a cluster file, which stands for one node, or for as many as its name is a nodeset of. */
import { maxNodeId, nodeId, type NodeId } from '../../ids/gpid.ts';
import { parseNodeset } from '../../ids/nodeset/index.ts';
import { quoteText } from '../../ids/quote-text.ts';
import { parseRanges, RangeFault } from '../../ids/nodeset/ranges.ts';
import { toNshError } from '../../protocol/errors.ts';
import { transports, type NodeSpec, type TransportName } from '../node-spec.ts';
import { Fields, type TextField } from './fields.ts';
import { resolvePath, type PathContext } from './file-paths.ts';
import type { Position, Problems } from './problems.ts';
import { describeTree, type Tree } from './tree.ts';

const nodeKeys = ['id', 'ids', 'name', 'host', 'port', 'user', 'identityFile', 'transport', 'labels'] as const;

export interface PlacedNode {
  readonly spec: NodeSpec;
  readonly nameAt: Position;
  readonly idAt: Position;
}

export function checkNode(tree: Tree, paths: PathContext, problems: Problems): PlacedNode[] {
  if (tree.kind !== 'map') {
    problems.add(tree.at, `a node must be a map such as {id: 1, name: web1}, not ${describeTree(tree)}`);
    return [];
  }
  const fields = new Fields(tree, nodeKeys, 'of a node', problems);
  const name = fields.word('name', 'a name or a nodeset such as web[01-16]');
  if (!fields.has('name')) problems.add(fields.at, 'this node has no name');
  const shared = readShared(fields, paths, problems);
  const labels = readLabels(fields, problems);
  const names = name === undefined ? [] : expandNames(name, problems);
  const ids = readIds(fields, names.length, problems);
  const hosts = readHosts(fields, names.length, problems);
  if (name === undefined || ids === undefined) return [];
  return names.flatMap((each, index) => {
    const id = ids.values[index];
    const host = hosts[index];
    if (id === undefined) return [];
    const spec = { id, name: each, ...(host === undefined ? {} : { host }), ...shared, labels };
    return [{ spec, nameAt: name.at, idAt: ids.at }];
  });
}

const nameForm = /^[A-Za-z][A-Za-z0-9_.-]*$/;

function expandNames(name: TextField, problems: Problems): string[] {
  const names = expandField(name, 'name', problems);
  for (const each of names) {
    const problem = findNameProblem(each);
    if (problem === undefined) continue;
    problems.add(name.at, problem);
    return [];
  }
  return names;
}

function findNameProblem(name: string): string | undefined {
  if (/^[0-9]/.test(name))
    return `the name ${quoteText(name)} begins with a digit; names begin with a letter, so that no id looks like one`;
  if (!nameForm.test(name))
    return `the name ${quoteText(name)} must begin with a letter and go on with letters, digits, '-', '_' and '.'`;
  if (name.length > 255) return `the name ${quoteText(name)} is longer than 255 characters`;
  if (name === 'localhost')
    return "'localhost' is always node 0, this machine; give the node another name and 'host: localhost'";
  return undefined;
}

function expandField(field: TextField, key: string, problems: Problems): string[] {
  try {
    const names = parseNodeset(field.text).names();
    if (names.length > 0) return names;
    problems.add(field.at, `${key} ${quoteText(field.text)} names no node`);
  } catch (error) {
    problems.add(field.at, `${key}: ${toNshError(error, 'nodeset').message}`);
  }
  return [];
}

interface Ids {
  readonly values: readonly NodeId[];
  readonly at: Position;
}

/** @param count how many names there are; 0 where they could not be read. */
function readIds(fields: Fields, count: number, problems: Problems): Ids | undefined {
  if (fields.has('id') && fields.has('ids')) {
    problems.add(fields.keyAt('ids'), "a node has either 'id' (counting up for a nodeset) or 'ids', not both");
    return undefined;
  }
  if (fields.has('ids')) return readIdList(fields, count, problems);
  if (!fields.has('id')) {
    problems.add(fields.at, `this node has no id; ids are 1 to ${maxNodeId}, given once and never reused`);
    return undefined;
  }
  const first = fields.integer('id', `a number from 1 to ${maxNodeId}`, 1, maxNodeId);
  if (first === undefined) return undefined;
  if (first.value + count - 1 > maxNodeId) {
    problems.add(
      first.at,
      `${count} ids from ${first.value} on end at ${first.value + count - 1}; ids end at ${maxNodeId}`,
    );
    return undefined;
  }
  return { values: Array.from({ length: count }, (_, index) => nodeId(first.value + index)), at: first.at };
}

function readIdList(fields: Fields, count: number, problems: Problems): Ids | undefined {
  const field = fields.word('ids', 'ids such as 1,3-16');
  if (field === undefined) return undefined;
  let values: number[];
  try {
    values = [...parseRanges(field.text)].map(Number);
  } catch (error) {
    if (!(error instanceof RangeFault)) throw error;
    problems.add(field.at, `ids: ${error.message}`);
    return undefined;
  }
  const bad = values.find((id) => id < 1 || id > maxNodeId);
  if (bad !== undefined) {
    problems.add(field.at, `ids must be numbers from 1 to ${maxNodeId}, not ${bad}`);
    return undefined;
  }
  if (values.some((id, index) => id <= (values[index - 1] ?? 0))) {
    problems.add(field.at, `ids must ascend, as the names do: ${quoteText(field.text)}`);
    return undefined;
  }
  if (count > 0 && values.length !== count) {
    problems.add(field.at, `${plural(values.length, 'id')} for ${plural(count, 'name')}: ${quoteText(field.text)}`);
    return undefined;
  }
  return { values: values.map(nodeId), at: field.at };
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}

/** Never an option of ssh, and one word. */
const hostForm = /^[^\s\u0000-\u001f\u007f-][^\s\u0000-\u001f\u007f]*$/;

/** One host for each name: `host: 10.0.0.[1-16]` beside `name: web[01-16]`. */
function readHosts(fields: Fields, count: number, problems: Problems): string[] {
  const host = fields.text('host', "a host's name or address", hostForm);
  if (host === undefined) return [];
  if (count === 1 && !/[[\]]/.test(host.text)) return [host.text];
  const hosts = expandField(host, 'host', problems);
  if (count > 0 && hosts.length > 0 && hosts.length !== count) {
    problems.add(host.at, `${plural(hosts.length, 'host')} for ${plural(count, 'name')}: ${quoteText(host.text)}`);
  }
  return hosts;
}

type Shared = Pick<NodeSpec, 'port' | 'user' | 'identityFile' | 'transport'>;

function readShared(fields: Fields, paths: PathContext, problems: Problems): Shared {
  const port = fields.integer('port', 'a number from 1 to 65535', 1, 65_535)?.value;
  const user = fields.text('user', 'a user name', hostForm)?.text;
  const identityFile = resolvePath(
    fields.text('identityFile', 'a path', /^[^\0\n]+$/),
    'identityFile',
    paths,
    problems,
  );
  const transport = fields.text('transport', `one of ${transports.join(', ')}`, transportForm)?.text as
    | TransportName
    | undefined;
  return {
    ...(port === undefined ? {} : { port }),
    ...(user === undefined ? {} : { user }),
    ...(identityFile === undefined ? {} : { identityFile }),
    ...(transport === undefined ? {} : { transport }),
  };
}

const transportForm = new RegExp(`^(?:${transports.join('|')})$`);
const labelForm = /^[A-Za-z0-9_.:=-]+$/;
/** `@all` is every node, `@any` leaves the choice to placement. */
const reservedLabels: ReadonlySet<string> = new Set(['all', 'any']);

function readLabels(fields: Fields, problems: Problems): string[] {
  const labels = new Set<string>();
  for (const item of fields.list('labels', 'a list of words such as [gpu, rack=3]')?.items ?? []) {
    const label = item.kind === 'scalar' && item.value !== null ? item.text : undefined;
    if (label === undefined) problems.add(item.at, `a label must be a word, not ${describeTree(item)}`);
    else if (!labelForm.test(label))
      problems.add(item.at, `the label ${quoteText(label)} may hold letters, digits and - _ . : = only`);
    else if (reservedLabels.has(label))
      problems.add(item.at, `the label '${label}' is reserved: @${label} has a meaning of its own`);
    else labels.add(label);
  }
  return [...labels];
}
