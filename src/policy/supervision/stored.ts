/**
 * What the leader and the agents write into the store, as JSON texts that plain tools can read; and back, checked: another version of nsh, or a
 * hand, may have written it. Revisions are decimal texts, since JSON numbers end at 2^53. Maps are lists of pairs.
 */
import * as v from 'valibot';
import { NshError } from '../../protocol/errors.ts';
import type { End } from './end.ts';
import type { Member } from './group.ts';
import type { GroupReport, Order } from './order.ts';
import { parseGroupSpec, writeGroupSpec } from './parse-spec.ts';
import type { SlotRecord } from './plan-group.ts';
import type { RestartSum } from './restart-sum.ts';
import type { Together } from './together.ts';
import type { Drained, GroupEvent, GroupStatus, NodePresence, Wanted } from './wanted.ts';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const slot = v.pipe(v.number(), v.integer(), v.minValue(1));
const text = v.pipe(v.string(), v.maxLength(65_536));
/** Unix ms, as a Date can have it. */
const unixMs = v.pipe(v.number(), v.minValue(-8.64e15), v.maxValue(8.64e15));
const revision = v.pipe(
  v.string(),
  v.regex(/^\d{1,19}$/),
  v.transform((digits) => BigInt(digits)),
);
const pairs = <K extends v.GenericSchema, T extends v.GenericSchema>(key: K, value: T) =>
  v.pipe(
    v.array(v.tuple([key, value])),
    v.transform((entries) => new Map(entries)),
  );
const spec = v.pipe(
  v.unknown(),
  v.transform((written) => parseGroupSpec(written)),
);

const end: v.GenericSchema<unknown, End> = v.variant('kind', [
  v.object({ kind: v.literal('exited'), code: count, note: v.exactOptional(text) }),
  v.object({ kind: v.literal('signalled'), signal: text, note: v.exactOptional(text) }),
  v.object({ kind: v.literal('notReady'), afterMs: count }),
  v.object({ kind: v.literal('notStarted'), why: text }),
  v.object({ kind: v.literal('lost'), why: text, withMachine: v.exactOptional(v.literal(true)) }),
]);

const scope = v.picklist(['node', 'leader']);
const rests = v.exactOptional(v.picklist(['ended', 'held']));

const storedOrder = v.object({
  epoch: revision,
  round: count,
  scope,
  spec,
  versions: pairs(text, spec),
  slots: v.array(v.object({ slot, version: text, run: v.exactOptional(count), rests })),
});

export function writeOrder({ epoch, round, scope: who, spec: wanted, versions, slots }: Omit<Order, 'serial'>): string {
  return stringify({
    epoch,
    round,
    scope: who,
    spec: writeGroupSpec(wanted),
    versions: [...versions].map(([version, each]) => [version, writeGroupSpec(each)]),
    slots,
  });
}

/** @param serial modification revision of its key. @throws NshError `invalidMessage` */
export function readOrder(stored: string, group: string, serial: bigint): Order {
  return { group, serial, ...read(storedOrder, stored, `the order for ${group}`) };
}

const replicaReport = v.object({
  slot,
  run: count,
  version: text,
  phase: v.picklist(['down', 'waiting', 'starting', 'ready', 'unready', 'stopping', 'ended', 'held']),
  end: v.exactOptional(end),
  asked: v.exactOptional(v.boolean()),
  pid: v.exactOptional(count),
  sinceMs: v.exactOptional(unixMs),
});
const storedReport = v.object({
  epoch: revision,
  serial: revision,
  round: count,
  replicas: v.array(replicaReport),
  restarted: count,
  failed: v.exactOptional(text),
  leastEpoch: v.exactOptional(revision),
});

/** The group is in its key. */
export function writeReport({ group: _group, ...report }: GroupReport): string {
  return stringify(report);
}

/** @throws NshError `invalidMessage` */
export function readReport(stored: string, group: string): GroupReport {
  return { group, ...read(storedReport, stored, `a report on ${group}`) };
}

const storedRecords = pairs(slot, v.object({ version: text, rests, why: v.exactOptional(text) }));

export function writeRecords(records: ReadonlyMap<number, SlotRecord>): string {
  return stringify(records);
}

/** @throws NshError `invalidMessage` */
export function readRecords(stored: string): Map<number, SlotRecord> {
  return read(storedRecords, stored, 'the slots of a group');
}

const storedSum = v.object({ round: count, counted: pairs(count, count), restarts: v.array(v.number()) });

export function writeSum(sum: RestartSum): string {
  return stringify(sum);
}

/** @throws NshError `invalidMessage` */
export function readSum(stored: string): RestartSum {
  return read(storedSum, stored, 'the restarts of a group');
}

const member = v.object({
  wanted: v.exactOptional(text),
  version: v.exactOptional(text),
  phase: v.picklist(['down', 'starting', 'ready', 'unready', 'stopping', 'ended', 'held']),
  recycled: v.boolean(),
  replaces: v.boolean(),
  failures: count,
  notBeforeMs: v.number(),
  readySinceMs: v.exactOptional(v.number()),
  lastEnd: v.exactOptional(end),
});
const storedTogether = v.object({
  round: count,
  group: v.object({
    members: pairs(slot, member),
    restarts: v.array(v.number()),
    restarted: count,
    failed: v.exactOptional(text),
  }),
  versions: pairs(slot, text),
  runs: pairs(slot, v.object({ node: count, run: count })),
  stopping: pairs(slot, count),
  lastRuns: pairs(slot, count),
  moving: v.exactOptional(slot),
});

export function writeTogether(state: Together): string {
  return stringify(state);
}

/** @throws NshError `invalidMessage` */
export function readTogether(stored: string): Together {
  const { group, ...state } = read(storedTogether, stored, 'the supervisor of a group');
  const members = [...group.members].map(([each, known]): [number, Member] => [
    each,
    { ...known, wanted: known.wanted, version: known.version },
  ]);
  return { ...state, group: { ...group, members: new Map(members) } };
}

const storedWanted = v.object({
  spec,
  round: slot,
  restarts: count,
  rest: v.exactOptional(v.picklist(['stopped', 'removed'])),
  op: v.exactOptional(text),
});

export function writeWanted({ spec: wanted, ...rest }: Wanted): string {
  return stringify({ spec: writeGroupSpec(wanted), ...rest });
}

/** @throws NshError `invalidMessage` */
export function readWanted(stored: string, group: string): Wanted {
  return read(storedWanted, stored, `what is wanted of ${group}`);
}

const storedStatus = v.object({
  serial: revision,
  round: count,
  failed: v.exactOptional(text),
  halted: v.exactOptional(text),
  outdated: v.array(slot),
  waits: pairs(slot, text),
});

export function writeStatus(status: GroupStatus): string {
  return stringify(status);
}

/** @throws NshError `invalidMessage` */
export function readStatus(stored: string, group: string): GroupStatus {
  return read(storedStatus, stored, `the status of ${group}`);
}

const storedEvents = v.array(
  v.object({
    atMs: unixMs,
    slot: v.exactOptional(slot),
    run: v.exactOptional(count),
    kind: v.pipe(v.string(), v.regex(/^[a-z][a-zA-Z]{0,31}$/)),
    text: v.exactOptional(text),
  }),
);

export function writeEvents(events: readonly GroupEvent[]): string {
  return stringify(events);
}

/** @throws NshError `invalidMessage` */
export function readEvents(stored: string, group: string): GroupEvent[] {
  return read(storedEvents, stored, `the events of ${group}`);
}

const storedPresence = v.object({
  name: text,
  boot: text,
  fences: v.boolean(),
  memTotalBytes: count,
  memAvailableBytes: count,
  memoryLimit: v.picklist(['cgroup', 'rlimit']),
  labels: v.exactOptional(v.array(text)),
});

export function writePresence(presence: NodePresence): string {
  return stringify(presence);
}

/** @throws NshError `invalidMessage` */
export function readPresence(stored: string, node: number): NodePresence {
  return read(storedPresence, stored, `what node ${node} says of itself`);
}

const storedDrained = v.object({ atMs: unixMs, by: text });

export function writeDrained(drained: Drained): string {
  return stringify(drained);
}

/** @throws NshError `invalidMessage` */
export function readDrained(stored: string, node: number): Drained {
  return read(storedDrained, stored, `that node ${node} is drained`);
}

function stringify(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) =>
    typeof each === 'bigint' ? String(each) : each instanceof Map ? [...each] : each,
  );
}

function read<S extends v.GenericSchema>(schema: S, stored: string, what: string): v.InferOutput<S> {
  try {
    return v.parse(schema, JSON.parse(stored) as unknown);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new NshError('invalidMessage', `${what} in the store cannot be read: ${why}`, { cause: error });
  }
}
