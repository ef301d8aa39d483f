/** Groups and replicas where nodes and processes are named, over the nodes of a demo. */
import { execFile, spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startDemoCluster, type DemoCluster } from '../../shell/demo/demo-cluster.ts';
import { nshProgram } from './nsh-program.ts';
import { NshWindow } from '../interactive/tmux/nsh-window.ts';
import { Tmux } from '../interactive/tmux/tmux.ts';
import { NshTerminal } from './nsh-terminal.ts';
import { waitUntil } from './wait-until.ts';

let cluster: DemoCluster;

beforeAll(async () => {
  cluster = await startDemoCluster({ nodes: 2, env: process.env });
  await startWeb();
});
/** What a failed test has left is nothing to its second try. */
afterEach(async ({ task }) => {
  if (task.result?.state !== 'fail') return;
  const groups = JSON.parse((await nsh('group', 'ls', '--json')).stdout) as { name: string }[];
  for (const { name } of groups) await nsh('group', 'rm', '--wait=30s', name);
  await startWeb();
});
afterAll(async () => {
  const left = await cluster.stop();
  if (left.length > 0) throw new Error(`processes that do not end: ${left.join(' ')}`);
});

interface Result {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const nshWith = async (env: NodeJS.ProcessEnv, ...words: readonly string[]): Promise<Result> =>
  await new Promise((resolve) => {
    execFile(process.execPath, [nshProgram, ...words], { env }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code ?? 255), stdout, stderr });
    });
  });
const nsh = async (...words: readonly string[]): Promise<Result> => await nshWith(cluster.env, ...words);

/** What says nothing and ends well. */
async function must(...words: readonly string[]): Promise<void> {
  expect({ words, ...(await nsh(...words)) }).toEqual({ words, status: 0, stdout: '', stderr: '' });
}

async function startWeb(): Promise<void> {
  const says = 'echo "$NSH_REPLICA runs"; exec sleep 1000';
  await must('group', 'start', '--wait=30s', 'web', '-n', '2', '--stop-timeout', '2s', '--', 'sh', '-c', says);
}

interface Slot {
  readonly name: string;
  readonly node: string;
  readonly pid: number | null;
  readonly run?: number;
}

const slots = async (): Promise<readonly Slot[]> =>
  (JSON.parse((await nsh('group', 'show', '--json', 'web')).stdout) as { slots: Slot[] }).slots;

describe('a session', () => {
  it('runs a line on the nodes that run a group, or a replica of it', async () => {
    const second = (await slots()).find(({ name }) => name === 'web/2')?.node;
    expect((await nsh('-c', '@@web/2 echo it')).stdout).toBe('it\n');
    expect((await nsh('run', '-n', '@web/2', '--', 'hostname')).stdout.trim()).toBe(second);
    expect((await nsh('-c', '@@web uname -s')).stdout.split('\n').sort()).toEqual(['', 'n1: Linux', 'n2: Linux']);
    const { status, stderr } = await nsh('-c', '@@wbe true');
    expect(status).toBe(2);
    expect(stderr).toContain("no node has the label 'wbe', and no group is called so; did you mean '@@web'?");
  });

  it('has group and scale as builtins, and kill, wait and logs take the name of a replica there', async () => {
    const lines = ['group ls | grep -c web', 'logs web/1', 'kill -0 web/1; echo $?', 'kill -9 web/7'];
    const { stdout, stderr } = await nsh('-c', lines.join('\n'));
    expect(stdout).toBe('1\n1 runs\n0\n');
    expect(stderr).toBe('nsh kill: there is no web/7: web has 2 replicas\n');
  });
});

describe('the name of a replica', () => {
  it('stands for its process, for kill, wait, attach and logs', async () => {
    const before = (await slots())[0];
    const waiting = nsh('wait', 'web/1');
    const looking = nsh('attach', '-r', 'web/1');
    await waitUntil(async () => {
      const { stdout } = await nsh('ps', '-p', String(before?.pid), '-o', 'clients', '--no-headers');
      return stdout.trim() === '1';
    }, 'an attached client');
    await must('kill', '-9', 'web/1');
    expect(await waiting).toMatchObject({ status: 137 });
    expect(await looking).toMatchObject({ status: 137, stdout: '1 runs\n' });
    await waitUntil(async () => (await slots())[0]?.run === 2, 'a successor');
    expect((await nsh('logs', 'web/1')).stdout).toBe('1 runs\n');
    expect(await nsh('wait', 'wbe/1')).toMatchObject({
      status: 1,
      stderr: "nsh wait: there is no group 'wbe'; did you mean 'web'?\n",
    });
  });

  it('is attached to on a terminal as that is, and left running by Ctrl-C', async () => {
    const pid = (await slots())[0]?.pid;
    const terminal = new NshTerminal(['attach', 'web/1'], cluster.env);
    await terminal.untilShown('1 runs\r\n');
    terminal.type('\u0003');
    expect(await terminal.status()).toBe(130);
    expect(terminal.shown).toContain(`[detached from ${pid}; nsh attach ${pid}]`);
    await terminal.close();
    expect((await slots())[0]?.pid).toBe(pid);
  });

  it('of a group that has failed tells what was said last, and kill that it does not run', async () => {
    const failing = ['--intensity', '0', '--ready', 'log:never', '--', 'sh', '-c', 'echo no such luck >&2; exit 3'];
    expect((await nsh('group', 'start', '-w', 'bad', ...failing)).status).toBe(1);
    expect(await nsh('logs', 'bad/1')).toMatchObject({ status: 0, stderr: 'no such luck\n' });
    expect(await nsh('logs', 'bad')).toMatchObject({ status: 0, stderr: 'bad/1: no such luck\n' });
    const { status, stderr } = await nsh('kill', 'bad/1');
    expect(status).toBe(1);
    expect(stderr).toMatch(/^nsh kill: bad\/1 does not run: n\d: \d+ exited with status 3\n$/);
    // Nothing of it will come: following ends at once.
    expect(await nsh('logs', '-f', 'bad')).toMatchObject({ status: 0 });
    await must('group', 'rm', '-w', 'bad');
  });
});

describe('the prompt', () => {
  it('completes groups and replicas by what the store has of them, and commands of the nodes that run them', async () => {
    const tmux = new Tmux();
    try {
      const shell = await NshWindow.open(tmux, { env: cluster.env, columns: 100 });
      await shell.prompt();
      await shell.waitForText('2 nodes up');
      await shell.type('@@');
      await shell.keys('Tab');
      await waitForRows(shell, /^@web +group, on n\[1-2\]$/m);
      await shell.keys('C-g', 'C-e', 'C-u');
      await shell.type('logs we');
      await shell.keys('Tab');
      await waitForRows(
        shell,
        /^web +running, 2\/2: sh -c .*\nweb\/1 +ready on n\d: sh -c .*\nweb\/2 +ready on n\d: sh -c /m,
      );
      await shell.keys('C-g', 'C-e', 'C-u');
      await shell.type('@@web/1 unam');
      await shell.keys('Tab');
      await shell.waitForTyped('@@web/1 uname');
      await shell.keys('Enter');
      expect(await shell.prompt(2)).toMatchObject({ status: 0 });
      expect((await shell.screen()).rows).toContain('Linux');
    } finally {
      await tmux.close();
    }
  });
});

describe('a command that waits', () => {
  it('says when it is interrupted that all goes on without it', async () => {
    await must('group', 'start', 'slow', '--ready', 'log:never', '--', 'sleep', '1000');
    const child = spawn(process.execPath, [nshProgram, 'group', 'start', '-w', 'slow'], { env: cluster.env });
    const heard = listen(child);
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    await waitUntil(() => heard.stderr.includes('slow is started already'), 'the wait');
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    expect(heard.stderr).toMatch(/\nnsh group: slow: no longer waited for; it goes on all the same\n$/);
    await must('group', 'rm', '-w', 'slow');
  });
});

describe('the completion of other shells', () => {
  it('has groups and replicas, and starts no agent to learn of them', async () => {
    const { stdout } = await nsh('__complete', 'zsh', 'nsh logs w');
    expect(stdout.split('\n').slice(0, 3)).toEqual([
      'words',
      expect.stringMatching(/^web\t\t\w+, \d\/\d: sh -c /),
      expect.stringMatching(/^web\/1\t\t\w+ on n\d: sh -c /),
    ]);
    expect((await nsh('__complete', 'bash', 'nsh scale w', ' ')).stdout).toMatch(
      /^nospace\nweb=\topen\t\d now: sh -c /,
    );
    const elsewhere = mkdtempSync(join(tmpdir(), 'nsh-state-'));
    const nowhere = await nshWith({ ...cluster.env, XDG_STATE_HOME: elsewhere }, '__complete', 'zsh', 'nsh logs w');
    expect(nowhere).toEqual({ status: 0, stdout: 'words\n', stderr: '' });
    expect(readdirSync(elsewhere)).toEqual([]);
    rmSync(elsewhere, { recursive: true });
  });
});

describe('nsh logs -f of a group', () => {
  it('goes on with who takes the place of one that has ended, and who is added, until it is stopped', async () => {
    const child = spawn(process.execPath, [nshProgram, 'logs', '-f', 'web'], { env: cluster.env });
    const heard = listen(child);
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    await waitUntil(() => heard.stdout.split('\n').length === 3, 'both replicas');
    expect(heard.stdout.split('\n').sort()).toEqual(['', 'web/1: 1 runs', 'web/2: 2 runs']);
    await must('kill', '-9', 'web/2');
    await waitUntil(() => heard.stdout.match(/^web\/2: 2 runs$/gm)?.length === 2, 'the successor');
    expect(heard.stderr).toMatch(/^\[web\/2 was ended by SIGKILL\]\n\[web\/2 runs on n\d: process \d+, run 2\]\n$/);
    await must('scale', '--wait=20s', 'web=3');
    await waitUntil(() => heard.stdout.includes('web/3: 3 runs\n'), 'the one that is added');
    await must('group', 'stop', '--wait=20s', 'web');
    expect(await ended).toBe(0);
    expect(heard.stderr.match(/^\[web\/\d was ended by SIGTERM\]$/gm)).toHaveLength(3);
  });
});

async function waitForRows(shell: NshWindow, rows: RegExp): Promise<void> {
  await shell.waitForScreen((screen) => rows.test(screen.rows.join('\n')), String(rows));
}

function listen(child: ChildProcessWithoutNullStreams): { stdout: string; stderr: string } {
  const heard = { stdout: '', stderr: '' };
  child.stdout.on('data', (bytes: Buffer) => (heard.stdout += bytes.toString()));
  child.stderr.on('data', (bytes: Buffer) => (heard.stderr += bytes.toString()));
  return heard;
}
