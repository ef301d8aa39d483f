/** Full-screen programs through run, detach and attach: what a person sees is what the program shows when it is run directly. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startCluster, type NshCluster } from './nsh-cluster.ts';
import { nshProgram } from './nsh-program.ts';
import { Screen } from './screen.ts';

let cluster: NshCluster;
let text: string;
const screens: Screen[] = [];

beforeAll(async () => {
  cluster = await startCluster({ count: 2 });
  text = join(cluster.directory, 'text');
  const lines = Array.from(
    { length: 400 },
    (_, i) => `${i + 1}: ${'wörter und mehr, '.repeat(i % 7)}${i % 5 === 0 ? '日本語 ' : ''}end`,
  );
  writeFileSync(text, `${lines.join('\n')}\n`);
});
afterEach(({ task }) => cluster.cleanAfter(task));
afterEach(async () => {
  for (const screen of screens.splice(0)) await screen.close();
});
afterAll(async () => {
  await cluster.stop();
});

function open(command: readonly string[], cols?: number, rows?: number): Screen {
  const screen = new Screen(command, cluster.env, cols, rows);
  screens.push(screen);
  return screen;
}
const direct = (command: readonly string[], cols?: number, rows?: number): Screen => open(command, cols, rows);
const nsh = (...args: readonly string[]): Screen => open([process.execPath, nshProgram, ...args]);
const gpidOf = async (name: string): Promise<string> => (await cluster.nsh(['pgrep', '-x', name])).stdout.trim();

/** Waits until both show the same, then says so cell by cell. */
async function expectSame(far: Screen, near: Screen): Promise<void> {
  await far.until(
    (rows) => rows.join('\n') === near.rows.join('\n'),
    `the same as directly:\n${near.rows.join('\n')}\n`,
  );
  await far.until(() => String(far.cursor) === String(near.cursor), `the cursor at ${String(near.cursor)}`);
  expect(far.isAlternate).toBe(near.isAlternate);
  for (const y of far.rows.keys()) expect(far.attributes(y), `row ${y}`).toBe(near.attributes(y));
}

interface Case {
  readonly name: string;
  readonly command: () => readonly string[];
  /** What is on the screen when the program is up. */
  readonly up: string;
  readonly before: readonly string[];
  /** On the screen after it. */
  readonly shows: string;
  /** The bottom row once the program has taken a new size: keys that come before may be lost on it. */
  readonly bottom: RegExp;
  readonly after: string;
  readonly finally: string;
}

const cases: readonly Case[] = [
  {
    name: 'vim',
    command: () => ['vim', '-u', 'NONE', '-N', '-n', '--cmd', 'set ruler hlsearch showcmd', text],
    up: '2: w',
    before: ['/29: \r', 'ix inserted \u001b'],
    shows: 'x inserted',
    bottom: /\d+,\d+/,
    after: '50G',
    finally: '50: ',
  },
  {
    name: 'less',
    command: () => ['less', '-M', text],
    up: '2: w',
    before: ['/ 日本語\r', ' '],
    shows: '日本語',
    bottom: /lines \d+-\d+\/400/,
    after: 'G',
    finally: '400: ',
  },
];

describe('a full-screen program on another node', () => {
  it.each(cases)('$name looks as it does directly: run, detached, attached, resized, used further', async (each) => {
    const command = each.command();
    const near = direct(command);
    const far = nsh('run', '-e', 'LANG=C.UTF-8', '-n', 'n1', '--', ...command);
    for (const screen of [near, far]) {
      await screen.untilText(each.up);
      for (const keys of each.before) screen.type(keys);
      await screen.untilText(each.shows);
    }
    await expectSame(far, near);

    const gpid = await gpidOf(each.name);
    far.type('\u001cd');
    await far.untilText(`nsh attach ${gpid}`);
    const again = nsh('attach', gpid);
    await again.untilText(each.shows);
    await expectSame(again, near);

    for (const screen of [near, again]) {
      screen.resize(100, 30);
      await screen.until((rows) => each.bottom.test(rows[29] ?? ''), 'the new size');
    }
    await expectSame(again, near);
    for (const screen of [near, again]) {
      screen.type(each.after);
      await screen.untilText(each.finally);
    }
    await expectSame(again, near);
    await cluster.nsh(['kill', '-9', gpid]);
  });

  it('bash keeps its line, its history and its scrollback', async () => {
    const bash = ['bash', '--norc', '--noprofile', '-i'];
    const prompt = "PS1='p> '; bind 'set enable-bracketed-paste off'\r";
    const near = direct(bash);
    const far = nsh('run', '-n', 'n2', '--', ...bash);
    for (const screen of [near, far]) {
      await screen.until((rows) => rows.some((row) => /[#$]$/.test(row)), 'the prompt of root or another user');
      screen.type(prompt);
      await screen.until((rows) => rows.some((row) => row === 'p>'), 'the prompt');
      screen.type('clear; seq 1 60; printf "\\033[1;31mred\\033[0m\\n"; echo half \\\r');
      await screen.until((rows) => rows.at(-1) === '>' || rows.includes('>'), 'the second prompt');
      screen.type('a line');
      await screen.untilText('> a line');
    }
    await expectSame(far, near);
    const gpid = await gpidOf('bash');
    far.type('\u001cd');
    await far.untilText(`nsh attach ${gpid}`);
    const again = nsh('attach', gpid);
    await again.untilText('> a line');
    await expectSame(again, near);
    for (const screen of [near, again]) {
      screen.type('\r');
      await screen.untilText('half a line');
    }
    await expectSame(again, near);
    await cluster.nsh(['kill', '-9', gpid]);
  });

  it('top shows its table, digits aside', async () => {
    const shape = (rows: readonly string[]): string =>
      rows.slice(6, 8).join('\n').replaceAll(/\d+/g, '#').replaceAll(/ +/g, ' ');
    const sleeper = await cluster.start('-n', 'n1', '--', 'sleep', '1000');
    const pid = String(sleeper % 10_000_000);
    const far = nsh('run', '-n', 'n1', '--', 'top', '-p', pid);
    await far.until((rows) => (rows[7] ?? '').endsWith(' sleep'), 'the row of sleep');
    const seen = shape(far.rows);
    const gpid = await gpidOf('top');
    far.type('\u001cd');
    await far.untilText(`nsh attach ${gpid}`);
    const again = nsh('attach', gpid);
    await again.until((rows) => (rows[7] ?? '').endsWith(' sleep'), 'the row of sleep');
    expect(shape(again.rows)).toBe(seen);
    again.type('q');
    await again.untilText('exited with status 0');
    await cluster.nsh(['kill', '-9', String(sleeper)]);
  });

  it('has the size of the window that is left where another one detaches', async () => {
    const script = 'trap "stty size" WINCH; stty size; while :; do sleep 0.05; done';
    const gpid = String(await cluster.start('-t', '-n', 'n1', '--', 'bash', '-c', script));
    const one = nsh('attach', gpid);
    one.resize(100, 30);
    await one.untilText('30 100');
    const two = nsh('attach', gpid);
    two.resize(60, 15);
    for (const screen of [one, two]) await screen.untilText('15 60');
    two.type('\u001cd');
    await two.untilText(`nsh attach ${gpid}`);
    await one.until((rows) => rows.findLast((row) => row !== '') === '30 100', 'its own size');
    expect((await cluster.nsh(['ps', '-p', gpid, '-o', 'clients='])).stdout.trim()).toBe('1');
    await cluster.nsh(['kill', '-9', gpid]);
  });

  it('shows the same to two at once, and a third that only reads cannot type', async () => {
    const gpid = String(await cluster.start('-t', '-n', 'n1', '--', 'cat'));
    const [one, two, reader] = [nsh('attach', gpid), nsh('attach', gpid), nsh('attach', '--read-only', gpid)];
    one.type('typed by one\r');
    for (const screen of [one, two, reader]) await screen.untilText('typed by one');
    reader.type('typed by the reader\r');
    two.type('typed by two\r');
    for (const screen of [one, two, reader]) await screen.untilText('typed by two');
    expect([one, two, reader].flatMap((screen) => screen.rows).join('\n')).not.toContain('typed by the reader');
    two.type('\u0004');
    for (const screen of [one, two, reader]) await screen.untilText('exited with status 0');
    const late = nsh('attach', gpid);
    await late.untilText('typed by two');
    await late.untilText('exited with status 0');
  });
});
