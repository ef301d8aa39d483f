/**
 * The restarts of a whole group while its nodes restart by themselves: each node keeps to the intensity for what it has, the leader for the
 * sum. It learns of restarts after they were made, so that over several nodes there may be a few more than the intensity before all stops: at
 * most what the nodes decide between their reports and the order to stop. Pure; what it keeps goes into the store, with Unix times, so that
 * the next leader counts nothing twice.
 */
import { describeEnd } from './end.ts';
import { replicaName } from './identity.ts';
import { describeIntensity, isTooIntense, restartsWithin } from './intensity.ts';
import type { GroupReport } from './order.ts';
import type { GroupSpec } from './spec.ts';

export interface RestartSum {
  readonly round: number;
  /** Node id → restarts that it had reported. */
  readonly counted: ReadonlyMap<number, number>;
  /** Times at which the leader learnt of those that still count, ms. */
  readonly restarts: readonly number[];
}

export function emptySum(round: number): RestartSum {
  return { round, counted: new Map(), restarts: [] };
}

/** @returns `failed`: why the group is to be stopped. */
export function sumRestarts(
  before: RestartSum,
  reports: ReadonlyMap<number, GroupReport>,
  spec: GroupSpec,
  nowMs: number,
): { readonly sum: RestartSum; readonly failed?: string } {
  const counted = new Map(before.counted);
  const added: number[] = [];
  for (const [node, { round, restarted }] of reports) {
    if (round !== before.round) continue;
    const known = counted.get(node) ?? 0;
    // A new agent begins at 0 again.
    const more = restarted >= known ? restarted - known : restarted;
    added.push(...Array.from({ length: more }, () => nowMs));
    counted.set(node, restarted);
  }
  const restarts = [...restartsWithin(before.restarts, nowMs, spec.periodMs), ...added];
  const sum = { round: before.round, counted, restarts };
  // What is old does not count, however late it is looked at: only a new one makes it too much.
  if (added.length === 0 || !isTooIntense(restarts, spec)) return { sum };
  const nodes = [...reports.values()].filter(({ restarted }) => restarted > 0).length;
  const many = `${describeIntensity(restarts, spec)}, on ${nodes} ${nodes === 1 ? 'node' : 'nodes'}`;
  return { sum, failed: many + describeLast(spec.name, reports) };
}

/** One of the ends that it came from, as a hint: which was the last nobody knows over several nodes. */
function describeLast(group: string, reports: ReadonlyMap<number, GroupReport>): string {
  const all = [...reports.values()].flatMap(({ replicas }) => replicas);
  const found = all.find(({ end, asked }) => end !== undefined && asked !== true);
  return found?.end === undefined ? '' : `: ${replicaName({ group, slot: found.slot })} ${describeEnd(found.end)}`;
}
