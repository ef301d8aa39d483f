/**
 * Where a process goes when nobody says: to the node with the most to spare. Pure: the facts come from `info`, chance from `random`.
 */
import type { NodeInfo } from '../../protocol/control.ts';

export type Load = Pick<NodeInfo, 'cpus' | 'load1' | 'memTotalKb' | 'memAvailableKb' | 'managed'>;

export interface Candidate<T> {
  readonly node: T;
  readonly info: Load;
}

/** Nodes whose burden differs by less than this are equals: the load average is not more exact. */
const equalWithin = 0.05;
/** Below this share of free memory a node is taken only where all are so. */
const tightMemoryShare = 0.05;

/**
 * How burdened a node is; less is better. 1 is one runnable process a processor. Managed processes weigh in with a tenth of a
 * processor each, because the load average shows what was started just now only after a minute; memory beyond half its size too.
 */
export function burden(info: Load): number {
  const cpus = Math.max(1, info.cpus);
  const memoryUsed = 1 - freeMemoryShare(info);
  return info.load1 / cpus + (0.1 * info.managed) / cpus + Math.max(0, memoryUsed - 0.5);
}

/**
 * The least burdened node; by chance among equals, so that clients that decide at the same moment spread.
 * @param random [0, 1)
 * @returns undefined without candidates.
 */
export function chooseNode<T>(candidates: readonly Candidate<T>[], random: () => number): T | undefined {
  const roomy = candidates.filter(({ info }) => freeMemoryShare(info) >= tightMemoryShare);
  const eligible = roomy.length > 0 ? roomy : candidates;
  const least = Math.min(...eligible.map(({ info }) => burden(info)));
  const equals = eligible.filter(({ info }) => burden(info) - least <= equalWithin);
  return equals[Math.min(equals.length - 1, Math.floor(random() * equals.length))]?.node;
}

function freeMemoryShare(info: Load): number {
  return info.memTotalKb > 0 ? info.memAvailableKb / info.memTotalKb : 1;
}
