/** What a node tells of its replicas of a group. Pure; part of node.ts. */
import type { LocalGroup } from './node.ts';
import type { GroupReport, ReplicaReport } from './order.ts';
import { noReplica } from './replica.ts';

export function reportOf(local: LocalGroup, nowMs: number): GroupReport {
  const { order, group, replicas, ends } = local;
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
  };
}

function phaseOf({ order, group, replicas }: LocalGroup, slot: number, nowMs: number): ReplicaReport['phase'] {
  const phase = replicas.get(slot)?.phase ?? 'down';
  const member = group.members.get(slot);
  if (phase !== 'down' || order.scope === 'leader' || member === undefined) return phase;
  if (member.phase === 'ended' || member.phase === 'held') return member.phase;
  return member.notBeforeMs > nowMs && group.failed === undefined ? 'waiting' : 'down';
}

export function sameReport(a: GroupReport, b: GroupReport): boolean {
  return a === b || asText(a) === asText(b);
}

function asText(report: GroupReport): string {
  return JSON.stringify(report, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}
