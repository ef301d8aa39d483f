/** A node whose disk takes nothing any more: what runs goes on, and when there is room again nothing has been forgotten for good. */
import { MemoryLimits } from '../../../agent/supervision/memory-limit.ts';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NodeService } from '../../../agent/daemon/node-service.ts';
import type { ShimPool } from '../../../agent/daemon/shim-pool.ts';
import { ManagedTable } from '../../../agent/daemon/managed-table.ts';
import { GroupFiles } from '../../../agent/supervision/group-files.ts';
import { NodeRuntime } from '../../../agent/supervision/node-runtime.ts';
import { Replicas } from '../../../agent/supervision/replicas.ts';
import { nodeId } from '../../../src/ids/gpid.ts';
import type { GroupReport, Order } from '../../../src/policy/supervision/order.ts';
import { parseGroupSpec } from '../../../src/policy/supervision/parse-spec.ts';

let state: string;
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'nsh-full-'));
});
afterEach(() => rmSync(state, { recursive: true, force: true }));

/** Nothing can be written there: also root's. */
function block(name: string): () => void {
  const draft = join(state, 'groups', `${name}~`);
  mkdirSync(draft, { recursive: true });
  return () => rmSync(draft, { recursive: true });
}

function startRuntime() {
  const files = new GroupFiles(state);
  const started: string[] = [];
  const reports: GroupReport[] = [];
  const runtime = new NodeRuntime({ files, onReport: (report) => reports.push(report), onEvent: () => undefined });
  const service = {
    start: (_params: unknown, { replica }: { replica: { slot: number } }) => {
      started.push(`slot ${replica.slot}`);
      return new Promise(() => undefined);
    },
  } as unknown as NodeService;
  const shims = { table: new ManagedTable(10), shims: [] } as unknown as ShimPool;
  const replicas = new Replicas({
    service,
    shims,
    files,
    node: nodeId(1),
    processes: state,
    agentSocket: join(state, 'agent.sock'),
    killAtBootMs: () => undefined,
    tell: (event) => runtime.feed(event),
    memory: new MemoryLimits(),
    onFault: () => undefined,
  });
  runtime.begin(replicas);
  return { runtime, started, reports, files };
}

const spec = parseGroupSpec({ name: 'web', command: ['x'] });
const order: Order = {
  group: 'web',
  epoch: 5n,
  serial: 7n,
  spec,
  versions: new Map([['v', spec]]),
  slots: [{ slot: 1, version: 'v' }],
  scope: 'node',
  round: 1,
};

describe('on a full disk', () => {
  it('an order is followed that cannot be kept for the next agent', () => {
    block('orders/web');
    const { runtime, started, reports } = startRuntime();
    runtime.feed({ kind: 'order', order });
    expect([started, reports.at(-1)?.replicas.map(({ phase }) => phase)]).toEqual([['slot 1'], ['starting']]);
    runtime.close();
  });

  it('an order of a leader that cannot be remembered is followed when it can be', () => {
    const unblock = block('epochs.json');
    const { runtime, started, files } = startRuntime();
    expect(() => runtime.feed({ kind: 'order', order })).toThrow(/EISDIR/);
    expect([started, runtime.groups]).toEqual([[], []]);
    unblock();
    runtime.feed({ kind: 'order', order });
    expect([started, runtime.groups]).toEqual([['slot 1'], ['web']]);
    expect([...new GroupFiles(state).epochs]).toEqual([...files.epochs]);
    runtime.close();
  });

  it('an agent goes on with what it has taken part in', () => {
    new GroupFiles(state).takesPart = true;
    block('takes-part');
    block('session');
    block('ready.json');
    const files = new GroupFiles(state);
    files.takesPart = true;
    files.session = '4711';
    files.noteReady('1 2 b', true);
    expect([files.takesPart, files.hasBeenReady('1 2 b')]).toEqual([true, true]);
  });
});

describe('the epochs that are kept', () => {
  it('are those of the groups seen last, a thousand of them', () => {
    const files = new GroupFiles(state);
    for (let n = 1; n <= 1_003; n++) files.rememberEpoch(`job-${n}`, 1n);
    files.rememberEpoch('job-4', 2n);
    files.rememberEpoch('job-1004', 2n);
    const kept = new GroupFiles(state).epochs;
    expect([kept.size, kept.has('job-3'), kept.get('job-4'), kept.has('job-5')]).toEqual([1_000, false, 2n, false]);
  });
});
