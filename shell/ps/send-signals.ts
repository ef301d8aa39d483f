/** Signals to processes of any nodes: one call for each node, all nodes at once, an outcome for each target. */
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import type { NodeSpec } from '../../src/cluster/node-spec.ts';
import { toNshError } from '../../src/protocol/errors.ts';
import { escapeLines } from '../escape.ts';

export interface SignalTarget {
  readonly node: NodeSpec;
  readonly gpid: number;
  readonly pid: number;
  /** The incarnation that the caller saw; absent where only a number was typed. */
  readonly start?: number;
  readonly boot?: string;
  /** The process group that this process leads. */
  readonly group?: boolean;
}

export interface SignalOutcome {
  readonly target: SignalTarget;
  /** Absent where it was signalled. The message is safe for a terminal. */
  readonly error?: { readonly code: string; readonly message: string };
}

export interface SignalOptions {
  /** Even where the number was once a managed process that has ended. */
  readonly force?: boolean;
  readonly abort: AbortSignal;
}

/** Outcomes in the order of the targets. */
export async function sendSignals(
  cluster: ClusterClient,
  targets: readonly SignalTarget[],
  signal: number,
  options: SignalOptions,
): Promise<SignalOutcome[]> {
  const byNode = new Map<number, SignalTarget[]>();
  for (const target of targets) {
    const same = byNode.get(target.node.id);
    if (same === undefined) byNode.set(target.node.id, [target]);
    else same.push(target);
  }
  const outcomes = new Map<SignalTarget, SignalOutcome>();
  await Promise.all(
    [...byNode.values()].map(async (group) => {
      for (const each of await signalNode(cluster, group, signal, options)) outcomes.set(each.target, each);
    }),
  );
  return targets.flatMap((target) => outcomes.get(target) ?? []);
}

async function signalNode(
  cluster: ClusterClient,
  targets: readonly SignalTarget[],
  signal: number,
  { force, abort }: SignalOptions,
): Promise<SignalOutcome[]> {
  const [first] = targets;
  if (first === undefined) return [];
  try {
    const { errors } = await cluster.call(
      first.node,
      'kill',
      { targets: targets.map(toParams), signal, ...(force === true ? { force } : {}) },
      { signal: abort },
    );
    return targets.map((target, i) => outcome(target, errors[i] ?? undefined));
  } catch (error) {
    const { code, message } = toNshError(error);
    const named = message.includes(first.node.name) ? message : `${first.node.name}: ${message}`;
    return targets.map((target) => outcome(target, { code, message: named }));
  }
}

function outcome(target: SignalTarget, error: { code: string; message: string } | undefined): SignalOutcome {
  return error === undefined
    ? { target }
    : { target, error: { code: error.code, message: escapeLines(error.message) } };
}

function toParams({ pid, start, boot, group }: SignalTarget) {
  return {
    pid,
    ...(start === undefined ? {} : { start }),
    ...(boot === undefined ? {} : { boot }),
    ...(group === true ? { group } : {}),
  };
}
