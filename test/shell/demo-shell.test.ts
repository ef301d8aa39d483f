/** `nsh demo` on a terminal, as somebody sees it who has never seen nsh: the welcome, what it advises, and that nothing stays behind. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { firstMinute, progressText, welcomeText } from '../../shell/demo/welcome.ts';
import { programPath } from '../../src/cluster/programs.ts';
import { Screen } from '../e2e/screen.ts';
import { processesNaming } from './processes-naming.ts';
import { waitUntil } from './wait-until.ts';

const timeoutMs = 30_000;
let home: string;
let screen: Screen;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'nsh-home-'));
});
afterEach(async () => {
  await screen.close();
  await waitUntil('all that the demo started has ended', () => processesNaming(home).length === 0, timeoutMs);
  rmSync(home, { recursive: true });
});

function start(words: readonly string[] = [], size: readonly [number, number] = [80, 40]): void {
  const env = { PATH: process.env['PATH'], HOME: home, TMPDIR: home, LANG: 'C.UTF-8' };
  screen = new Screen([process.execPath, programPath('nsh'), 'demo', ...words], env, ...size);
}

/** The last of what stands there is an empty prompt, after so many others. */
async function prompt(status = ''): Promise<void> {
  const mark = new RegExp(`3/3${status === '' ? '' : ` ${status}`} [#$]\\s*$`);
  await screen.until((rows) => mark.test(rows[screen.cursor[1]] ?? ''), `a prompt ${status}`, timeoutMs);
}

async function type(line: string): Promise<void> {
  screen.type(line);
  await screen.until((rows) => (rows[screen.cursor[1]] ?? '').endsWith(line), `what was typed: ${line}`);
  screen.type('\r');
}

async function shows(pattern: RegExp): Promise<void> {
  await screen.until((rows) => rows.some((row) => pattern.test(row)), String(pattern), timeoutMs);
}

/** What is left of the demo in the home and temporary directory of whoever ran it. */
function leftIn(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory() || entry.name.includes('nsh'))
    .map(({ name }) => name)
    .filter((name) => name !== '.bash_history'); // what bash itself writes where it is run by hand
}

describe('nsh demo on a terminal', () => {
  it(
    'says what it does, welcomes, and what the welcome advises comes about',
    async () => {
      start();
      await prompt();
      expect(screen.rows.filter((row) => row.includes('Starting'))).toEqual([]);
      expect(screen.rows.join('\n')).toContain('3 nodes are up on this machine: n1, n2, n3');
      await type('nodes');
      await shows(/^ +3 +n3 +up /);
      await prompt();
      await type('@n2 sleep 100');
      await shows(/1 job|sleep 100$/);
      await waitUntil('it runs', () => processesNaming(home).some(isSleep), timeoutMs);
      screen.type('\u001a');
      await shows(/Stopped +sleep 100|Stopped +@n2 sleep 100/);
      await prompt('1& 148');
      await type('fg');
      await waitUntil('it goes on', () => processesNaming(home).some((pid) => isSleep(pid) && !isStopped(pid)));
      screen.type('\u0003');
      await prompt('130');
      await type('@n3 bash');
      await shows(/n3:.*[#$]$/);
      screen.type('\u001cd');
      await shows(/detached from 3\d{7}; 'fg' or 'attach 3\d{7}' takes it back/);
      const gpid = /detached from (\d+)/.exec(screen.rows.join('\n'))?.[1] ?? '';
      await prompt('1&');
      await type('clear');
      await prompt('1&');
      await type('ps -a');
      await shows(new RegExp(`^${gpid} n3 +pts/\\d+ .* @n3 bash$`));
      await prompt('1&');
      await type(`attach ${gpid}`);
      await shows(/^\S*n3:.*[#$]$/);
      screen.type('\u001cd');
      await prompt('1&');
      await type('fg');
      await screen.until((rows) => /^\S*n3:.*[#$]$/.test(rows[screen.cursor[1]] ?? ''), 'the prompt of n3');
      await type('exit');
      await prompt();
      await type('@all uname -n | sort');
      await shows(/^n3: n3$/);
      await prompt();
      // Sorted as text: no colours get into a pipe.
      expect(screen.rows.filter((row) => /^n\d: n\d$/.test(row))).toEqual(['n1: n1', 'n2: n2', 'n3: n3']);
      await type('x=5; @n2 echo $x');
      await shows(/^5$/);
      await prompt();
      await type('on n2');
      await shows(/^n2 ~ 3\/3/);
      await type('on localhost');
      await shows(/^localhost .* 3\/3 [#$]$/);
      await type('exit');
      await waitUntil('all has ended', () => processesNaming(home).length === 0, timeoutMs);
      expect(leftIn(home)).toEqual([]);
    },
    2 * timeoutMs,
  );

  it.each([
    ['the window is closed', (running: Screen) => running.hangUp()],
    ['it is killed', (running: Screen) => running.signal('SIGKILL')],
    ['it is told to end', (running: Screen) => running.signal('SIGTERM')],
  ])(
    'leaves nothing where %s while something runs',
    async (_how, end) => {
      start(['-n', '3']);
      await prompt();
      await type('@n2 sleep 100');
      await waitUntil('it runs', () => processesNaming(home).some(isSleep), timeoutMs);
      end(screen);
      await waitUntil('all has ended', () => processesNaming(home).length === 0, timeoutMs);
      expect(leftIn(home)).toEqual([]);
    },
    timeoutMs,
  );

  it('ends as the shell did where that is killed, and leaves nothing', async () => {
    start();
    await prompt();
    const shell = processesNaming(home).find((pid) => read(`/proc/${pid}/cmdline`).endsWith(`${programPath('nsh')}\0`));
    process.kill(Number(shell), 'SIGKILL');
    expect(await screen.status).toBe(137);
    expect(leftIn(home)).toEqual([]);
  });

  it('ends with 0 when it is left, whatever the last line ended with', async () => {
    start();
    await prompt();
    await type('(exit 7)');
    await prompt('7');
    screen.type('\u0004');
    expect(await screen.status).toBe(0);
  });
});

describe('the welcome', () => {
  const facts = { names: ['n1', 'n2', 'n3'], isolation: 'namespaces', colour: false, columns: 80 } as const;

  it('fits a screen of 80 columns and 24 rows with the prompt below it', () => {
    const lines = welcomeText(facts).split('\n');
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(lines.length).toBeLessThan(21);
  });

  it('names nodes that there are, and nothing that takes several where there is one', () => {
    expect(welcomeText({ ...facts, names: ['n1'] })).not.toMatch(/n2|n3|@all/);
    expect(firstMinute(['n1', 'n2']).map(([typed]) => typed)).toContain('@n2 bash');
    expect(progressText(0, 3)).toBe('Starting 3 nodes on this machine …');
    expect(progressText(1, 3)).toContain(': 1 up');
  });
});

function isSleep(pid: string): boolean {
  return read(`/proc/${pid}/cmdline`) === 'sleep\u0000100\u0000';
}

function isStopped(pid: string): boolean {
  return /^State:\tT/m.test(read(`/proc/${pid}/status`));
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // It has ended.
  }
}
