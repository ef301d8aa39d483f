/**
 * The life of one replica in its slot on a node: started, ready, stopped with a signal and then with KILL. Pure: events and the time come in,
 * what is to be done goes out. Whether it is started again is the group's to decide (group.ts).
 *
 *   down ── start ──▶ starting ── ready ──▶ ready ◀──▶ unready
 *    ▲                    │ not in time         │ stop      │ stop
 *    │                    ▼                     ▼           ▼
 *    └────── ended ──── stopping ◀──────────────┴───────────┘
 */
import type { End } from './end.ts';
import type { GroupSpec } from './spec.ts';

export interface Replica {
  readonly phase: 'down' | 'starting' | 'ready' | 'unready' | 'stopping';
  /** How often it was started; events of another run are not this one's. 0: never. */
  readonly run: number;
  /** Which version of the group's process it is, or was last. */
  readonly version: string;
  /** Its process is there: it can be signalled. */
  readonly isStarted: boolean;
  /** When something is to happen by itself: `starting`, it has failed; `stopping`, it is killed. */
  readonly dueMs?: number;
  /** In `stopping`: it was asked to, or did not become ready. */
  readonly why?: 'asked' | 'notReady';
}

export const noReplica: Replica = { phase: 'down', run: 0, version: '', isStarted: false };

/** What the runtime tells of the process of one run. */
export type ReplicaEvent =
  /** It runs; without a ready probe it is ready with that. */
  | { readonly kind: 'started'; readonly run: number }
  | { readonly kind: 'ready'; readonly run: number }
  /** It was ready and is so no more: its probe fails. It is not restarted for that. */
  | { readonly kind: 'unready'; readonly run: number }
  | { readonly kind: 'ended'; readonly run: number; readonly end: End };

export type ReplicaAction =
  | { readonly kind: 'start'; readonly run: number; readonly version: string }
  /** To its process group. */
  | { readonly kind: 'signal'; readonly run: number; readonly signal: string }
  | { readonly kind: 'kill'; readonly run: number };

/** What the group learns of it. */
export type Outcome =
  | { readonly kind: 'ready' }
  | { readonly kind: 'unready' }
  /** `asked`: the supervisor had told it to end. */
  | { readonly kind: 'down'; readonly end: End; readonly asked: boolean };

export interface ReplicaStep {
  readonly replica: Replica;
  readonly actions: readonly ReplicaAction[];
  readonly outcome?: Outcome;
}

type Timing = Pick<GroupSpec, 'ready' | 'readyTimeoutMs' | 'stopSignal' | 'stopTimeoutMs'>;

/** From one KILL to the next, ms. */
const killAgainMs = 10_000;

/** @param run default: the next one. */
export function startReplica(
  replica: Replica,
  version: string,
  spec: Timing,
  nowMs: number,
  run = replica.run + 1,
): ReplicaStep {
  if (replica.phase !== 'down') throw new Error(`a replica that is ${replica.phase} cannot be started`);
  return {
    replica: { phase: 'starting', run, version, isStarted: false, ...readyDue(spec, nowMs) },
    actions: [{ kind: 'start', run, version }],
  };
}

/** One that runs already and was found by a new agent. */
export function adoptReplica(run: number, version: string, isReady: boolean, spec: Timing, nowMs: number): Replica {
  const phase = isReady || spec.ready === undefined ? 'ready' : 'starting';
  return { phase, run, version, isStarted: true, ...(phase === 'starting' ? readyDue(spec, nowMs) : {}) };
}

function readyDue({ ready, readyTimeoutMs }: Timing, nowMs: number): { dueMs?: number } {
  return ready === undefined ? {} : { dueMs: nowMs + readyTimeoutMs };
}

/** Nothing where it is down or being stopped. */
export function stopReplica(replica: Replica, spec: Timing, nowMs: number): ReplicaStep {
  if (replica.phase === 'down') return { replica, actions: [] };
  // What ends for its own reasons is now asked to: its end is no failure any more.
  if (replica.phase === 'stopping') return { replica: { ...replica, why: 'asked' }, actions: [] };
  return beginStop(replica, 'asked', spec, nowMs);
}

function beginStop(replica: Replica, why: 'asked' | 'notReady', spec: Timing, nowMs: number): ReplicaStep {
  const { run, version, isStarted } = replica;
  const stopping: Replica = { phase: 'stopping', run, version, isStarted, why };
  // Its process is just being made: it gets the signal once it is there.
  if (!isStarted) return { replica: stopping, actions: [] };
  if (spec.stopTimeoutMs === 0) return kill(stopping, nowMs);
  return {
    replica: { ...stopping, dueMs: nowMs + spec.stopTimeoutMs },
    actions: [{ kind: 'signal', run, signal: spec.stopSignal }],
  };
}

export function stepReplica(replica: Replica, event: ReplicaEvent, spec: Timing, nowMs: number): ReplicaStep {
  if (event.run !== replica.run || replica.phase === 'down') return { replica, actions: [] };
  switch (event.kind) {
    case 'started':
      return hasStarted(replica, spec, nowMs);
    case 'ready':
      return replica.phase === 'starting' || replica.phase === 'unready'
        ? { replica: { ...without(replica), phase: 'ready', isStarted: true }, actions: [], outcome: { kind: 'ready' } }
        : { replica, actions: [] };
    case 'unready':
      return replica.phase === 'ready'
        ? { replica: { ...replica, phase: 'unready' }, actions: [], outcome: { kind: 'unready' } }
        : { replica, actions: [] };
    default:
      return hasEnded(replica, event.end, spec);
  }
}

function hasStarted(replica: Replica, spec: Timing, nowMs: number): ReplicaStep {
  if (replica.isStarted) return { replica, actions: [] };
  const started: Replica = { ...replica, isStarted: true };
  if (replica.phase === 'stopping') return beginStop(started, replica.why ?? 'asked', spec, nowMs);
  if (spec.ready !== undefined || replica.phase !== 'starting') return { replica: started, actions: [] };
  return { replica: { ...without(started), phase: 'ready' }, actions: [], outcome: { kind: 'ready' } };
}

function hasEnded(replica: Replica, end: End, spec: Timing): ReplicaStep {
  const asked = replica.phase === 'stopping' && replica.why === 'asked';
  const isLate = replica.phase === 'stopping' && replica.why === 'notReady';
  return {
    replica: { phase: 'down', run: replica.run, version: replica.version, isStarted: false },
    actions: [],
    outcome: { kind: 'down', end: isLate ? { kind: 'notReady', afterMs: spec.readyTimeoutMs } : end, asked },
  };
}

/** What is due by now. */
export function wakeReplica(replica: Replica, spec: Timing, nowMs: number): ReplicaStep {
  if (replica.dueMs === undefined || nowMs < replica.dueMs) return { replica, actions: [] };
  if (replica.phase === 'starting') return beginStop(without(replica), 'notReady', spec, nowMs);
  return kill(replica, nowMs);
}

/** Until it has ended: a shim that does not answer in time may have lost the first one. */
function kill(replica: Replica, nowMs: number): ReplicaStep {
  return { replica: { ...replica, dueMs: nowMs + killAgainMs }, actions: [{ kind: 'kill', run: replica.run }] };
}

/** Nothing is due any more. */
function without(replica: Replica): Replica {
  const { dueMs: _, ...rest } = replica;
  return rest;
}
