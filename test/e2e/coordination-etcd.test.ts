/** `nsh lock`, `nsh sem` and `nsh elect` over an etcd of three members, while those, holders and waiters are killed or stand still. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readClaims } from '../../src/coordination/claims.ts';
import type { Store } from '../../src/store/store.ts';
import { read } from '../store/contract/context.ts';
import { EtcdCluster } from '../store/etcd/cluster.ts';
import { isRunning } from './nsh-cluster.ts';
import type { RunningNsh } from './nsh-program.ts';
import { startStoreCluster, type StoreCluster } from './store-cluster.ts';
import { waitUntil } from './wait-until.ts';

let etcd: EtcdCluster;
let stores: StoreCluster;
/** Looks at what the programs do. */
let store: Store;

beforeAll(async () => {
  etcd = await EtcdCluster.start();
  stores = await startStoreCluster({ count: 1, file: { extra: `store: ${JSON.stringify({ etcd: etcd.urls })}` } });
  store = await stores.open();
});
afterEach(() => etcd.restore());
afterAll(async () => {
  await stores.close();
  await etcd.stop();
});

const nsh = (...args: readonly string[]): RunningNsh => stores.cluster.spawnNsh(args);
const logOf = (name: string): string => join(stores.cluster.directory, name);
const linesOf = (name: string): string[] => readFileSync(logOf(name), 'utf8').split('\n').slice(0, -1);

/** `holds` and `waits` of a lock, semaphore or election, in their order; undefined while etcd does not answer. */
async function statesOf(name: string): Promise<string | undefined> {
  try {
    const claims = (await readClaims(store)).filter(({ place }) => place.name === name);
    return claims.map(({ state }) => state).join(' ');
  } catch {
    return undefined;
  }
}
const untilStates = (name: string, wanted: string): Promise<void> =>
  waitUntil(async () => (await statesOf(name)) === wanted, `${name}: ${wanted}`, 20_000);

/** Tells its token and PID, then waits for a line. */
const holding = ['sh', '-c', 'echo "token $NSH_FENCING_TOKEN $$"; read x'];
/** The same into a file, again and again. */
function beating(name: string): string[] {
  writeFileSync(logOf(name), '');
  return ['sh', '-c', `trap "" TERM; while :; do echo "$NSH_FENCING_TOKEN $$" >>${logOf(name)}; sleep 0.02; done`];
}

async function tokenOf(running: RunningNsh): Promise<bigint> {
  await running.untilStdout('token ');
  return BigInt(running.stdout.split(' ')[1] ?? '');
}

/** Releases what it holds. */
async function finish(running: RunningNsh): Promise<void> {
  running.child.stdin.end('\n');
  expect((await running.end()).status).toBe(0);
}

describe('members of etcd', () => {
  const kinds = [
    ['lock', 'l'],
    ['sem', '-n', '1', 's'],
    ['elect', 'e'],
  ] as const;

  it('are killed or stand still, and whoever holds and whoever waits goes on', async () => {
    const holders = kinds.map((words) => nsh(...words, '--', ...holding));
    const tokens = await Promise.all(holders.map(tokenOf));
    const waiters = kinds.map((words) => nsh(...words, '--', ...holding));
    await Promise.all(['l', 's', 'e'].map((name) => untilStates(name, 'holds waits')));
    const goesOn = (): Promise<void> =>
      waitUntil(
        () =>
          read(store, 'key').then(
            () => true,
            () => false,
          ),
        'etcd to answer',
      );
    const follower = etcd.member(await etcd.follower());
    follower.freeze();
    await goesOn();
    follower.thaw();
    const leader = etcd.member(await etcd.leader());
    leader.freeze();
    await goesOn();
    leader.thaw();
    await etcd.waitUntilServing();
    await etcd.member(await etcd.follower()).kill();
    await goesOn();
    await etcd.restore();
    await etcd.member(await etcd.leader()).kill();
    await goesOn();
    for (const name of ['l', 's', 'e']) expect(await statesOf(name)).toBe('holds waits');
    await Promise.all(holders.map(finish));
    const later = await Promise.all(waiters.map(tokenOf));
    expect(later.every((token, index) => token > (tokens[index] ?? 0n))).toBe(true);
    await Promise.all(waiters.map(finish));
  });

  it('have no majority: whoever holds is ended in time, and the next one has its turn when there is one', async () => {
    const holder = nsh('lock', '--ttl', '4s', 'q', '--', ...beating('q'));
    await waitUntil(() => linesOf('q').length > 0, 'the command to run');
    const waiter = nsh('lock', '--ttl', '60s', 'q', '--', ...holding);
    await untilStates('q', 'holds waits');
    const lost = await etcd.leader();
    const from = performance.now();
    await Promise.all([0, 1, 2].filter((index) => index !== lost).map((index) => etcd.member(index).kill()));
    const pid = Number(linesOf('q')[0]?.split(' ')[1]);
    await waitUntil(() => !isRunning(pid), 'the end of the command');
    // Until it finds that it is alone, at its election timeout, the leader of etcd goes on to renew.
    expect(performance.now() - from).toBeLessThan(4_000 + 2_000);
    const last = linesOf('q').length;
    expect(waiter.stdout).toBe('');
    await etcd.restore();
    const { status, stderr } = await holder.end();
    expect([status, stderr]).toEqual([255, expect.stringContaining('has ended')]);
    const token = await tokenOf(waiter);
    expect(linesOf('q')).toHaveLength(last);
    expect(token).toBeGreaterThan(BigInt(linesOf('q')[0]?.split(' ')[0] ?? ''));
    await finish(waiter);
  });
});

describe('a holder', () => {
  it('that is killed together with the leader of etcd is followed by the next, and its command has ended', async () => {
    const holder = nsh('lock', '--ttl', '3s', 'both', '--', ...beating('both'));
    await waitUntil(() => linesOf('both').length > 0, 'the command to run');
    const waiter = nsh('lock', 'both', '--', ...holding);
    await untilStates('both', 'holds waits');
    holder.kill('SIGKILL');
    await etcd.member(await etcd.leader()).kill();
    const token = await tokenOf(waiter);
    const [first = '', pid = ''] = linesOf('both')[0]?.split(' ') ?? [];
    expect([isRunning(Number(pid)), token > BigInt(first)]).toEqual([false, true]);
    await finish(waiter);
  });
});

describe.concurrent('a holder', () => {
  it.each([
    ['leads', ['elect']],
    ['has a semaphore', ['sem', '-n', '1']],
  ] as const)('that %s and stands still is ended before another one has its turn', async (_what, words) => {
    const name = words[0].concat('-still');
    const holder = nsh(...words, '--ttl', '3s', name, '--', ...beating(name));
    await waitUntil(() => linesOf(name).length > 0, 'the command to run');
    const waiter = nsh(...words, name, '--', ...holding);
    await untilStates(name, 'holds waits');
    holder.kill('SIGSTOP');
    try {
      const token = await tokenOf(waiter);
      const [first = '', pid = ''] = linesOf(name)[0]?.split(' ') ?? [];
      expect([isRunning(Number(pid)), token > BigInt(first)]).toEqual([false, true]);
    } finally {
      holder.kill('SIGCONT');
    }
    expect((await holder.end()).status).toBe(255);
    await finish(waiter);
  });
});

describe.concurrent('a waiter', () => {
  it('that stands still keeps nobody behind it waiting, once its session has ended, and does not run later', async () => {
    const holder = nsh('lock', 'line', '--', ...holding);
    await tokenOf(holder);
    const still = nsh('lock', '--ttl', '3s', 'line', '--', ...beating('line'));
    await untilStates('line', 'holds waits');
    const behind = nsh('lock', 'line', '--', ...holding);
    await untilStates('line', 'holds waits waits');
    still.kill('SIGSTOP');
    try {
      await finish(holder);
      await tokenOf(behind);
    } finally {
      still.kill('SIGCONT');
    }
    expect((await still.end()).status).toBe(255);
    await finish(behind);
    expect(linesOf('line')).toEqual([]);
  });
});
