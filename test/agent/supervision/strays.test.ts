/** Replicas whose shim was killed, and which nobody wants here or knows of any more: real processes. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ManagedTable } from '../../../agent/daemon/managed-table.ts';
import type { NodeService } from '../../../agent/daemon/node-service.ts';
import type { ShimPool } from '../../../agent/daemon/shim-pool.ts';
import { GroupFiles } from '../../../agent/supervision/group-files.ts';
import { MemoryLimits } from '../../../agent/supervision/memory-limit.ts';
import { Replicas } from '../../../agent/supervision/replicas.ts';
import { bootIdentity, readStart } from '../../../src/cluster/this-machine.ts';
import { localPid, nodeId, toGpid } from '../../../src/ids/gpid.ts';
import type { ManagedProcess } from '../../../src/protocol/process.ts';

const node = nodeId(1);
let directory: string;
let children: ChildProcess[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'nsh-strays-'));
  children = [];
});
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

/** @param gpid as the shell has it; default: its own. */
async function start(gpid = `$((${toGpid(node, localPid(1)) - 1} + $$))`): Promise<ChildProcess & { pid: number }> {
  const env = {
    PATH: process.env['PATH'],
    NSH_SOCKET: join(directory, 'agent.sock'),
    NSH_GROUP: 'web',
    NSH_REPLICA: '1',
  };
  const command = `export NSH_GPID=${gpid}; exec sh -c 'echo; exec sleep 1000'`;
  const child = spawn('sh', ['-c', command], { env, detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
  children.push(child);
  await once(child.stdout, 'data');
  return Object.assign(child, { pid: child.pid ?? 0 });
}

function replicasWith(...records: ManagedProcess[]): Replicas {
  const table = new ManagedTable(10);
  for (const record of records) table.put(record);
  return new Replicas({
    node,
    service: {} as NodeService,
    shims: { table, shims: [], byId: () => undefined } as unknown as ShimPool,
    files: new GroupFiles(directory),
    memory: new MemoryLimits(),
    processes: directory,
    agentSocket: join(directory, 'agent.sock'),
    killAtBootMs: () => undefined,
    tell: () => undefined,
    onFault: () => undefined,
  });
}

it('one that is not wanted here any more is ended, though its shim was killed while there was no agent', async () => {
  const child = await start('1');
  const ended = once(child, 'exit');
  const replicas = replicasWith({
    pid: localPid(child.pid),
    start: readStart(child.pid) ?? 0,
    boot: bootIdentity(),
    argv: ['sleep'],
    cwd: '/',
    io: 'pipes',
    starter: { gpid: 0, user: 'u', host: 'h' },
    startedAtMs: 0,
    onDisconnect: 'keep',
    keepBytes: 0,
    out: { base: 0, end: 0, closed: true },
    clients: 0,
    shim: { id: 's', socket: '/s' },
    replica: { group: 'web', slot: 1, run: 1, version: 'v' },
    exit: { code: null, signal: null, atMs: 0, lost: 'its shim was killed' },
  });
  replicas.check();
  replicas.close();
  expect(await ended).toEqual([null, 'SIGKILL']);
});

it('one of which there is no record is ended, and not what a replica has started', async () => {
  const [child, other] = [await start(), await start('10000001')];
  const ended = once(child, 'exit');
  const replicas = replicasWith();
  replicas.check();
  replicas.close();
  expect(await ended).toEqual([null, 'SIGKILL']);
  expect([other.exitCode, other.signalCode]).toEqual([null, null]);
});
