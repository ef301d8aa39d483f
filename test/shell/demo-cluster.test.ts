/** The demo as a whole: what it brings up, whose terminal and signals are whose, and that nothing stays behind. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { startDemoCluster, type DemoCluster } from '../../shell/demo/demo-cluster.ts';
import { probeIsolation, type Isolation } from '../../shell/demo/isolation.ts';
import { programPath } from '../../src/cluster/programs.ts';
import { ensureSshd } from '../hosts/ensure-sshd.ts';
import { processesNaming } from './processes-naming.ts';
import { waitUntil } from './wait-until.ts';

const run = promisify(execFile);
const nsh = [process.execPath, programPath('nsh')] as const;
const strongest = await probeIsolation();
const openssh = await ensureSshd();
const env = { ...process.env, ...(openssh.libraryPath === undefined ? {} : { LD_LIBRARY_PATH: openssh.libraryPath }) };

let open: DemoCluster | undefined;
afterEach(async () => {
  await open?.stop();
  open = undefined;
});

async function start(nodes: number, isolation?: Isolation): Promise<DemoCluster> {
  open = await startDemoCluster({ nodes, env: process.env, ...(isolation === undefined ? {} : { isolation }) });
  return open;
}

async function on(cluster: DemoCluster, node: string, command: string): Promise<string> {
  const { stdout } = await run(openssh.ssh, ['-F', cluster.sshConfig, node, command], { env });
  return stdout.trim();
}

describe('a demo cluster', () => {
  it('is ready to be logged in to when it is there', async () => {
    const cluster = await start(3);
    expect(cluster.isolation).toBe(strongest);
    expect(await Promise.all(['n1', 'n2', 'n3'].map((name) => on(cluster, name, 'echo here')))).toEqual([
      'here',
      'here',
      'here',
    ]);
  });

  it.runIf(strongest !== 'none')('gives each node a host name and a process table of its own', async () => {
    const cluster = await start(2);
    expect(await on(cluster, 'n2', 'uname -n')).toBe('n2');
    expect(await on(cluster, 'n2', 'ps -e -o pid= | head -1 | tr -d " "; ps -e | wc -l')).toMatch(/^1\n\d$/);
    expect(await on(cluster, 'n1', 'id -u')).toBe(String(process.getuid?.()));
  });

  it.runIf(strongest !== 'none')('reaps what its nodes leave orphaned', async () => {
    const cluster = await start(1);
    const orphan = await on(cluster, 'n1', '(sleep 0.01 >/dev/null 2>&1 & echo $!)');
    const state = () => on(cluster, 'n1', `ps -o stat= -p ${orphan} || echo gone`);
    await waitUntil('the orphan has ended', async () => !/^[RS]/.test(await state()));
    await waitUntil('it is no zombie', async () => (await state()) === 'gone');
    expect(await on(cluster, 'n1', 'ps -e -o stat= | grep -c ^Z || true')).toBe('0');
  });

  it.each([strongest, 'none'] as const)('ends what its nodes left running (isolation: %s)', async (isolation) => {
    const cluster = await start(1, isolation);
    await on(cluster, 'n1', 'setsid sleep 1000 >/dev/null 2>&1 </dev/null & echo');
    expect(processesNaming(cluster.directory).length).toBeGreaterThan(0);
    expect(await cluster.stop()).toEqual([]);
    expect(existsSync(cluster.directory)).toBe(false);
    await waitUntil('its janitor has gone, too', () => processesNaming(cluster.directory).length === 0);
  });

  it('shares nothing with another at the same time', async () => {
    const first = await start(1);
    const second = await startDemoCluster({ nodes: 1, env: process.env });
    try {
      expect(second.name).not.toBe(first.name);
      const words = ['-F', first.sshConfig, '-p', String(second.nodes[0]?.port), 'n1', 'true'];
      await expect(run(openssh.ssh, words, { env })).rejects.toThrow(/Host key verification failed|Permission denied/);
    } finally {
      await second.stop();
    }
    expect(await on(first, 'n1', 'echo still here')).toBe('still here');
  });

  it('has a store that every node can use, and nsh on a node is of the cluster', async () => {
    const cluster = await start(2);
    const { stdout } = await run(nsh[0], [nsh[1], 'store', 'status'], { env: cluster.env });
    expect(stdout).toMatch(/^store +embedded on n1\nhealth +ok$/m);
    expect(stdout).toMatch(/^used by +n\[1-2\]$/m);
    const inside = await run(nsh[0], [nsh[1], 'run', '-n', 'n2', '--', 'nsh', 'store', 'status', '-n', 'n2'], {
      env: cluster.env,
    });
    expect(inside.stdout).toMatch(/^store +embedded on n1\nhealth +ok$/m);
  });

  it('says why where a node does not come up, and leaves nothing', async () => {
    const broken = ['/bin/sh', '-c', 'echo no such thing >&2; exit 1'];
    const failure = startDemoCluster({ nodes: 2, env: process.env, nsh: broken });
    await expect(failure).rejects.toThrow(/^demo node n[12] did not come up: no such thing$/);
  });
});

describe('nsh demo -- COMMAND', () => {
  interface Demo {
    readonly child: ChildProcess;
    /** Lines that COMMAND has printed. */
    readonly lines: string[];
    readonly ended: Promise<number>;
  }

  function demo(...command: readonly string[]): Demo {
    const [file, ...args] = [...nsh, 'demo', '-n', '1', '--', ...command];
    const child = spawn(file ?? '', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const lines: string[] = [];
    child.stdout
      .setEncoding('utf8')
      .on('data', (text: string) => lines.push(...text.split('\n').filter((line) => line !== '')));
    child.stderr.resume();
    return { child, lines, ended: once(child, 'close').then(([code]) => code as number) };
  }

  async function directoryOf({ lines }: Demo): Promise<string> {
    await waitUntil('COMMAND has said where the cluster is', () => lines.length > 0);
    return dirname(lines[0] ?? '');
  }

  it.each([
    [7, ['sh', '-c', 'exit 7']],
    [0, ['true']],
    [143, ['sh', '-c', 'kill -TERM $$']],
    [127, ['no-such-command-here']],
    [126, ['/']],
  ])('ends with status %i of %j', async (status, command) => {
    expect(await demo(...command).ended).toBe(status);
  });

  it('lets COMMAND find the cluster and nsh', async () => {
    const running = demo('sh', '-c', 'echo "$NSH_CLUSTER"; command -v nsh; cat "$NSH_CLUSTER"');
    expect(await running.ended).toBe(0);
    const directory = await directoryOf(running);
    expect(running.lines[1]).toBe(`${directory}/bin/nsh`);
    expect(running.lines).toContain('  - { id: 1, name: n1, labels: [demo] }');
    expect(existsSync(directory)).toBe(false);
  });

  it.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('passes %s on to COMMAND and still cleans up', async (signal, status) => {
    const running = demo('sh', '-c', 'echo "$NSH_CLUSTER"; exec sleep 1000');
    const directory = await directoryOf(running);
    running.child.kill(signal);
    expect(await running.ended).toBe(status);
    expect(existsSync(directory)).toBe(false);
    expect(processesNaming(directory)).toEqual([]);
  });

  it('leaves Ctrl-C to COMMAND', async () => {
    const running = demo(
      'sh',
      '-c',
      `trap 'echo caught; exit 5' INT; echo "$NSH_CLUSTER"; echo $$; while :; do sleep 0.05; done`,
    );
    const directory = await directoryOf(running);
    await waitUntil('COMMAND has said who it is', () => running.lines.length > 1);
    // As the terminal does it: to every process of the foreground group.
    running.child.kill('SIGINT');
    process.kill(Number(running.lines[1]), 'SIGINT');
    expect(await running.ended).toBe(5);
    expect(running.lines.at(-1)).toBe('caught');
    expect(existsSync(directory)).toBe(false);
  });

  it.each([
    ['a program', 'exec sleep 1000'],
    ['one that ignores what is polite', 'trap "" HUP TERM; while :; do sleep 0.05; done'],
  ])('leaves nothing behind where it is killed itself, not even %s', async (_what, script) => {
    const running = demo('sh', '-c', `echo "$NSH_CLUSTER"; echo $$; ${script}`);
    const directory = await directoryOf(running);
    await waitUntil('COMMAND has said who it is', () => running.lines.length > 1);
    running.child.kill('SIGKILL');
    await waitUntil('the directory has gone', () => !existsSync(directory));
    const command = running.lines[1] ?? '';
    await waitUntil('COMMAND has gone', () => !existsSync(`/proc/${command}`), 30_000);
    await waitUntil('the nodes and the janitor have gone', () => processesNaming(directory).length === 0);
    await running.ended;
    expect(running.child.signalCode).toBe('SIGKILL');
  });
});
