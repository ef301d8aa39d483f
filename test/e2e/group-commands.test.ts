/** The commands of groups and of the cluster of record as the nsh program has them, with the embedded store of this machine's agent. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { OneMachine } from './one-machine.ts';
import { waitUntil } from './wait-until.ts';

let machine: OneMachine;

beforeAll(() => {
  machine = new OneMachine();
});
beforeEach(async () => {
  if (machine.agentPid() === undefined) await machine.startAgent('--session-ttl', '3');
});
afterEach(({ task }) => machine.cleanAfter(task));
afterAll(async () => {
  await machine.stop();
});

interface Shown {
  readonly name: string;
  readonly state: string;
  readonly replicas: number;
  readonly slots: readonly { name: string; state: string; pid: number | null; run?: number; outdated: boolean }[];
  readonly spec: { readonly env?: Readonly<Record<string, string>>; readonly command: readonly string[] };
}

const show = async (name: string): Promise<Shown> =>
  JSON.parse((await machine.nsh('group', 'show', '--json', name)).stdout) as Shown;

describe('nsh group, scale and cluster', () => {
  it('write a group and the first cluster of record, and both are there afterwards', async () => {
    const started = await machine.nsh('group', 'start', 'web', '-n', '0', '-e', 'A=b c', '--', 'sleep', '--x', '-n');
    expect(started).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(await show('web')).toMatchObject({
      replicas: 0,
      spec: { command: ['sleep', '--x', '-n'], env: { A: 'b c' } },
    });
    expect((await machine.nsh('cluster', 'show')).stdout).toMatch(/ID {2}NODE +LABELS\n 0 {2}localhost\n$/);
    expect(await machine.nsh('cluster', 'diff')).toMatchObject({ status: 0, stdout: '', stderr: '' });
    const again = await machine.nsh('group', 'start', 'web', '--', 'true');
    expect(again).toMatchObject({ status: 1, stdout: '' });
    expect(again.stderr).toContain("nsh group: there is a group 'web' already");
    const unknown = await machine.nsh('scale', 'wbe=3');
    expect(unknown).toMatchObject({ status: 1, stderr: "nsh scale: there is no group 'wbe'; did you mean 'web'?\n" });
  });

  it('lose no change where several come at once', async () => {
    await machine.nsh('group', 'start', 'busy', '-n', '0', '--', 'sleep', '1000');
    const all = await Promise.all([
      machine.nsh('group', 'update', 'busy', '-e', 'A=1'),
      machine.nsh('group', 'update', 'busy', '-e', 'B=2'),
      machine.nsh('group', 'update', 'busy', '--stop-timeout', '1s'),
    ]);
    expect(all.map(({ status, stderr }) => ({ status, stderr }))).toEqual(all.map(() => ({ status: 0, stderr: '' })));
    expect((await show('busy')).spec).toMatchObject({ env: { A: '1', B: '2' }, 'stop-timeout': '1s' });
    const events = (await machine.nsh('group', 'events', 'busy')).stdout;
    expect(events.match(/ update /g)).toHaveLength(3);
  });

  it('have agents run what is wanted, and wait until it is so', async () => {
    const nsh = async (...words: readonly string[]): Promise<void> => {
      const { status, stderr } = await machine.nsh(...words);
      expect({ words, status, stderr }).toEqual({ words, status: 0, stderr: '' });
    };
    const slots = async (): Promise<Shown['slots']> => (await show('live')).slots;
    await nsh('group', 'start', '--wait=20s', 'live', '-n', '2', '--stop-timeout', '2s', '--', 'sleep', '1000');
    const before = await slots();
    expect(before.map(({ name, state }) => `${name} ${state}`)).toEqual(['live/1 ready', 'live/2 ready']);
    process.kill(before[0]?.pid ?? 0, 'SIGKILL');
    await waitUntil(
      async () => (await slots())[0]?.run === 2 && (await show('live')).state === 'running',
      'a successor',
    );
    expect((await machine.nsh('group', 'show', 'live')).stdout).toContain('before: was ended by SIGKILL');
    await nsh('scale', '--wait=20s', 'live=3');
    await nsh('group', 'update', '--wait=20s', 'live', '--', 'sleep', '1001');
    expect((await slots()).map(({ state, outdated }) => ({ state, outdated }))).toEqual(
      [1, 2, 3].map(() => ({ state: 'ready', outdated: false })),
    );
    await nsh('group', 'restart', '--wait=20s', 'live');
    await nsh('group', 'stop', '--wait=20s', 'live');
    expect(await show('live')).toMatchObject({ state: 'stopped', slots: [] });
    await nsh('group', 'start', '--wait=20s', 'live');
    await nsh('group', 'rm', '--wait=20s', 'live');
    expect((await machine.nsh('group', 'show', 'live')).status).toBe(1);
  });

  it('say why a group has failed, and start it again', async () => {
    // Without a probe it would be ready for a moment.
    const words = ['--intensity', '1', '--ready', 'log:up', '--', 'sh', '-c', 'exit 3'];
    const started = await machine.nsh('group', 'start', '-w', 'bad', ...words);
    expect(started).toMatchObject({ status: 1, stdout: '' });
    expect(started.stderr).toMatch(/^nsh group: bad: 2 restarts within 30s, where 1 is allowed/);
    expect((await machine.nsh('group', 'ls', 'bad')).stdout).toMatch(/^bad +failed +0\/1 /m);
    expect((await machine.nsh('group', 'show', 'bad')).stdout).toMatch(/^command +sh -c 'exit 3'$/m);
    expect((await machine.nsh('group', 'show', 'bad')).stdout).not.toContain('unplaced');
    const updated = await machine.nsh('group', 'update', 'bad', '--ready', 'none', '--', 'sleep', '1000');
    expect(updated.status).toBe(0);
    expect(await machine.nsh('group', 'start', '-w', 'bad')).toMatchObject({ status: 0 });
    await machine.nsh('group', 'rm', '-w', 'bad');
  });

  it('show the PID of one that is not ready yet, and why one that nobody can run waits', async () => {
    expect((await machine.nsh('group', 'start', 'slow', '--ready', 'log:never', '--', 'sleep', '1000')).status).toBe(0);
    const starting = async (): Promise<Shown['slots'][number] | undefined> => (await show('slow')).slots[0];
    await waitUntil(async () => typeof (await starting())?.pid === 'number', 'a PID');
    expect(await starting()).toMatchObject({ state: 'starting' });
    expect((await machine.nsh('scale', '-w=50ms', 'slow=2')).status).toBe(124);
    await machine.nsh('group', 'rm', '-w', 'slow');
  });

  it('tell of a replica that wanted more memory than it may have', async () => {
    const command = ['python3', '-c', 'print("begins", flush=True); x = bytearray(512 << 20); print("has it")'];
    const words = ['-w', 'greedy', '--memory', '64M', '--intensity', '0', '--ready', 'log:has it', '--', ...command];
    const { status, stderr } = await machine.nsh('group', 'start', ...words);
    const { stdout: shown } = await machine.nsh('group', 'show', 'greedy');
    const [, by] = /^memory +64M each, limited by (\w+) on localhost$/m.exec(shown) ?? [];
    const ends: Readonly<Record<string, string>> = {
      cgroup: 'was ended by SIGKILL (out of memory: more than 64M)',
      rlimit: 'exited with status 1 (limited to 64M of data)',
    };
    const refusals: Readonly<Record<string, string>> = {
      cgroup: '',
      rlimit: expect.stringMatching(/MemoryError\n$/) as string,
    };
    const how = ends[by ?? ''] ?? shown;
    expect({ by, status }).toEqual({ by: expect.stringMatching(/^(?:cgroup|rlimit)$/) as string, status: 1 });
    expect(stderr).toContain(`greedy/1 ${how}`);
    // Events are gathered for a moment before they are written.
    await waitUntil(
      async () => (await machine.nsh('group', 'events', 'greedy')).stdout.includes(`greedy/1  ended  ${how}\n`),
      'the event',
    );
    const said = await machine.nsh('logs', 'greedy/1');
    expect(said).toMatchObject({ stdout: 'begins\n', stderr: refusals[by ?? ''] });
    await machine.nsh('group', 'rm', '-w', 'greedy');
  });

  it('say what to do where there is no store to reach', async () => {
    const directory = join(machine.directory, 'etcd');
    mkdirSync(directory);
    const file = join(directory, 'c.yaml');
    writeFileSync(file, 'cluster: nowhere\nstore: { etcd: ["http://127.0.0.1:1"] }\nnodes:\n  - { id: 1, name: n1 }\n');
    for (const words of [
      ['group', 'start', 'x', '--', 'true'],
      ['node', 'drain', 'n1'],
    ]) {
      const { status, stdout, stderr } = await machine.nsh('--cluster', file, ...words);
      expect({ status, stdout }).toEqual({ status: 255, stdout: '' });
      expect(stderr).toMatch(/^nsh (?:group|node): .*127\.0\.0\.1:1/);
    }
    await machine.nsh('--cluster', file, 'agent', 'stop', '--kill');
  });
});
