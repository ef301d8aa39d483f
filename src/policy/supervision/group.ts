/**
 * The supervisor of a group: which replicas are started and stopped, and when, by the rules of OTP's supervisor(3). Pure. It is in charge of
 * all replicas of the group or of those of one node, and knows them by slot; how one is started or stopped is the replica's (replica.ts).
 *
 * Beyond OTP: a pause before a restart (intensity.ts); a first start that fails is tried again like any other, where OTP gives up; and a
 * replica that was replaced by another version and did not become ready is held: neither restarted nor counted, so that a bad update harms
 * no more than one.
 */
import { describeEnd, isCounted, isToBeRestarted, type End } from './end.ts';
import { replicaName } from './identity.ts';
import {
  addRestart,
  describeIntensity,
  isTooIntense,
  longestPauseMs,
  recoveredAfterMs,
  restartPauseMs,
} from './intensity.ts';
import type { GroupSpec } from './spec.ts';

export interface Member {
  /** Version that it should run; undefined: it should not run, and is forgotten when it is down. */
  readonly wanted: string | undefined;
  /** Version that was started last. */
  readonly version: string | undefined;
  /**
   * `down`: to be started. `starting`, `ready`, `unready`, `stopping`: it runs. `ended`: it has ended and is not restarted. `held`: its new
   * version did not come up.
   */
  readonly phase: 'down' | 'starting' | 'ready' | 'unready' | 'stopping' | 'ended' | 'held';
  /** To be stopped and started again, on behalf of another one that is restarted. */
  readonly recycled: boolean;
  /** It is another version in place of one that ran, and was not ready yet. */
  readonly replaces: boolean;
  /** Ends in a row, each soon after the start. */
  readonly failures: number;
  /** Not to be started before. */
  readonly notBeforeMs: number;
  readonly readySinceMs?: number;
  readonly lastEnd?: End;
}

export interface Group {
  readonly members: ReadonlyMap<number, Member>;
  /** Times of the restarts that still count, ms. */
  readonly restarts: readonly number[];
  /** Restarts in this round. */
  readonly restarted: number;
  /** Why it was stopped: its restarts were too intense. Nothing of it is started until `resumeGroup`. */
  readonly failed?: string;
}

export const emptyGroup: Group = { members: new Map(), restarts: [], restarted: 0 };

export interface GroupCommand {
  readonly kind: 'start' | 'stop';
  readonly slot: number;
}

export interface GroupStep {
  readonly group: Group;
  /** In the order in which they are to be carried out. */
  readonly commands: readonly GroupCommand[];
}

/** The slots that should run, each with the version of the process that it should be. */
export function wantSlots(group: Group, wanted: ReadonlyMap<number, string>): Group {
  const members = new Map(group.members);
  for (const [slot, member] of group.members) members.set(slot, wantVersion(member, wanted.get(slot)));
  for (const [slot, version] of wanted) {
    const fresh = { phase: 'down', recycled: false, replaces: false, failures: 0, notBeforeMs: 0 } as const;
    if (!members.has(slot)) members.set(slot, { ...fresh, wanted: version, version: undefined });
  }
  return { ...group, members };
}

function wantVersion(member: Member, wanted: string | undefined): Member {
  if (member.wanted === wanted) return member;
  const isOther = wanted !== undefined && member.version !== undefined && member.version !== wanted;
  if (!isOther) return { ...member, wanted };
  const rests = member.phase === 'ended' || member.phase === 'held';
  return { ...member, wanted, replaces: true, failures: 0, notBeforeMs: 0, ...(rests ? { phase: 'down' } : {}) };
}

/** One that is there already, or rests: found by a new agent, or taken over from another supervisor. */
export function adoptMember(
  group: Group,
  slot: number,
  version: string,
  phase: Exclude<Member['phase'], 'down'>,
  nowMs: number,
): Group {
  const member: Member = {
    wanted: undefined,
    version,
    phase,
    recycled: false,
    replaces: false,
    failures: 0,
    notBeforeMs: 0,
    ...(phase === 'ready' ? { readySinceMs: nowMs } : {}),
  };
  return { ...group, members: new Map(group.members).set(slot, member) };
}

/**
 * A person has started it again: what it did before does not count, and what had ended or was held is started. Nor is one held that was just
 * replaced: the news of its end may be older than that.
 */
export function resumeGroup({ members }: Group): Group {
  const fresh = [...members].map(([slot, member]): [number, Member] => [
    slot,
    {
      ...member,
      replaces: false,
      failures: 0,
      notBeforeMs: 0,
      ...(member.phase === 'ended' || member.phase === 'held' ? { phase: 'down' } : {}),
    },
  ]);
  return { members: new Map(fresh), restarts: [], restarted: 0 };
}

/** As the clock of another leader, which was ahead, may have written it: nobody waits for that to come true. */
export function withoutFuture(group: Group, nowMs: number): Group {
  const members = [...group.members].map(([slot, member]): [number, Member] => {
    const notBeforeMs = Math.min(member.notBeforeMs, nowMs + longestPauseMs);
    const { readySinceMs } = member;
    return [
      slot,
      {
        ...member,
        notBeforeMs,
        ...(readySinceMs === undefined ? {} : { readySinceMs: Math.min(readySinceMs, nowMs) }),
      },
    ];
  });
  return { ...group, members: new Map(members) };
}

export function memberReady(group: Group, slot: number, nowMs: number): Group {
  return change(group, slot, (member) => ({ ...member, phase: 'ready', replaces: false, readySinceMs: nowMs }));
}

export function memberUnready(group: Group, slot: number): Group {
  return change(group, slot, (member) => ({ ...withoutReadiness(member), phase: 'unready' }));
}

/** @param asked it was told to end by a `stop` of `stepGroup`. */
export function memberDown(
  group: Group,
  slot: number,
  end: End,
  asked: boolean,
  spec: GroupSpec,
  nowMs: number,
): Group {
  const member = group.members.get(slot);
  if (member === undefined) return group;
  const { readySinceMs } = member;
  const down: Member = { ...withoutReadiness(member), phase: 'down', recycled: false, lastEnd: end };
  const put = (next: Member): Group => ({ ...group, members: new Map(group.members).set(slot, next) });
  if (member.wanted === undefined || asked || member.recycled || group.failed !== undefined) return put(down);
  if (member.replaces && member.version !== member.wanted) return put(down);
  // What nobody has seen says nothing of the version: its shim was killed, or the machine went down.
  if (member.replaces && end.kind !== 'lost') return put({ ...down, phase: 'held' });
  if (!isToBeRestarted(end, spec)) return put({ ...down, phase: 'ended' });
  const recovered = readySinceMs !== undefined && nowMs - readySinceMs >= recoveredAfterMs;
  const failures = recovered ? 1 : member.failures + (isCounted(end) ? 1 : 0);
  return restart(put({ ...down, failures }), slot, end, spec, nowMs);
}

function restart(group: Group, slot: number, end: End, spec: GroupSpec, nowMs: number): Group {
  const counts = isCounted(end);
  const restarts = counts ? addRestart(group.restarts, nowMs, spec) : group.restarts;
  if (counts && isTooIntense(restarts, spec)) {
    const name = replicaName({ group: spec.name, slot });
    return { ...group, restarts, failed: `${describeIntensity(restarts, spec)}: last, ${name} ${describeEnd(end)}` };
  }
  const notBeforeMs = nowMs + restartPauseMs(group.members.get(slot)?.failures ?? 1);
  const members = [...group.members].map(([other, member]): [number, Member] => {
    if (!isTakenAlong(other, slot, spec) || member.wanted === undefined) return [other, member];
    if (isUp(member)) return [other, { ...member, recycled: true, notBeforeMs }];
    // One that has ended starts again with the others, as in OTP. One that is held stays so: it is not a matter of this restart.
    return [other, { ...member, notBeforeMs, ...(member.phase === 'ended' ? { phase: 'down' } : {}) }];
  });
  return { ...group, restarts, restarted: group.restarted + (counts ? 1 : 0), members: new Map(members) };
}

function isTakenAlong(slot: number, cause: number, { strategy }: GroupSpec): boolean {
  if (slot === cause || strategy === 'one_for_all') return true;
  return strategy === 'rest_for_one' && slot > cause;
}

/** What is to be done now. Call it after every event and when `nextStartMs` has come. */
export function stepGroup(group: Group, spec: GroupSpec, nowMs: number): GroupStep {
  const gone = [...group.members].filter(([, member]) => member.wanted === undefined && !isUp(member));
  const members = new Map(group.members);
  for (const [slot] of gone) members.delete(slot);
  const isOrdered = spec.strategy !== 'one_for_one';
  const slots = [...members.keys()].sort((a, b) => a - b);
  const commands = [...stops(slots, members, group, isOrdered), ...starts(slots, members, group, isOrdered, nowMs)];
  for (const { kind, slot } of commands) {
    const member = members.get(slot);
    if (member === undefined) continue;
    const rest = withoutReadiness(member);
    members.set(slot, kind === 'stop' ? { ...rest, phase: 'stopping' } : started(rest));
  }
  return { group: { ...group, members }, commands };
}

function started(member: Member): Member {
  return { ...member, phase: 'starting', version: member.wanted };
}

/** Backwards; in an ordered group one after the other. */
function stops(
  slots: readonly number[],
  members: ReadonlyMap<number, Member>,
  { failed }: Group,
  isOrdered: boolean,
): GroupCommand[] {
  const stopping = [...members.values()].some(({ phase }) => phase === 'stopping');
  if (isOrdered && stopping) return [];
  const due = slots
    .filter((slot) => {
      const member = members.get(slot);
      return member !== undefined && member.phase !== 'stopping' && isUp(member) && mustStop(member, failed);
    })
    .reverse();
  return (isOrdered ? due.slice(0, 1) : due).map((slot) => ({ kind: 'stop', slot }));
}

function mustStop(member: Member, failed: string | undefined): boolean {
  return failed !== undefined || member.wanted === undefined || member.recycled || member.version !== member.wanted;
}

/** Forwards; in an ordered group only once nothing is being stopped, and each when the one before it is ready. */
function starts(
  slots: readonly number[],
  members: ReadonlyMap<number, Member>,
  { failed }: Group,
  isOrdered: boolean,
  nowMs: number,
): GroupCommand[] {
  if (failed !== undefined) return [];
  const all = slots.flatMap((slot) => members.get(slot) ?? []);
  if (isOrdered && all.some((member) => member.phase === 'stopping' || (isUp(member) && mustStop(member, failed))))
    return [];
  const commands: GroupCommand[] = [];
  for (const slot of slots) {
    const member = members.get(slot);
    const isDue = member?.phase === 'down' && member.wanted !== undefined && member.notBeforeMs <= nowMs;
    if (isDue) commands.push({ kind: 'start', slot });
    if (isOrdered && (member?.phase === 'down' || member?.phase === 'starting')) break;
  }
  return commands;
}

export function isUp({ phase }: Member): boolean {
  return phase === 'starting' || phase === 'ready' || phase === 'unready' || phase === 'stopping';
}

/** When a start becomes due by itself; undefined where none does. */
export function nextStartMs(group: Group, nowMs: number): number | undefined {
  if (group.failed !== undefined) return undefined;
  const times = [...group.members.values()]
    .filter((member) => member.phase === 'down' && member.wanted !== undefined && member.notBeforeMs > nowMs)
    .map(({ notBeforeMs }) => notBeforeMs);
  return times.length === 0 ? undefined : Math.min(...times);
}

function withoutReadiness(member: Member): Member {
  const { readySinceMs: _, ...rest } = member;
  return rest;
}

function change(group: Group, slot: number, alter: (member: Member) => Member): Group {
  const member = group.members.get(slot);
  if (member === undefined || !isUp(member) || member.phase === 'stopping') return group;
  return { ...group, members: new Map(group.members).set(slot, alter(member)) };
}
