/** When this machine's agent goes, when it is not started, and what it leaves. */
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test, type TestContext } from 'vitest';
import { connectCluster } from '../../src/cluster/connect.ts';
import { loadCluster } from '../../src/cluster/file/index.ts';
import { isRunning } from './nsh-cluster.ts';
import { OneMachine } from './one-machine.ts';
import { waitUntil } from './wait-until.ts';

type Test = Pick<TestContext, 'onTestFinished'>;

/** Each test has one of its own, so that they wait side by side. */
function machineWith({ onTestFinished }: Test, state?: string): OneMachine {
  const machine = new OneMachine(state);
  onTestFinished(() => machine.stop());
  return machine;
}

const goneOf = (machine: OneMachine): Promise<void> => waitUntil(() => machine.agentPid() === undefined, 'its end');

describe.concurrent('this machine', () => {
  describe('an agent with --idle', () => {
    test('ends so long after the last client has gone, and not while one is there', async (context) => {
      const machine = machineWith(context);
      expect(await machine.startAgent('--idle', '1')).toContain('"ok":true');
      const pid = machine.agentPid();
      const client = connect(machine.paths.agentSocket);
      await delay(2_000);
      expect(machine.agentPid()).toBe(pid);
      client.destroy();
      const began = performance.now();
      await goneOf(machine);
      expect(performance.now() - began).toBeGreaterThan(900);
      expect(performance.now() - began).toBeLessThan(5_000);
      expect(existsSync(machine.paths.agentSocket)).toBe(false);
      expect(existsSync(machine.paths.agentLock)).toBe(false);
      expect(readFileSync(machine.paths.agentLog, 'utf8')).toContain(' idle seconds=1\n');
    });

    test('stays while a process runs, and ends after it', async (context) => {
      const machine = machineWith(context);
      await machine.startAgent('--idle', '1');
      const agent = machine.agentPid();
      const pid = await machine.start('--', 'sleep', '1000');
      await delay(2_500);
      expect(machine.agentPid()).toBe(agent);
      process.kill(pid, 'SIGKILL');
      await goneOf(machine);
      // Its status is there all the same.
      expect((await machine.nsh('wait', String(pid))).status).toBe(137);
    });
  });

  test('an agent with --idle stays while a session of its store lives, whose holder may come back, and ends after it', async (context) => {
    const machine = machineWith(context);
    await machine.startAgent('--idle', '1');
    const agent = machine.agentPid();
    const client = connectCluster(await loadCluster({ env: machine.env }), { env: machine.env });
    const session = await (await client.store()).openSession(3);
    client.close();
    await delay(2_000);
    expect(machine.agentPid()).toBe(agent);
    await goneOf(machine);
    expect(session.lost.aborted).toBe(false);
  });

  describe('where no agent runs on this machine', () => {
    test('agent status says so and starts none', async (context) => {
      const machine = machineWith(context);
      const { stdout, stderr, status } = await machine.nsh('agent', 'status');
      expect([status, stderr]).toEqual([0, '']);
      expect(stdout).toMatch(/^localhost +stopped +- +- +- +- +- +-$/m);
      const json = JSON.parse((await machine.nsh('agent', 'status', '--json', '-n', 'localhost')).stdout) as object[];
      expect(json).toEqual([
        {
          node: 'localhost',
          state: 'stopped',
          version: null,
          pid: null,
          lpid: null,
          shims: [],
          managed: 0,
          boot: null,
        },
      ]);
      expect(machine.agentPid()).toBeUndefined();
      expect(existsSync(machine.paths.state)).toBe(false);
    });

    test('agent stop has nothing to do and starts none', async (context) => {
      const machine = machineWith(context);
      for (const more of [[], ['--kill'], ['-n', 'localhost']])
        expect(await machine.nsh('agent', 'stop', ...more)).toMatchObject({ status: 0, stdout: '', stderr: '' });
      expect(existsSync(machine.paths.state)).toBe(false);
    });

    test('agent stop --kill ends the shim that an agent has left', async (context) => {
      const machine = machineWith(context);
      const pid = await machine.start('--', 'sleep', '1000');
      const [shim = 0] = await machine.shimPids();
      await machine.nsh('agent', 'stop');
      expect([isRunning(pid), isRunning(shim), machine.agentPid()]).toEqual([true, true, undefined]);
      expect((await machine.nsh('agent', 'stop')).status).toBe(0);
      expect([isRunning(shim), machine.agentPid()]).toEqual([true, undefined]);
      expect((await machine.nsh('agent', 'stop', '--kill')).status).toBe(0);
      expect([isRunning(pid), isRunning(shim), machine.agentPid()]).toEqual([false, false, undefined]);
    });
  });

  describe('a directory in /tmp, where the state path is too long for sockets,', () => {
    const long = 'l'.repeat(100);

    test('goes with the last of agent and shim', async (context) => {
      const machine = machineWith(context, long);
      const { sockets } = machine.paths;
      expect(sockets).toMatch(/^\/tmp\/nsh-\d+-/);
      expect((await machine.nsh('nodes')).status).toBe(0);
      expect(existsSync(sockets)).toBe(true);
      await machine.nsh('agent', 'stop');
      expect(existsSync(sockets)).toBe(false);
      const pid = await machine.start('--', 'sleep', '1000');
      const [shim = 0] = await machine.shimPids();
      await machine.nsh('agent', 'stop');
      expect(existsSync(sockets)).toBe(true);
      process.kill(shim, 'SIGTERM');
      process.kill(pid, 'SIGKILL');
      await waitUntil(() => !isRunning(shim), 'the end of the shim');
      expect(existsSync(sockets)).toBe(false);
      expect((await machine.nsh('wait', String(pid))).status).toBe(137);
      await machine.nsh('agent', 'stop', '--kill');
      expect(existsSync(sockets)).toBe(false);
    });

    test('goes where the shim was killed, too', async (context) => {
      const machine = machineWith(context, long);
      const pid = await machine.start('--', 'sleep', '1000');
      const [shim = 0] = await machine.shimPids();
      process.kill(shim, 'SIGKILL');
      await machine.nsh('wait', String(pid));
      process.kill(pid, 'SIGKILL');
      await machine.nsh('agent', 'stop', '--kill');
      expect(existsSync(machine.paths.sockets)).toBe(false);
    });

    test('that goes while others come costs them nothing', async (context) => {
      const machine = machineWith(context, long);
      for (let round = 0; round < 5; round++) {
        const commands = await Promise.all([
          machine.nsh('nodes'),
          machine.nsh('agent', 'stop'),
          machine.nsh('ps', '-eo', 'pid='),
          machine.nsh('agent', 'stop'),
        ]);
        for (const { status, stderr } of commands) expect([status, stderr]).toEqual([0, '']);
      }
      await machine.nsh('agent', 'stop');
      expect(existsSync(machine.paths.sockets)).toBe(false);
    }, 60_000);
  });
});
