/** What is kept of a group beside orders and reports: what a person wants, what the leader says of it, and what happened. */
import type { GroupSpec } from './spec.ts';

/** Written by commands alone, always compared with what they have read. */
export interface Wanted {
  readonly spec: GroupSpec;
  /** From 1; goes up when a person starts the group again: what happened in former rounds does not count. */
  readonly round: number;
  /** Rolling restarts that a person has asked for (`versionOf`). */
  readonly restarts: number;
  /** Absent: it runs. `stopped`: nothing of it is to run. `removed`: nor is it to be known any more; the leader deletes it when nothing runs. */
  readonly rest?: 'stopped' | 'removed';
  /** Of the change that wrote it: whoever gets no answer finds out by it whether it was done. */
  readonly op?: string;
}

/** What the leader makes of a group; of a former leader, until the next one has looked. */
export interface GroupStatus {
  /** Modification revision of the wanted state that this speaks of. */
  readonly serial: bigint;
  readonly round: number;
  /** Why the group was stopped in this round: `isStopped` until a person starts it again. */
  readonly failed?: string;
  /** Why the rollout does not go on. */
  readonly halted?: string;
  /** Slots that run another version than the wanted one. */
  readonly outdated: readonly number[];
  /** Slot → why it has no node, or what it waits for. */
  readonly waits: ReadonlyMap<number, string>;
}

export interface GroupEvent {
  /** Unix ms, by the clock of who writes. */
  readonly atMs: number;
  readonly slot?: number;
  readonly run?: number;
  /**
   * A word: of nodes `started`, `ready`, `unready`, `ended`, `failed`, `adopted`, `probe`; of the leader `placed`, `lost`, `failed`, `halted`; of
   * persons that of the command.
   */
  readonly kind: string;
  /** For people. */
  readonly text?: string;
}

/** So many are kept for each who writes. */
export const keptEvents = 50;

export function addEvents(before: readonly GroupEvent[], ...added: readonly GroupEvent[]): GroupEvent[] {
  return [...before, ...added].slice(-keptEvents);
}

/** An agent that takes part in groups. */
export interface NodePresence {
  readonly name: string;
  /** Which boot of the machine. */
  readonly boot: string;
  /** Its shims enforce the deadline of singletons. */
  readonly fences: boolean;
  readonly memTotalBytes: number;
  /** As it was when the agent came, or told of it last. */
  readonly memAvailableBytes: number;
  /** How it enforces `memory` of a group. */
  readonly memoryLimit: 'cgroup' | 'rlimit';
  /** As its own cluster file has them; the cluster of record goes before. */
  readonly labels?: readonly string[];
}

export interface Drained {
  /** Unix ms. */
  readonly atMs: number;
  /** USER@NODE. */
  readonly by: string;
}
