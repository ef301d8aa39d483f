/** Processes of the cluster for completion: rows of `ps` as nodes answer. */
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import { toGpid } from '../../src/ids/gpid.ts';
import type { NodeSpec } from '../../src/cluster/node-spec.ts';
import type { ManagedProcess, ProcessTable } from '../../src/protocol/process.ts';
import { listingName } from './listing-script.ts';
import type { KnownProcess, ProcessSelection } from './sources.ts';

const deadlineMs = 1_000;
const maxCommandLength = 200;
const maxEnded = 100;

export interface ProcessesOptions {
  /** Default true. */
  readonly mayStartAgent?: boolean;
}

interface Found {
  readonly process: KnownProcess;
  /** What nsh runs comes first, the newest of it at the top; then others as they are listed; then what has ended. */
  readonly rank: number;
  readonly startedAtMs: number;
}

/** Each time all that are known so far. Nodes that fail or are late bring none. */
export async function* clusterProcesses(
  client: ClusterClient,
  select: ProcessSelection,
  signal: AbortSignal,
  options: ProcessesOptions = {},
): AsyncGenerator<readonly KnownProcess[], void, undefined> {
  const nodes = client.nodes.some(({ id }) => id === client.self.id) ? client.nodes : [client.self, ...client.nodes];
  const known: Found[] = [];
  const limit = AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
  try {
    const answers = client.fanout(
      nodes,
      'ps',
      {
        columns: ['pid', 'comm', 'args'],
        select: select === 'all' ? 'all' : 'managed',
        ...(select === 'kept' ? { ended: true } : {}),
      },
      { deadlineMs, signal: limit, ...options },
    );
    for await (const { node, result } of answers) {
      if (result === undefined) continue;
      known.push(...running(node, result), ...(select === 'kept' ? ended(node, result) : []));
      known.sort((a, b) => a.rank - b.rank || b.startedAtMs - a.startedAtMs);
      yield known.map(({ process }) => process);
    }
  } catch {
    // No agent here, or interest was lost: what is known stays.
  }
}

function running(node: NodeSpec, table: ProcessTable): Found[] {
  const [pidAt, commAt, argsAt] = [
    table.columns.indexOf('pid'),
    table.columns.indexOf('comm'),
    table.columns.indexOf('args'),
  ];
  const managed = new Map<number, ManagedProcess>(
    table.managed.filter((record) => !hasEnded(record, table)).map((record) => [record.pid, record]),
  );
  return table.rows.flatMap((cells) => {
    const [pid, comm, args] = [cells[pidAt], cells[commAt], cells[argsAt]];
    if (typeof pid !== 'number') return [];
    const record = managed.get(pid);
    if (record?.name === listingName) return [];
    const words = Array.isArray(args) ? args : [`[${typeof comm === 'string' ? comm : '?'}]`];
    const process = { gpid: toGpid(node.id, pid), pid, node: node.name, command: describe(words, record) };
    return [{ process, rank: record === undefined ? 1 : 0, startedAtMs: record?.startedAtMs ?? 0 }];
  });
}

function ended(node: NodeSpec, table: ProcessTable): Found[] {
  const records = table.managed.filter((record) => hasEnded(record, table) && record.name !== listingName);
  const newest = records.sort((a, b) => b.startedAtMs - a.startedAtMs).slice(0, maxEnded);
  return newest.map((record) => {
    const { pid, startedAtMs } = record;
    const command = `(ended) ${describe(record.argv, record)}`;
    return { process: { gpid: toGpid(node.id, pid), pid, node: node.name, command }, rank: 2, startedAtMs };
  });
}

function hasEnded({ exit, boot }: ManagedProcess, table: ProcessTable): boolean {
  return exit !== undefined || boot !== table.boot;
}

/** The bash that runs a line of a session is called after the line, and its arguments say nothing to anybody. */
function describe(words: readonly string[], record: ManagedProcess | undefined): string {
  const line = words.join(' ');
  const isStep = words[0] === 'bash' && words[4]?.startsWith('\\builtin ') === true;
  const text = record?.name === undefined ? line : isStep ? record.name : `${record.name}: ${line}`;
  return text.slice(0, maxCommandLength);
}
