/** A group as people see it: what is wanted, what was ordered and what the nodes report, joined. Pure. */
import { describeEnd, type End } from '../../policy/supervision/end.ts';
import { slotsOf } from '../../policy/supervision/identity.ts';
import type { ReplicaReport } from '../../policy/supervision/order.ts';
import { versionOf } from '../../policy/supervision/spec.ts';
import type { GroupStatus, Wanted } from '../../policy/supervision/wanted.ts';
import type { GroupsSnapshot } from './snapshot.ts';

export type GroupState =
  /** Written, and no leader has taken it up yet. */
  | 'pending'
  /** All replicas are ready, or have ended for good as they may. */
  | 'running'
  /** Every one of them has ended for good. */
  | 'ended'
  /** Some are not ready. */
  | 'incomplete'
  /** Some run another version than the wanted one. */
  | 'updating'
  /** So, and it does not go on: the new version does not come up. */
  | 'halted'
  | 'failed'
  | 'stopping'
  | 'stopped'
  | 'removing';

export interface ReplicaView {
  readonly slot: number;
  /** Id of the node; absent: it has none. */
  readonly node?: number;
  /** `ordered`: its node has not said anything of it. `lost`: its node is. `unplaced`: it has none. */
  readonly phase: ReplicaReport['phase'] | 'ordered' | 'lost' | 'unplaced';
  readonly run?: number;
  readonly version?: string;
  /** It is not of the wanted version. */
  readonly isOutdated: boolean;
  /** Local PID while it runs. */
  readonly pid?: number;
  readonly sinceMs?: number;
  readonly lastEnd?: End;
  /** Somebody wanted that end: an update, a restart, a move. */
  readonly wasAsked?: boolean;
  /** Why it is not what it should be, as far as known. */
  readonly why?: string;
}

export interface GroupView {
  readonly name: string;
  /** Absent: it is there only as what nodes still run. */
  readonly wanted: Wanted;
  /** Of what is wanted. */
  readonly revision: bigint;
  readonly state: GroupState;
  /** Why it has failed, or why its rollout is halted. */
  readonly why?: string;
  readonly ready: number;
  /** In this round. */
  readonly restarted: number;
  /** By slot, and where one is at two nodes (it moves) by node. */
  readonly replicas: readonly ReplicaView[];
}

/** By name. */
export function viewGroups(snapshot: GroupsSnapshot): GroupView[] {
  return [...snapshot.wanted.keys()].sort().flatMap((name) => viewGroup(snapshot, name) ?? []);
}

/** Undefined where there is no such group. */
export function viewGroup(snapshot: GroupsSnapshot, name: string): GroupView | undefined {
  const found = snapshot.wanted.get(name);
  if (found === undefined) return undefined;
  const { wanted, revision } = found;
  const status = snapshot.statuses.get(name);
  const reports = snapshot.reports.filter(({ what }) => what.group === name);
  const inRound = reports.filter(({ what }) => what.round === wanted.round);
  const failed =
    (status?.round === wanted.round ? status.failed : undefined) ??
    inRound.find(({ what }) => what.failed !== undefined)?.what.failed;
  const halted = status?.round === wanted.round ? status.halted : undefined;
  const replicas = viewReplicas(snapshot, name, wanted, { status, failed });
  const state = stateOf({ wanted, revision, status, replicas, failed, halted });
  const why = state === 'failed' ? failed : state === 'halted' ? halted : undefined;
  return {
    name,
    wanted,
    revision,
    state,
    ...(why === undefined ? {} : { why }),
    ready: replicas.filter(({ phase }) => phase === 'ready').length,
    restarted: inRound.reduce((sum, { what }) => sum + what.restarted, 0),
    replicas,
  };
}

interface Known {
  readonly wanted: Wanted;
  readonly revision: bigint;
  readonly status: GroupStatus | undefined;
  readonly replicas: readonly ReplicaView[];
  readonly failed: string | undefined;
  readonly halted: string | undefined;
}

function stateOf({ wanted, revision, status, replicas, failed, halted }: Known): GroupState {
  const runs = replicas.some(({ phase }) => !over.has(phase));
  if (wanted.rest === 'removed') return 'removing';
  if (wanted.rest === 'stopped') return runs ? 'stopping' : 'stopped';
  if (failed !== undefined) return 'failed';
  if (status === undefined || status.serial < revision) return 'pending';
  if (halted !== undefined) return 'halted';
  if (replicas.some(({ isOutdated }) => isOutdated)) return 'updating';
  const { replicas: count } = wanted.spec;
  const own = replicas.filter(({ slot }) => slot <= count);
  const isWhole = replicas.length === count && own.every(({ phase }) => phase === 'ready' || phase === 'ended');
  if (!isWhole) return 'incomplete';
  return count > 0 && own.every(({ phase }) => phase === 'ended') ? 'ended' : 'running';
}

/** Phases in which nothing of it runs. */
const over: ReadonlySet<ReplicaView['phase']> = new Set(['down', 'waiting', 'ended', 'held', 'unplaced', 'lost']);

function viewReplicas(
  { orders, reports, present }: GroupsSnapshot,
  name: string,
  wanted: Wanted,
  { status, failed }: { readonly status: GroupStatus | undefined; readonly failed: string | undefined },
): ReplicaView[] {
  const version = versionOf(wanted.spec, wanted.restarts);
  const rows = new Map<string, ReplicaView>();
  for (const { node, what } of orders) {
    if (what.group !== name) continue;
    for (const ordered of what.slots) {
      const isLost = !present.has(node);
      rows.set(`${ordered.slot} ${node}`, {
        slot: ordered.slot,
        node,
        phase: isLost ? 'lost' : 'ordered',
        version: ordered.version,
        isOutdated: ordered.version !== version,
        ...whyOf(status, ordered.slot),
      });
    }
  }
  for (const { node, what } of reports) {
    if (what.group !== name) continue;
    for (const replica of what.replicas) {
      const ordered = rows.get(`${replica.slot} ${node}`);
      // What has ended and is ordered no more is history.
      if (ordered === undefined && (over.has(replica.phase) || what.round !== wanted.round)) continue;
      if (ordered !== undefined && what.round !== wanted.round && over.has(replica.phase)) continue;
      const isLost = !present.has(node);
      rows.set(`${replica.slot} ${node}`, {
        slot: replica.slot,
        node,
        phase: isLost ? 'lost' : replica.phase,
        run: replica.run,
        ...(replica.version === '' ? {} : { version: replica.version }),
        isOutdated: ordered?.isOutdated === true || (replica.version !== version && !over.has(replica.phase)),
        ...(replica.pid === undefined ? {} : { pid: replica.pid }),
        ...(replica.sinceMs === undefined ? {} : { sinceMs: replica.sinceMs }),
        ...(replica.end === undefined ? {} : { lastEnd: replica.end, wasAsked: replica.asked === true }),
        ...(ordered?.why === undefined ? {} : { why: ordered.why }),
      });
    }
  }
  if (wanted.rest === undefined && failed === undefined) {
    const there = new Set([...rows.values()].map(({ slot }) => slot));
    for (const slot of slotsOf(wanted.spec.replicas).filter((each) => !there.has(each)))
      rows.set(`${slot} -`, { slot, phase: 'unplaced', isOutdated: false, ...whyOf(status, slot) });
  }
  return [...rows.values()].sort((a, b) => a.slot - b.slot || (a.node ?? -1) - (b.node ?? -1));
}

function whyOf(status: GroupStatus | undefined, slot: number): { readonly why?: string } {
  const why = status?.waits.get(slot);
  return why === undefined ? {} : { why };
}

/** What became of what was asked for: `undefined` while it is on its way; `why` where it will not come without a person. */
export type Outcome = { readonly isDone: true } | { readonly isDone: false; readonly why: string };

/** @param view undefined: the group is not there. @param since revision of the change that is waited for. */
export function outcomeOf(view: GroupView | undefined, since: bigint): Outcome | undefined {
  if (view === undefined) return { isDone: true };
  if (view.revision < since) return undefined;
  switch (view.state) {
    case 'running':
    case 'ended':
    case 'stopped':
      return { isDone: true };
    case 'failed':
    case 'halted':
      return { isDone: false, why: view.why ?? view.state };
    default:
      return undefined;
  }
}

/** Why a group is not as it should be yet, for whoever has waited long enough. */
export function describeLack({ state, ready, wanted, replicas }: GroupView): string {
  if (state === 'pending')
    return "no leader has taken it up: 'nsh agent status' shows the agents, 'nsh store status' whether they reach the store";
  const reasons = [...new Set(replicas.flatMap(({ why }) => why ?? []))];
  const ends = replicas.flatMap(({ slot, lastEnd, phase }) =>
    lastEnd === undefined || phase === 'ready' ? [] : [`replica ${slot} ${describeEnd(lastEnd)}`],
  );
  const more = [...reasons, ...ends].slice(0, 3).join('; ');
  return `${state}, ${ready} of ${wanted.spec.replicas} ready${more === '' ? '' : `: ${more}`}`;
}
