/**
 * Jobs that an earlier shell of this machine has left: it has ended, or was killed, and its terminals run on. What they are, and where they
 * stand, is in the records of their nodes and in the process table.
 */
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import type { NodeSpec } from '../../src/cluster/node-spec.ts';
import type { JobMark, ManagedProcess, ProcessTable } from '../../src/protocol/process.ts';
import { isOfThisMachine, ownerRuns } from './job-mark.ts';

export interface LeftJob {
  readonly node: NodeSpec;
  readonly record: ManagedProcess;
  readonly mark: JobMark;
  /** `left`: it runs in the foreground of a terminal that nobody looks at. */
  readonly state: 'left' | 'background' | 'stopped';
}

const deadlineMs = 5_000;

/** In the order in which they were started. Nodes that do not answer have none to tell of. */
export async function findLeftJobs(client: ClusterClient, signal: AbortSignal): Promise<readonly LeftJob[]> {
  const nodes = client.nodes.some(({ id }) => id === client.self.id) ? client.nodes : [client.self, ...client.nodes];
  const found: LeftJob[] = [];
  const params = { columns: ['pid', 'state', 'pgrp', 'tpgid'], select: 'managed' } as const;
  for await (const { node, result } of client.fanout(
    nodes,
    'ps',
    { ...params, columns: [...params.columns] },
    { deadlineMs, signal },
  )) {
    if (result !== undefined) found.push(...leftJobs(node, result));
  }
  return found.toSorted((a, b) => a.record.startedAtMs - b.record.startedAtMs);
}

function leftJobs(node: NodeSpec, { managed, rows }: ProcessTable): LeftJob[] {
  return managed.flatMap((record) => {
    const { job, exit, pid } = record;
    if (job === undefined || exit !== undefined || record.stdout === 'pipe') return [];
    if (!isOfThisMachine(job.owner) || ownerRuns(job.owner)) return [];
    const [, state, group, foreground] = rows.find(([id]) => id === pid) ?? [];
    if (state === undefined) return [];
    const where = state === 'T' ? 'stopped' : group === foreground ? 'background' : 'left';
    return [{ node, record, mark: job, state: where }];
  });
}
