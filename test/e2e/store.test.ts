/** The embedded store as a cluster has it: who may use it, what a broken link and a killed agent do to its clients, and its status. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEmbeddedStore } from '../../agent/store/open-store.ts';
import type { Store } from '../../src/store/store.ts';
import { put, read, WatchReader, write } from '../store/contract/context.ts';
import { startStoreCluster, type StoreCluster } from './store-cluster.ts';
import { waitUntil } from './wait-until.ts';

let stores: StoreCluster;
let store: Store;
beforeAll(async () => {
  stores = await startStoreCluster({ count: 2 });
  store = await stores.open();
});
afterAll(() => stores.close());

const status = async (...args: readonly string[]) => {
  const {
    stdout,
    stderr,
    status: code,
  } = await stores.cluster.nsh(['store', 'status', ...args], { timeoutMs: 30_000 });
  return { stdout, stderr, code };
};

/** The agent of n1, which holds the store, killed with SIGKILL; its state stays. */
async function killAgent(): Promise<void> {
  const host = stores.cluster.host('n1');
  const agents = () => host.processes().filter(({ command }) => command.startsWith('nsh-agent'));
  const [agent] = agents();
  if (agent === undefined) throw new Error('no agent runs on n1');
  host.kill(agent.pid, 'SIGKILL');
  await waitUntil(() => agents().every(({ pid }) => pid !== agent.pid), 'the end of the agent');
}

describe('nsh store status', () => {
  it('says which it is, how it is, that it does not survive the loss of its node, and who cannot log in', async () => {
    const { stdout, code } = await status();
    expect(stdout).toMatch(/^store +embedded on n1$/m);
    expect(stdout).toMatch(/^health +ok$/m);
    expect(stdout).toMatch(/^survives +a restart of n1, not its loss/m);
    expect(stdout).toMatch(/^used by +n1$/m);
    expect(stdout).toMatch(/^unable +n2: cannot log in to n1$/m);
    expect(stdout).toMatch(/^warning: n2: /m);
    expect(code).toBe(3);
    const report = JSON.parse((await status('--json')).stdout) as Record<string, unknown>;
    expect(report).toMatchObject({
      backend: 'embedded',
      node: 'n1',
      endpoints: ['n1'],
      health: 'ok',
      faultTolerant: false,
      nodes: [
        { node: 'n1', able: true },
        { node: 'n2', able: false },
      ],
      unable: [{ node: 'n2', error: { message: expect.stringMatching(/^n2: .*n1/) as unknown } }],
    });
    expect((await status('-n', 'n1')).code).toBe(0);
  });

  it('counts a node that has a cluster file and can log in among those that use it', async () => {
    const home = stores.cluster.host('n2').home;
    mkdirSync(join(home, '.config/nsh'), { recursive: true });
    copyFileSync(stores.cluster.file, join(home, '.config/nsh/cluster.yaml'));
    const { stdout } = await status('-n', 'n2');
    expect(stdout).toMatch(/^used by +n2$/m);
  });

  it('tells why where the node of the store cannot be reached', async () => {
    const { cluster } = stores;
    const node = ({ name }: { name: string }) => (name === 'n1' ? { port: 1 } : {});
    const file = await cluster.hosts.clusterFile({ cluster: 'away', fileName: 'away.yaml', node });
    const away = await cluster.nsh(['store', 'status'], { env: { NSH_CLUSTER: file }, timeoutMs: 30_000 });
    expect(away.stdout).toMatch(/^health +down$/m);
    expect(away.stdout).toMatch(/^warning: n1: .*refused/m);
    expect(away.status).toBe(255);
  });
});

describe('a client of a store whose agent is killed', () => {
  it('loses nothing that was acknowledged, and never hears storeUnavailable of what was done all the same', async () => {
    await store.txn([], [{ op: 'deletePrefix', prefix: 'many/' }]);
    const outcomes = new Map<string, string>();
    const over = new AbortController();
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let i = 0; !over.signal.aborted; i++) {
        const key = `many/${writer}/${i}`;
        const outcome = write(store, key, '').then(
          () => 'done',
          (error: { code: string }) => error.code,
        );
        outcomes.set(key, await outcome);
      }
    });
    const done = () => [...outcomes.values()].filter((outcome) => outcome === 'done').length;
    for (let kills = 0; kills < 4; kills++) {
      const before = done();
      await waitUntil(() => done() > before + 100, 'some writes', 30_000);
      await killAgent();
    }
    over.abort();
    await Promise.all(writers);
    // The agent may be on its way up, on a busy machine for longer than a call waits by default.
    const { entries } = await store.list('many/', { keysOnly: true, deadlineMs: 30_000 });
    const there = new Set(entries.map(({ key }) => key));
    const of = (wanted: string) => [...outcomes].filter(([, outcome]) => outcome === wanted).map(([key]) => key);
    expect(of('done').filter((key) => !there.has(key))).toEqual([]);
    expect(of('storeUnavailable').filter((key) => there.has(key))).toEqual([]);
    expect(outcomes.size).toBe(of('done').length + of('storeUnavailable').length + of('storeUnknown').length);
  });

  it('is told each change once, in order, though it watches over several of its ends', async () => {
    const { revision } = await store.txn([], [{ op: 'deletePrefix', prefix: 'w/' }]);
    const reader = new WatchReader(store, 'w/', revision + 1n);
    const written: string[] = [];
    for (let i = 0; written.length < 60; i++) {
      if (i % 20 === 10) await killAgent();
      const key = `w/${String(i).padStart(4, '0')}`;
      // What is not known to be written is written under another name.
      await write(store, key, '').catch(() => undefined);
      if (
        await store.get(key).then(
          ({ entry }) => entry !== undefined,
          () => false,
        )
      )
        written.push(key);
    }
    const { entries } = await store.list('w/', { keysOnly: true, deadlineMs: 30_000 });
    const events = await reader.events(entries.length);
    expect(events).toEqual(entries.map(({ key }) => `+${key}=`));
    expect(reader.batches.map(({ revision: each }) => each)).toEqual(
      reader.batches.map(({ revision: each }) => each).toSorted((a, b) => (a < b ? -1 : 1)),
    );
    await reader.stop();
  });

  it('keeps its session, and what it holds, over a restart within the TTL', async () => {
    const session = await store.openSession(10);
    await store.txn([], [{ op: 'put', key: 'held', value: Buffer.from(''), session: session.id }]);
    await killAgent();
    const before = session.deadline();
    await expect.poll(() => session.deadline(), { timeout: 20_000 }).toBeGreaterThan(before);
    expect(session.lost.aborted).toBe(false);
    expect(await read(store, 'held')).toBe('');
    await session.close();
    expect(await read(store, 'held')).toBeUndefined();
  });
});

it('is refused to a second agent, which is told who has it', async () => {
  const { cluster } = stores;
  // Without a cluster file this machine is the cluster, and its own agent holds the store.
  const env = { NSH_CLUSTER: '' };
  expect((await cluster.nsh(['store', 'status'], { env })).status).toBe(0);
  const local = join(cluster.stateHome, 'nsh/local');
  const [state = ''] = readdirSync(local).filter((name) => name.startsWith('0-'));
  const directory = join(local, state, 'store');
  const pid = readFileSync(join(directory, 'lock'), 'latin1').split(' ')[0];
  expect(() => openEmbeddedStore({ directory, node: 'second' })).toThrow(
    `second: the store ${directory} is another agent's (PID ${pid})`,
  );
  // The other way round: the agent is the second.
  expect((await cluster.nsh(['agent', 'stop'], { env })).status).toBe(0);
  expect(existsSync(join(directory, 'lock'))).toBe(false);
  const first = openEmbeddedStore({ directory, node: 'first' });
  const refused = await cluster.nsh(['store', 'status'], { env });
  expect(refused.stdout).toContain(`is another agent's (PID ${process.pid})`);
  expect(refused.status).not.toBe(0);
  await first.close();
  expect((await cluster.nsh(['store', 'status'], { env })).status).toBe(0);
});

it('is not served by a node whose own cluster file puts it elsewhere', async () => {
  const { cluster } = stores;
  const config = join(cluster.host('n1').home, '.config/nsh');
  mkdirSync(config, { recursive: true });
  writeFileSync(join(config, 'cluster.yaml'), `${readFileSync(cluster.file, 'utf8')}\nstore: {embedded: n2}\n`);
  await cluster.nsh(['agent', 'stop', '-n', 'n1']);
  const { stdout, code } = await status('-n', 'n1');
  expect(stdout).toMatch(/by the cluster file on n1 \(\S+\) the store is on n2, not there: make the files alike/);
  expect(code).toBe(255);
  rmSync(config, { recursive: true });
  await cluster.nsh(['agent', 'stop', '-n', 'n1']);
  expect((await status('-n', 'n1')).code).toBe(0);
});

it('reads a list larger than one answer whole, at one revision', async () => {
  const value = Buffer.alloc(700_000, 'x');
  for (let i = 0; i < 10; i++)
    await store.txn(
      [],
      [
        { op: 'put', key: `large/${i}`, value },
        { op: 'put', key: `large/${i}b`, value },
      ],
    );
  const { entries, more } = await store.list('large/');
  expect(entries.map(({ key, value: { length } }) => [key, length])).toEqual(
    Array.from({ length: 20 }, (_, i) => [`large/${Math.floor(i / 2)}${i % 2 === 0 ? '' : 'b'}`, 700_000]),
  );
  expect(more).toBe(false);
  const some = await store.list('large/', { limit: 13 });
  expect([some.entries.length, some.more]).toEqual([13, true]);
  await store.txn([], [{ op: 'deletePrefix', prefix: 'large/' }, put('end', '')]);
});
