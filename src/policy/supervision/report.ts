/** What a node tells of its replicas of a group. Pure; part of node.ts. */
import type { LocalGroup } from './node.ts';
import type { GroupReport, ReplicaReport } from './order.ts';
import { noReplica } from './replica.ts';

export function reportOf(local: LocalGroup, nowMs: number): GroupReport {
  const { order, group, replicas, ends, leastEpoch } = local;
  // Those that wait for others before they are started are told, too: an order that was taken up is seen to be.
  const slots = [...new Set([...order.slots.map(({ slot }) => slot), ...replicas.keys()])].sort((a, b) => a - b);
  return {
    group: order.group,
    epoch: order.epoch,
    serial: order.serial,
    round: order.round,
    replicas: slots.map((slot): ReplicaReport => {
      const { run, version } = replicas.get(slot) ?? noReplica;
      return { slot, run, version, phase: phaseOf(local, slot, nowMs), ...ends.get(slot) };
    }),
    restarted: group.restarted,
    ...(group.failed === undefined ? {} : { failed: group.failed }),
    ...(leastEpoch === undefined ? {} : { leastEpoch }),
  };
}

function phaseOf({ order, group, replicas }: LocalGroup, slot: number, nowMs: number): ReplicaReport['phase'] {
  const phase = replicas.get(slot)?.phase ?? 'down';
  const member = group.members.get(slot);
  if (phase !== 'down' || order.scope === 'leader' || member === undefined) return phase;
  if (member.phase === 'ended' || member.phase === 'held') return member.phase;
  return member.notBeforeMs > nowMs && group.failed === undefined ? 'waiting' : 'down';
}

/** By parts: this is asked after every event, of groups that may have hundreds of replicas. An end that has not changed is the same object. */
export function sameReport(a: GroupReport, b: GroupReport): boolean {
  if (a.epoch !== b.epoch || a.serial !== b.serial || a.round !== b.round) return false;
  if (a.restarted !== b.restarted || a.failed !== b.failed || a.leastEpoch !== b.leastEpoch) return false;
  if (a.replicas.length !== b.replicas.length) return false;
  return a.replicas.every((replica, index) => {
    const other = b.replicas[index];
    return (
      other !== undefined &&
      replica.slot === other.slot &&
      replica.run === other.run &&
      replica.version === other.version &&
      replica.phase === other.phase &&
      replica.end === other.end &&
      replica.asked === other.asked
    );
  });
}
