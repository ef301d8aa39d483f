/** Starts the agent of a node over a link: `AGENTCOMMAND start` through the login shell there, idempotent, answered behind a marker. */
import { randomBytes } from 'node:crypto';
import * as v from 'valibot';
import type { ClusterSpec, NodeSpec } from '../../src/cluster/node-spec.ts';
import type { Link } from '../../src/link/link.ts';
import { fromWireError, NshError } from '../../src/protocol/errors.ts';
import { check } from '../../src/rpc/typed.ts';

/** What `nsh-agent start` prints: one line, behind its marker. */
export const startReport = v.union([
  v.object({ ok: v.literal(true), version: v.string(), socket: v.string() }),
  v.object({
    ok: v.literal(false),
    error: v.object({ code: v.number(), message: v.string(), data: v.optional(v.record(v.string(), v.unknown())) }),
  }),
]);
export type StartReport = v.InferOutput<typeof startReport>;

/**
 * @param mayStart false: where no agent runs that is an error, with data.notRunning.
 * @returns the path of the agent's socket on the node.
 * @throws NshError `noAgent`, `agentFailed`, `wrongNode`, `timeout`, `linkLost`
 */
export async function startRemoteAgent(
  link: Link,
  { spec, node }: { readonly spec: ClusterSpec; readonly node: NodeSpec },
  mayStart: boolean,
  signal: AbortSignal,
): Promise<string> {
  const marker = `nsh-${randomBytes(8).toString('hex')}`;
  const how = mayStart ? '' : ' --only-running';
  const words = `start${how} --cluster ${spec.cluster} --node ${node.id} --name ${node.name} --marker ${marker}`;
  const { stdout, stderr, code } = await link.exec(`${spec.agentCommand} ${words}`, signal);
  const line = stdout.split('\n').find((text) => text.startsWith(`${marker} `));
  if (line === undefined) throw explain(node, spec, code, stderr);
  const report = check(
    startReport,
    parse(line.slice(marker.length + 1), node),
    `${node.name}: start`,
    'invalidMessage',
  );
  if (!report.ok) {
    const { data, ...error } = report.error;
    const known = fromWireError(data === undefined ? error : { ...error, data });
    const facts = known.data === undefined ? {} : { data: known.data };
    throw new NshError(known.code, `${node.name}: ${known.message}`, { cause: known, ...facts });
  }
  return report.socket;
}

function parse(text: string, node: NodeSpec): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new NshError('invalidMessage', `${node.name}: the agent's start report is not JSON`, { cause: error });
  }
}

function explain(node: NodeSpec, spec: ClusterSpec, code: number | null, stderr: string): NshError {
  const said = lastLine(stderr);
  if (code === 127 || code === 126) {
    return new NshError(
      'noAgent',
      `${node.name}: no agent on the host: '${spec.agentCommand}' ${code === 127 ? 'was not found' : 'may not run'} there` +
        `${said}. Install nsh on ${node.name}, or set agentCommand in the cluster file`,
    );
  }
  const ended = code === 0 ? 'did not say where its agent listens' : `ended with status ${code ?? 'unknown'}`;
  return new NshError(
    'agentFailed',
    `${node.name}: '${spec.agentCommand} start' ${ended}${said}. agentCommand in the cluster file must run nsh-agent: ` +
      `try '${spec.agentCommand} --version' on ${node.name}`,
  );
}

/** What a remote host says is shown without its control characters. */
function lastLine(stderr: string): string {
  const line = stderr.trim().split('\n').at(-1) ?? '';
  const plain = line.replace(/[^\x20-\x7e]/g, '?').slice(0, 300);
  return plain === '' ? '' : ` (${plain})`;
}
