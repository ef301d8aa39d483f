/** The primitives as the nsh program has them, on this machine alone: its agent holds the store. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import { connectCluster } from '../../src/cluster/connect.ts';
import { loadCluster } from '../../src/cluster/file/index.ts';
import { readClaims, type ClaimState } from '../../src/coordination/claims.ts';
import { findDeadlocks } from '../../src/coordination/deadlock.ts';
import type { Store } from '../../src/store/store.ts';
import { nshProgram, type RunningNsh } from './nsh-program.ts';
import { isRunning } from './nsh-cluster.ts';
import { OneMachine } from './one-machine.ts';
import { waitUntil } from './wait-until.ts';

const nsh = `${process.execPath} ${nshProgram}`;
let machine: OneMachine;
/** Looks at what the programs do, without the cost of one. */
let client: ClusterClient;
let store: Store;

beforeAll(async () => {
  machine = new OneMachine();
  await machine.nsh('counter', 'warm', '+1');
  client = connectCluster(await loadCluster({ env: machine.env }), { env: machine.env });
  store = await client.store();
});
afterAll(async () => {
  client.close();
  await machine.stop();
});

let names = 0;
/** One that no earlier try has used. */
const fresh = (word: string): string => `${word}-${++names}`;

const logOf = (name: string): string => join(machine.directory, name);
const linesOf = (name: string): string[] => {
  try {
    return readFileSync(logOf(name), 'utf8').split('\n').slice(0, -1);
  } catch {
    return []; // Nobody has written yet.
  }
};

const claims = (): Promise<readonly ClaimState[]> => readClaims(store);
const statesOf = async (name: string): Promise<string[]> =>
  (await claims()).filter(({ place }) => place.name === name).map(({ state }) => state);
const untilStates = async (name: string, wanted: readonly string[]): Promise<void> => {
  const isSo = async (): Promise<boolean> => (await statesOf(name)).join() === wanted.join();
  await waitUntil(isSo, `${name}: ${wanted.join()}`, 20_000);
};

/** Writes `WORD` into the log again and again until it is ended; `WORD over` where it is asked to end. */
function writer(log: string, word: string): string {
  return `echo "$$ pid" >> ${logOf(`${log}.pid`)}; while :; do echo ${word} >> ${logOf(log)}; sleep 0.02; done`;
}

describe('nsh lock', () => {
  it('lets one in at a time, with tokens that grow, and passes on the status', async () => {
    const turns = fresh('turns');
    const work = `echo "in $NSH_FENCING_TOKEN" >> ${logOf(turns)}; sleep 0.02; echo "out $NSH_FENCING_TOKEN" >> ${logOf(turns)}; exit 7`;
    const running = Array.from({ length: 6 }, () => machine.spawn('lock', turns, '--', 'sh', '-c', work));
    for (const each of running) expect((await each.end()).status).toBe(7);
    const lines = linesOf(turns);
    const tokens = lines.filter((line) => line.startsWith('in')).map((line) => BigInt(line.slice(3)));
    expect(lines).toEqual(tokens.flatMap((token) => [`in ${token}`, `out ${token}`]));
    expect(tokens).toEqual([...new Set(tokens)].sort((a, b) => (a < b ? -1 : 1)));
    expect(tokens).toHaveLength(6);
    expect(await statesOf(turns)).toEqual([]);
  });

  it('does not wait with --try, nor longer than -t says, and names who has it', async () => {
    const busy = fresh('busy');
    const holder = machine.spawn('lock', busy, 'sh', '-c', 'echo has it; read x');
    await holder.untilStdout('has it');
    const tried = await machine.nsh('lock', '--try', busy, 'true');
    expect(tried).toMatchObject({ status: 75, stdout: '' });
    const ps = await machine.nsh('ps', '-p', String(holder.child.pid), '-o', 'pid,locks,waits', '--no-headers');
    expect(ps.stdout.trim().split(/ +/)).toEqual([String(holder.child.pid), `lock:${busy}`, '-']);
    expect(tried.stderr).toContain(`lock '${busy}' is taken by ${holder.child.pid} on `);
    expect(tried.stderr).toContain('(sh -c echo has it; read x)');
    expect(await machine.nsh('lock', '-t', '200ms', busy, 'true')).toMatchObject({ status: 124 });
    holder.child.stdin.end('\n');
    expect(await holder.end()).toMatchObject({ status: 0 });
    expect(await machine.nsh('lock', '--try', busy, 'no-such-program')).toMatchObject({ status: 127 });
  });

  it('is left at once by a waiter that is broken off', async () => {
    const q = fresh('q');
    const holder = machine.spawn('lock', q, 'sh', '-c', 'echo has it; read x');
    await holder.untilStdout('has it');
    const waiter = machine.spawn('lock', q, 'true');
    await untilStates(q, ['holds', 'waits']);
    waiter.kill('SIGINT');
    expect((await waiter.end()).status).toBe(130);
    expect(await statesOf(q)).toEqual(['holds']);
    holder.child.stdin.end('\n');
    expect((await holder.end()).status).toBe(0);
  });
});

describe.concurrent('a command under a lock', () => {
  const begin = async (name: string): Promise<RunningNsh> => {
    const holder = machine.spawn('lock', '--ttl', '5s', name, 'sh', '-c', writer(name, 'old'));
    await waitUntil(() => linesOf(name).length > 0, 'the command to run');
    return holder;
  };
  /** Whether the old one is gone, and what the log says in the end, once the next one has run. */
  const next = async (name: string): Promise<{ readonly isOldGone: boolean; readonly last: string | undefined }> => {
    const successor = machine.spawn('lock', '--ttl', '5s', name, 'sh', '-c', `echo new >> ${logOf(name)}`);
    expect((await successor.end()).status).toBe(0);
    const pid = Number(linesOf(`${name}.pid`)[0]?.split(' ')[0]);
    return { isOldGone: !isRunning(pid), last: linesOf(name).at(-1) };
  };

  it('is ended before the next one runs where nsh is killed', async () => {
    const name = fresh('killed');
    const holder = await begin(name);
    holder.kill('SIGKILL');
    expect(await next(name)).toEqual({ isOldGone: true, last: 'new' });
  });

  it('is killed before the next one runs where nsh stands still', async () => {
    const name = fresh('stopped');
    const holder = await begin(name);
    holder.kill('SIGSTOP');
    expect(await next(name)).toEqual({ isOldGone: true, last: 'new' });
    holder.kill('SIGCONT');
    const { status, stderr } = await holder.end();
    expect(status).toBe(255);
    expect(stderr).toMatch(/the session \w+ has ended: .*; sh is ended/);
  });

  it('is not kept waiting by a waiter that was killed, once the session of that has ended', async () => {
    const q = fresh('q');
    const holder = machine.spawn('lock', q, 'sh', '-c', 'echo has it; read x');
    await holder.untilStdout('has it');
    const killed = machine.spawn('lock', '--ttl', '5s', q, 'true');
    await untilStates(q, ['holds', 'waits']);
    killed.kill('SIGKILL');
    const last = machine.spawn('lock', q, 'true');
    await untilStates(q, ['holds', 'waits', 'waits']);
    holder.child.stdin.end('\n');
    expect((await last.end()).status).toBe(0);
  });
});

describe.concurrent('many at once', () => {
  it('names those who wait for each other for ever', async ({ onTestFinished }) => {
    const [left, right] = [fresh('left'), fresh('right')];
    const inner = (name: string, other: string): string =>
      `echo has ${name}; read x; ${nsh} lock ${other} true; echo over`;
    const one = machine.spawn('lock', left, 'sh', '-c', inner(left, right));
    const two = machine.spawn('lock', right, 'sh', '-c', inner(right, left));
    onTestFinished(async () => {
      for (const each of [one, two]) each.kill('SIGTERM');
      await Promise.all([one.ended, two.ended]);
    });
    await Promise.all([one.untilStdout('has'), two.untilStdout('has')]);
    expect(findDeadlocks(await claims())).toEqual([]);
    one.child.stdin.end('\n');
    two.child.stdin.end('\n');
    await untilStates(left, ['holds', 'waits']);
    await untilStates(right, ['holds', 'waits']);
    const { deadlocks } = JSON.parse((await machine.nsh('locks', '--json')).stdout) as { deadlocks: string[][] };
    expect(deadlocks.map((circle) => circle.length)).toEqual([4]);
    const { stdout, stderr, status } = await machine.nsh('locks', '--no-headers', left);
    expect(status).toBe(0);
    expect(stdout.split('\n').filter((line) => line.includes(left))).toHaveLength(2);
    expect(stderr).toMatch(
      /deadlock: \d+ on \S+ \(true\) waits for lock '(left-|right-)\d+', and \d+ on \S+ \(true\) waits for lock/,
    );
    // The command that is ended takes along what it has asked for.
    const waiting = must((await claims()).find(({ place, state }) => place.name === left && state === 'waits'));
    process.kill(waiting.party.gpid, 'SIGTERM');
    expect([(await one.end()).status, (await two.end()).status]).toEqual([0, 0]);
  });

  it('counts, keeps values, and finds by name', async () => {
    const [n, bytes, w, primary] = [fresh('n'), fresh('bytes'), fresh('w'), fresh('db/primary')];
    const added = await Promise.all(Array.from({ length: 4 }, () => machine.nsh('counter', n, '+2')));
    expect(added.map(({ stdout }) => Number(stdout)).sort((a, b) => a - b)).toEqual([2, 4, 6, 8]);
    expect(await machine.nsh('counter', n, '=-5')).toMatchObject({ stdout: '-5\n', status: 0 });
    const put = machine.spawn('kv', 'put', bytes);
    put.child.stdin.end(Buffer.from([0, 255, 10]));
    expect((await put.end()).status).toBe(0);
    expect([...(await machine.nsh('kv', 'get', bytes)).bytes]).toEqual([0, 255, 10]);
    expect(JSON.parse((await machine.nsh('kv', 'get', '--json', bytes)).stdout)).toMatchObject({ base64: 'AP8K' });
    const watching = machine.spawn('kv', 'watch', `${w}/`);
    await machine.nsh('kv', 'put', `${w}/1`, 'one\u001b[31m');
    await machine.nsh('kv', 'del', `${w}/1`);
    await watching.untilStdout(`put ${w}/1 one?[31m\ndel ${w}/1\n`);
    watching.kill('SIGINT');
    expect((await watching.end()).status).toBe(130);
    expect(await machine.nsh('kv', 'put', '--new', bytes, 'x')).toMatchObject({ status: 1 });
    expect(await machine.nsh('name', '--find', primary)).toMatchObject({ status: 1 });
    const finder = machine.spawn('name', '--find', '-t', '20s', primary);
    const named = machine.spawn('name', primary, 'here:5432', '--', 'sh', '-c', 'echo $NSH_FENCING_TOKEN; read x');
    expect(await finder.end()).toMatchObject({ status: 0, stdout: 'here:5432\n' });
    expect((await machine.nsh('name', primary)).stderr).toContain(`is taken by ${named.child.pid} on`);
    named.child.stdin.end('\n');
    expect((await named.end()).stdout).toMatch(/^\d+\n$/);
    expect((await machine.nsh('name', '-l')).stdout).not.toContain(primary);
  });

  it('brings processes together, and has one leader', async () => {
    const [gate, boss] = [fresh('gate'), fresh('boss')];
    const early = Array.from({ length: 2 }, () => machine.spawn('barrier', '-n', '3', gate));
    await untilStates(gate, ['waits', 'waits']);
    const other = await machine.nsh('barrier', '-n', '2', gate);
    expect(other).toMatchObject({ status: 1, stderr: expect.stringContaining('with -n 3') as unknown });
    expect(await machine.nsh('barrier', '-n', '3', gate)).toMatchObject({ status: 0 });
    for (const each of early) expect((await each.end()).status).toBe(0);
    expect(await machine.nsh('barrier', '-n', '2', '-t', '100ms', gate)).toMatchObject({ status: 124 });
    const leader = machine.spawn('elect', '--says', 'first', boss, 'sh', '-c', 'echo leads; read x');
    await leader.untilStdout('leads');
    const observer = machine.spawn('elect', '--observe', boss);
    await observer.untilStdout(' first\n');
    const second = machine.spawn('elect', '--says', 'second', boss, 'sh', '-c', 'echo leads; read x');
    await untilStates(boss, ['holds', 'waits']);
    leader.child.stdin.end('\n');
    await second.untilStdout('leads');
    await observer.untilStdout(' second\n');
    observer.kill('SIGTERM');
    second.child.stdin.end('\n');
    expect((await second.end()).status).toBe(0);
    await observer.end();
  });
});

describe('the agent', () => {
  it('that is killed leaves what is held with whoever holds it', async () => {
    const kept = fresh('kept');
    const holder = machine.spawn('lock', kept, 'sh', '-c', 'echo has it; read x; echo done');
    await holder.untilStdout('has it');
    const pid = machine.agentPid() ?? 0;
    process.kill(pid, 'SIGKILL');
    await waitUntil(() => !isRunning(pid), 'the end of the agent');
    expect(await machine.nsh('lock', '--try', kept, 'true')).toMatchObject({ status: 75 });
    holder.child.stdin.end('\n');
    expect(await holder.end()).toMatchObject({ status: 0, stdout: 'has it\ndone\n' });
    expect(await machine.nsh('lock', '--try', kept, 'true')).toMatchObject({ status: 0 });
  });

  it('that stands still costs the lock, and the command is ended first', async () => {
    const lost = fresh('lost');
    const holder = machine.spawn('lock', '--ttl', '3s', lost, 'sh', '-c', writer(lost, 'old'));
    await waitUntil(() => linesOf(lost).length > 0, 'the command to run');
    const pid = machine.agentPid() ?? 0;
    const began = performance.now();
    process.kill(pid, 'SIGSTOP');
    try {
      const { status, stderr } = await holder.end();
      expect(performance.now() - began).toBeLessThan(15_000);
      expect({ status, stderr }).toEqual({
        status: 255,
        stderr: expect.stringMatching(
          /^nsh lock: the session \w+ has ended: it has not been renewed for 2 s; sh is ended$/m,
        ),
      });
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await untilStates(lost, []);
  });
});

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('there is none');
  return value;
}
