/** Completion on a real node, through agent and shim; and the whole of it in a session's sources. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clusterSources, complete, type CompletionItem } from '../../shell/completion/index.ts';
import { listingCommand } from '../../shell/completion/listing-script.ts';
import { runOnNode } from '../../shell/completion/runners.ts';
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import { connectCluster } from '../../src/cluster/connect.ts';
import { loadCluster } from '../../src/cluster/file/index.ts';
import { currentStarter } from '../../src/cluster/starter.ts';
import type { Starter } from '../../src/protocol/process.ts';
import { ThisMachine } from '../shell/this-machine.ts';

let machine: ThisMachine;
let client: ClusterClient;
let starter: Starter;
let gpid: number;

beforeAll(async () => {
  machine = new ThisMachine();
  gpid = await machine.start('sleep', '4321');
  client = connectCluster(await loadCluster({ env: machine.env }), { env: machine.env });
  starter = currentStarter(machine.env, client.self, true);
  mkdirSync(join(machine.directory, 'work/sub dir'), { recursive: true });
  writeFileSync(join(machine.directory, 'work/file\nname'), '');
});
afterAll(async () => {
  client.close();
  await machine.stop();
});

async function items(line: string): Promise<readonly CompletionItem[]> {
  const sources = clusterSources(
    client,
    {
      node: () => client.self,
      cwd: () => join(machine.directory, 'work'),
      variables: () => [],
      commands: () => [],
      jobs: () => [],
    },
    starter,
  );
  let last: readonly CompletionItem[] = [];
  for await (const found of complete(line, line.length, sources, new AbortController().signal)) last = found.items;
  return last;
}

describe('a node', () => {
  it('lists names through the cluster, and leaves no output behind', async () => {
    const cwd = join(machine.directory, 'work');
    const question = { where: undefined, kind: 'path' as const, tilde: '', directory: '', base: '' };
    const output = await runOnNode(
      client,
      starter,
      client.self,
      listingCommand(question, cwd),
      AbortSignal.timeout(20_000),
    );
    expect(output.split('\0').sort()).toEqual(['', 'dsub dir', 'ffile\nname']);
  });

  it('stops listing when nobody waits any more', async () => {
    const abort = new AbortController();
    const running = runOnNode(client, starter, client.self, ['sh', '-c', 'echo; sleep 1000'], abort.signal);
    abort.abort();
    await expect(running).rejects.toThrow(/abort|broken off|cancel/i);
  });

  it('stops listing when it is more than anybody reads', async () => {
    const output = await runOnNode(client, starter, client.self, ['yes'], AbortSignal.timeout(20_000));
    expect(output.length).toBe(524_288);
  });
});

describe('a session', () => {
  it('completes paths, commands, and processes with their command lines', async () => {
    expect(await items('cat s')).toEqual([{ insert: 'sub\\ dir/', append: '', display: 'sub dir/' }]);
    expect(await items('cat f')).toEqual([{ insert: "file$'\\n'name", append: ' ', display: 'file?name' }]);
    expect(await items('mkfif')).toEqual([{ insert: 'mkfifo', append: ' ', display: 'mkfifo' }]);
    expect(await items('logs slee')).toEqual([
      { insert: String(gpid), append: ' ', display: String(gpid), description: 'localhost  sleep 4321' },
    ]);
    const ended = await machine.nsh(['run', '--name', 'job', '--', 'true']);
    expect(ended.status).toBe(0);
    const kept = await items('logs ');
    expect(kept.map(({ description }) => description)).toEqual([
      'localhost  sleep 4321',
      'localhost  (ended) job: true',
    ]);
    expect((await items('fg ')).map(({ insert }) => insert)).toEqual([String(gpid)]);
    expect((await items(`kill ${process.pid}`)).map(({ insert }) => insert)).toContain(String(process.pid));
  });
});
