/** Tasks and nodes made by hand. */
import { localPid, nodeId } from '../../src/ids/gpid.ts';
import type { NodeSpec } from '../../src/cluster/node-spec.ts';
import type { NodeInfo } from '../../src/protocol/control.ts';
import type { ManagedProcess } from '../../src/protocol/process.ts';
import type { NodeState } from '../../shell/top/nodes.ts';
import type { Task } from '../../shell/top/task.ts';

export function node(id: number, name = `n${id}`): NodeSpec {
  return { id: nodeId(id), name, labels: [] };
}

export function task(gpid: number, given: Partial<Task> = {}): Task {
  const id = Math.floor(gpid / 10_000_000);
  return {
    key: `${gpid}@1`,
    node: node(id),
    gpid,
    pid: gpid % 10_000_000,
    start: 1,
    boot: 'b',
    parent: 0,
    user: 'root',
    state: 'S',
    nice: 0,
    cpu: 0,
    memory: 0,
    residentKb: 0,
    ticks: 0,
    command: `program-${gpid}`,
    managed: false,
    ...given,
  };
}

export const info: NodeInfo = {
  hostname: 'h',
  kernel: 'k',
  arch: 'x64',
  boot: 'b',
  cpus: 4,
  load1: 1,
  memTotalKb: 8 * 1024 * 1024,
  memAvailableKb: 6 * 1024 * 1024,
  uptimeSeconds: 100,
  processes: 1,
  managed: 0,
};

/** A node that answers. */
export function upNode(id: number, tasks: readonly Task[], given: Partial<NodeInfo> = {}): NodeState {
  return { node: node(id), tasks, info: { ...info, ...given } };
}

export function downNode(id: number, failure: string): NodeState {
  return { node: node(id), tasks: [], failure };
}

/** What the agent of boot `b` tells of a process that nsh runs there as PID 7. */
export function managedRecord(argv: readonly string[], name: string): ManagedProcess {
  return {
    pid: localPid(7),
    start: 10,
    boot: 'b',
    argv: [...argv],
    name,
    cwd: '/',
    io: 'pipes',
    starter: { gpid: 0, user: 'u', host: 'h' },
    startedAtMs: 0,
    onDisconnect: 'keep',
    keepBytes: 0,
    out: { base: 0, end: 0, closed: false },
    clients: 0,
    shim: { id: 's', socket: '/s' },
  };
}
