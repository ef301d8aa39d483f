/**
 * The gate of a barrier: which members have passed, and what follows from those who stand before it. Pure; barrier.ts carries it out.
 * Its record keeps everyone who has passed and whose claim is still there, since a member that is slow must find out, also when the
 * next ones have passed meanwhile.
 */
import * as v from 'valibot';
import { NshError } from '../protocol/errors.ts';
import { describePlace } from './errors.ts';
import type { Place } from './keys.ts';
import type { QueuedClaim } from './queue.ts';

export interface Passage {
  /** 1 for the first `size` members that passed together, and so on; from 1 again after nobody was there any more. */
  readonly generation: number;
  /** In the order in which they came, from 0. */
  readonly index: number;
}

export interface Gate {
  readonly generation: number;
  readonly passed: ReadonlyMap<string, Passage>;
}

const schema = v.object({
  generation: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  passed: v.array(v.tuple([v.string(), v.number(), v.number()])),
});

export function readGate(place: Place, value: Uint8Array | undefined): Gate {
  if (value === undefined) return { generation: 0, passed: new Map() };
  try {
    const { generation, passed } = v.parse(schema, JSON.parse(Buffer.from(value).toString('utf8')));
    return { generation, passed: new Map(passed.map(([id, at, index]) => [id, { generation: at, index }])) };
  } catch (cause) {
    throw new NshError('invalidMessage', `what the store has of ${describePlace(place)} cannot be read`, { cause });
  }
}

export function encodeGate({ generation, passed }: Gate): Uint8Array {
  const list = [...passed].map(([id, passage]) => [id, passage.generation, passage.index]);
  return Buffer.from(JSON.stringify({ generation, passed: list }));
}

/** Those who have not passed yet, first come first. */
export function waitingAt(gate: Gate, queue: readonly QueuedClaim[]): readonly QueuedClaim[] {
  return queue.filter(({ id }) => !gate.passed.has(id));
}

/** The gate after the first `size` of those who wait have passed together; undefined while there are fewer. */
export function openGate(gate: Gate, queue: readonly QueuedClaim[], size: number): Gate | undefined {
  const waiting = waitingAt(gate, queue);
  if (waiting.length < size) return undefined;
  const generation = gate.generation + 1;
  const there = new Set<string>(queue.map(({ id }) => id));
  const earlier = [...gate.passed].filter(([id]) => there.has(id));
  const now = waiting.slice(0, size).map(({ id }, index) => [id, { generation, index }] as const);
  return { generation, passed: new Map([...earlier, ...now]) };
}
