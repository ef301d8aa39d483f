/**
 * The cluster of record: the nodes and labels that agents act on, in the store, so that what they do does not depend on whose cluster file
 * was read last. Changed only by `nsh cluster apply`, compared with what it has shown; how a node is reached stays each client's own matter
 * (hosts, ports and keys differ with where one stands), so that it is not in it.
 */
import * as v from 'valibot';
import { maxNodeId } from '../ids/gpid.ts';
import { quoteText } from '../ids/quote-text.ts';
import { NshError } from '../protocol/errors.ts';
import type { CallOptions, Compare, Entry, Op, Store } from '../store/store.ts';

export const recordKey = 'cluster/nodes';

export interface RecordedNode {
  /** 0: the machine that is a cluster by itself. */
  readonly id: number;
  readonly name: string;
  readonly labels: readonly string[];
}

export interface ClusterRecord {
  /** By id. */
  readonly nodes: readonly RecordedNode[];
  /** Who wrote it, USER@NODE, and when, Unix ms. */
  readonly by: string;
  readonly atMs: number;
}

/** As it was read; revision 0n: there is none yet. */
export interface SeenRecord {
  readonly record?: ClusterRecord;
  readonly revision: bigint;
}

const word = v.pipe(v.string(), v.minLength(1), v.maxLength(255), v.regex(/^[^\p{Cc}\p{Surrogate}]*$/u));
const schema = v.object({
  nodes: v.array(
    v.object({
      id: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(maxNodeId)),
      name: word,
      labels: v.array(word),
    }),
  ),
  by: word,
  atMs: v.number(),
});

/** @throws NshError `invalidMessage` for what no version known here has written. */
export function parseRecord(stored: Uint8Array): ClusterRecord {
  try {
    return v.parse(schema, JSON.parse(Buffer.from(stored).toString('utf8')) as unknown);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new NshError('invalidMessage', `the cluster of record at ${quoteText(recordKey)} cannot be read: ${why}`, {
      cause,
    });
  }
}

export function seenRecord(entry: Entry | undefined): SeenRecord {
  if (entry === undefined) return { revision: 0n };
  return { record: parseRecord(entry.value), revision: entry.modRevision };
}

/** @throws NshError as `Store.get`; `invalidMessage` */
export async function readRecord(store: Store, options?: CallOptions): Promise<SeenRecord> {
  return seenRecord((await store.get(recordKey, options)).entry);
}

/** That nobody has changed it since it was seen, and what to put: for transactions of their own or with other things in them. */
export function recordChange(
  seen: SeenRecord,
  nodes: readonly RecordedNode[],
  { by, atMs }: Pick<ClusterRecord, 'by' | 'atMs'>,
): { readonly compare: Compare; readonly put: Op } {
  const record: ClusterRecord = { nodes: toRecorded(nodes), by, atMs };
  return {
    compare: { key: recordKey, on: 'mod', to: seen.revision },
    put: { op: 'put', key: recordKey, value: Buffer.from(JSON.stringify(record)) },
  };
}

/** Ids, names and labels alone, each in its order. */
export function toRecorded(nodes: readonly RecordedNode[]): RecordedNode[] {
  return nodes
    .map(({ id, name, labels }) => ({ id, name, labels: [...new Set(labels)].sort() }))
    .sort((a, b) => a.id - b.id);
}

/** How a node differs. `was` absent: it is new; `is` absent: it is gone. */
export interface NodeDifference {
  readonly id: number;
  readonly was?: RecordedNode;
  readonly is?: RecordedNode;
}

/** By id. The order of labels makes no difference. */
export function compareNodes(was: readonly RecordedNode[], is: readonly RecordedNode[]): NodeDifference[] {
  const before = new Map(toRecorded(was).map((node) => [node.id, node]));
  const after = new Map(toRecorded(is).map((node) => [node.id, node]));
  const ids = [...new Set([...before.keys(), ...after.keys()])].sort((a, b) => a - b);
  return ids.flatMap((id): NodeDifference[] => {
    const [old, now] = [before.get(id), after.get(id)];
    if (JSON.stringify(old) === JSON.stringify(now)) return [];
    return [{ id, ...(old === undefined ? {} : { was: old }), ...(now === undefined ? {} : { is: now }) }];
  });
}
