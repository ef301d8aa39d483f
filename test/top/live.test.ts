/** `nsh top` on a real terminal, and its batch mode against procps. */
import { execFileSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { NshTerminal } from '../e2e/nsh-terminal.ts';
import { nshProgram } from '../e2e/nsh-program.ts';
import { OneMachine } from '../e2e/one-machine.ts';
import { Screen } from '../e2e/screen.ts';

let machine: OneMachine;
const open: { close(): Promise<void> }[] = [];

beforeAll(() => {
  machine = new OneMachine();
});
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});
afterAll(async () => {
  await machine.stop();
});

function start(...args: readonly string[]): Screen {
  const screen = new Screen([process.execPath, nshProgram, 'top', ...args], machine.env, 100, 30);
  open.push(screen);
  return screen;
}

describe('on a terminal', () => {
  it('shows nodes above processes, and only what a filter holds', async () => {
    const pid = await machine.start('--name', 'x', '--', 'sleep', '54321');
    const screen = start('-d', '0.5');
    await screen.untilText('q quit');
    await screen.until((rows) => rows[1]?.startsWith('localhost [') === true, 'the bars of the node');
    expect(screen.isAlternate).toBe(true);
    screen.type('/sleep 54321\r');
    await screen.until((rows) => rows.filter((row) => row.includes('* sleep 54321')).length === 1, 'one process');
    expect(screen.rows.some((row) => row.trimStart().startsWith(String(pid)))).toBe(true);
    screen.resize(60, 12);
    await screen.until(
      (rows) => rows.length === 12 && rows.some((row) => row.includes('* sleep')),
      'it in a small window',
    );
    screen.type('k\r');
    await screen.untilText(`SIGTERM sent to ${pid}`);
    await screen.until((rows) => !rows.some((row) => row.includes('* sleep')), 'its end');
  });

  it('gives the terminal to a process at Enter, and comes back when that is detached from', async () => {
    await machine.start('-t', '--', 'sh', '-c', 'echo I am here; exec sleep 65432');
    const screen = start();
    await screen.untilText('q quit');
    screen.type('/sleep 65432\r');
    await screen.untilText('* sleep 65432');
    screen.type('\r');
    await screen.untilText('I am here');
    screen.type('\u001cd');
    await screen.untilText('* sleep 65432');
    screen.type('k9\r');
    await screen.untilText('SIGKILL sent');
    expect(screen.isAlternate).toBe(true);
  });

  it.each([
    ['q', 0],
    ['\u0003', 0],
  ])('ends with %j, and the terminal is as it was found', async (key, status) => {
    const terminal = new NshTerminal(['top'], machine.env);
    open.push(terminal);
    await terminal.untilShown('q quit');
    terminal.type(key);
    expect(await terminal.status()).toBe(status);
    expect(terminal.shown).toContain('\u001b[?1049l');
  });

  it('is refused off a terminal, where -b is named', async () => {
    const { status, stderr } = await machine.nsh('top');
    expect({ status, stderr }).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('-b prints samples') as string,
    });
  });
});

describe('-b', () => {
  it('prints every process of the node, as procps knows them', async () => {
    const { status, stdout } = await machine.nsh('top', '-b', '-n', '1');
    expect(status).toBe(0);
    const pids = new Set(
      stdout
        .split('\n')
        .map((line) => Number(line.trim().split(/\s+/)[0]))
        .filter((pid) => pid > 0),
    );
    const known = execFileSync('ps', ['-e', '-o', 'pid=,etimes='], { encoding: 'utf8' }).trim().split('\n');
    // Those that have been there for longer than the sample took. Of one that has just begun ps says that it is 136 years old.
    const old = known
      .map((line) => line.trim().split(/\s+/).map(Number))
      .filter(([, age = 0]) => age > 20 && age < 2 ** 31);
    expect(old.filter(([pid = 0]) => !pids.has(pid))).toEqual([]);
  });

  it('measures what a process uses of a processor between two samples', async () => {
    await machine.start('--timeout', '60s', '--', 'sh', '-c', 'while :; do :; done # burner');
    const { stdout } = await machine.nsh('top', '--json', '-n', '1', '-d', '1', '-f', 'burner');
    const { processes } = JSON.parse(stdout) as { processes: { cpuPercent: number; pid: number; command: string }[] };
    const burner = processes.find(({ command }) => command.startsWith('sh -c'));
    expect(burner?.cpuPercent).toBeGreaterThan(5);
    expect(burner?.cpuPercent).toBeLessThanOrEqual(130);
    await machine.nsh('kill', '-KILL', String(burner?.pid));
  });

  it('repeats itself as often as asked, and ends quietly with SIGINT', async () => {
    const twice = await machine.nsh('top', '-b', '-n', '2', '-d', '0.2', '-f', 'nothing has this name');
    expect(twice.stdout.match(/^nsh top - /gm)).toHaveLength(2);
    const running = machine.spawn('top', '-b', '-d', '60');
    await running.untilStdout('COMMAND');
    running.kill('SIGINT');
    expect((await running.end()).stderr).toBe('');
  });
});
