/** The managed process that a person names: `30004711`, `3.4711`, `web1.4711`, `815` on this machine, `web/2` of a group. */
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import type { NodeSpec } from '../../src/cluster/node-spec.ts';
import { toGpid, type LocalPid } from '../../src/ids/gpid.ts';
import { askWhether, editDistance, suggestNear } from '../../src/ids/near.ts';
import { parseProcessName } from '../../src/ids/process-name.ts';
import { NshError, toNshError } from '../../src/protocol/errors.ts';
import type { ManagedProcess } from '../../src/protocol/process.ts';

export interface NamedProcess {
  readonly node: NodeSpec;
  readonly gpid: number;
  readonly record: ManagedProcess;
}

/**
 * @throws NshError `usage`, `unknownNode`, `unknownGroup`, `noSuchProcess` (with near ones), `notManaged`, or why the node cannot be asked.
 */
export async function findManaged(client: ClusterClient, word: string, signal: AbortSignal): Promise<NamedProcess> {
  if (word.includes('/')) {
    const { findReplica } = await import('../group/find-replicas.ts');
    return await findReplica(client, word, signal);
  }
  const { node, pid } = nameProcess(client, word);
  const { found } = await client.call(node, 'find', { processes: [{ pid }] }, { signal });
  const record = found[0];
  const gpid = toGpid(node.id, pid);
  if (record !== null && record !== undefined) return { node, gpid, record };
  throw await notFound(client, node, pid, gpid, signal);
}

/** @throws NshError `usage`, `unknownNode`, `noSuchProcess` */
function nameProcess(client: ClusterClient, word: string): { node: NodeSpec; pid: LocalPid } {
  const nodes = [client.self, ...client.nodes.filter((node) => node.id !== client.self.id)];
  const name = parseProcessName(word, { current: client.self.id, nodes });
  if (name.group) throw new NshError('usage', `${word}: a process is named here, not a process group`);
  const node = client.node(name.node);
  if (node !== undefined) return { node, pid: name.pid };
  const known = nodes.map(({ id }) => String(id));
  throw new NshError('unknownNode', `${word}: there is no node ${name.node}${suggestNear(String(name.node), known)}`);
}

async function notFound(
  client: ClusterClient,
  node: NodeSpec,
  pid: LocalPid,
  gpid: number,
  signal: AbortSignal,
): Promise<NshError> {
  try {
    const table = await client.call(
      node,
      'ps',
      { columns: ['pid', 'comm'], select: 'all', pids: [pid], ended: true },
      { signal },
    );
    const row = table.rows.find(([each]) => each === pid);
    if (row !== undefined) {
      const message = `${node.name}: process ${gpid} (${String(row[1])}) was not started by nsh: it has no kept output, terminal or exit status here`;
      return new NshError('notManaged', message);
    }
    const { managed } = await client.call(node, 'ps', { columns: ['pid'], select: 'managed', ended: true }, { signal });
    const near = slipsOf(
      String(gpid),
      managed.map((each) => String(toGpid(node.id, each.pid))),
    );
    return new NshError(
      'noSuchProcess',
      `${node.name}: there is no process ${gpid}${askWhether(near) || "; 'nsh ps -a' lists those that nsh runs"}`,
    );
  } catch (error) {
    return toNshError(error);
  }
}

/** One digit is another, or two are swapped: anything farther away is chance among numbers. */
export function slipsOf(number: string, known: readonly string[]): string[] {
  const slips = known.filter((each) => each.length === number.length && editDistance(number, each) === 1);
  return slips.slice(0, 3);
}
