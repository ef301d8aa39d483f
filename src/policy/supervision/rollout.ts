/** One at a time: which replica of a group is replaced by another version or moved next. Pure; part of plan-group.ts. */
import { replicaName } from './identity.ts';
import type { ReplicaReport } from './order.ts';

export interface Disturbance {
  readonly slot: number;
  /** As its node reports it. `pending`: it has not reported since its newest order. `homeless`: no node has it. */
  readonly phase: ReplicaReport['phase'] | 'pending' | 'homeless';
  /** It runs another version than the wanted one. */
  readonly isOutdated: boolean;
  /** It belongs on another node than the one that it is on. */
  readonly isElsewhere: boolean;
  /** `homeless`, and to stay so in this version. */
  readonly rests: boolean;
}

/** Nothing that was done before is still on its way. One that fails again and again is not waited for: it may never be ready. */
export function mayDisturb(all: readonly Disturbance[]): boolean {
  return all.every(({ phase, isOutdated, rests }) => {
    switch (phase) {
      case 'ready':
      case 'ended':
      case 'held':
      case 'waiting':
        return true;
      case 'homeless':
        return rests;
      // What is to be replaced anyway does not hold up its replacement.
      case 'starting':
      case 'unready':
      case 'down':
        return isOutdated;
      default:
        return false;
    }
  });
}

/**
 * Moves go before other versions, what does not work before what does, low slots before high ones.
 * @param mayRollOut false: the new version has failed already.
 */
export function pickDisturbed(all: readonly Disturbance[], mayRollOut: boolean): Disturbance | undefined {
  const moves = all.filter(({ isElsewhere }) => isElsewhere);
  const updates = mayRollOut ? all.filter(({ isOutdated }) => isOutdated) : [];
  const candidates = moves.length > 0 ? moves : updates;
  const isRollOut = moves.length === 0;
  // Among the new ones one that does not work: the version is in doubt.
  if (isRollOut && all.some(({ phase, isOutdated }) => phase === 'waiting' && !isOutdated)) return undefined;
  return candidates.find(({ phase }) => phase !== 'ready') ?? candidates[0];
}

/** Why a rollout does not go on. @param end of the new one, as `describeEnd` has it. */
export function describeHalt(group: string, slot: number, end: string): string {
  const replica = replicaName({ group, slot });
  return `the rollout of ${group} is halted: ${replica} ${end}; the others keep their version`;
}
