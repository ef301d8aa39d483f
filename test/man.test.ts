/** The man pages: well-formed, and complete where a table in the sources says what there is. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadCommand, summaries } from '../shell/commands/index.ts';
import { sessionCommands } from '../shell/commands/session-commands.ts';
import { emacsKeymap } from '../shell/editor/emacs-keymap.ts';
import { viCommandKeymap, viInsertKeymap } from '../shell/editor/vi-keymaps.ts';
import { motions } from '../shell/editor/vi-motions.ts';
import { promptEscapes } from '../shell/interactive/prompt.ts';
import { allColumns } from '../shell/ps/columns/index.ts';
import { parsePsArgs } from '../shell/ps/parse/index.ts';
import type { Dress } from '../shell/top/dress.ts';
import { helpLines } from '../shell/top/help.ts';
import { parseGroupSpec, specKeys, writeGroupSpec } from '../src/policy/supervision/parse-spec.ts';
import { methods, runParams } from '../src/protocol/control.ts';
import { errorCodes } from '../src/protocol/errors.ts';
import { frameTypes, openFrame, streamNumbers } from '../src/protocol/frames.ts';

const checkout = join(import.meta.dirname, '..');
const directory = join(checkout, 'man');
const pages = readdirSync(directory).sort();
const read = (page: string): string => readFileSync(join(directory, page), 'utf8');
const manual = read('nsh.1');
const protocol = read('nsh-protocol.7');

const hasMandoc = spawnSync('mandoc', ['-T', 'lint', join(directory, 'nsh.1')]).error === undefined;
if (!hasMandoc && process.env['CI'] === 'true') throw new Error('mandoc is missing: apt-get install mandoc');

describe.skipIf(!hasMandoc)('mandoc', () => {
  it.each(pages)('has no warning about %s', (page) => {
    const { stdout, stderr } = spawnSync('mandoc', ['-T', 'lint', '-W', 'warning', page], {
      cwd: directory,
      encoding: 'utf8',
    });
    expect(stdout + stderr).toBe('');
  });
});

it.each(pages)('the lines of %s fit an editor of 80 columns', (page) => {
  expect(
    read(page)
      .split('\n')
      .filter((line) => line.length > 79),
  ).toEqual([]);
});

it('each page refers to the others', () => {
  const refers = (page: string, [name, chapter]: readonly string[]): boolean =>
    read(page).includes(`.Xr ${name} ${chapter}`);
  for (const page of pages) {
    const others = pages.filter((other) => other !== page).map((other) => other.split('.'));
    expect({ page, missing: others.filter((other) => !refers(page, other)) }).toEqual({ page, missing: [] });
  }
});

describe('nsh.1', () => {
  it.each(summaries.map(([name]) => name))('has every option of %s, and no other', async (name) => {
    const options = (await loadCommand(name))?.options ?? [];
    const wanted = options.flatMap(({ short, long }) => [
      ...(short === undefined ? [] : [short]),
      ...(long === undefined ? [] : [`-${long}`]),
    ]);
    const documented = optionsIn(commandSection(name));
    expect(wanted.filter((option) => !documented.has(option))).toEqual([]);
    // ps reads more than its table tells, and the section of pgrep and pkill is of both.
    if (name === 'ps' || name === 'pgrep' || name === 'pkill') return;
    const known = new Set(wanted);
    expect([...documented].filter((option) => !known.has(option))).toEqual([]);
  });

  it('tells only options that ps understands', () => {
    const refused = [...optionsIn(commandSection('ps'))].filter((option) => {
      const takesList =
        /^(?:[pqsgGuUCtoO]|-(?:quick-pid|ppid|pid|sid|group|Group|user|User|tty|format|sort|on|cols|columns|width|rows|lines))$/;
      const value = /^-?[oO]$|format|sort/.test(option) ? 'pid' : '1';
      const words = option === 'y' ? ['-ly'] : takesList.test(option) ? [`-${option}`, value] : [`-${option}`];
      return !isUnderstood(words);
    });
    expect(refused).toEqual([]);
  });

  it('has every option of pgrep and pkill, and no other', async () => {
    const commands = await Promise.all(['pgrep', 'pkill'].map((name) => loadCommand(name)));
    const options = commands.flatMap((command) => command?.options ?? []);
    const known = new Set(options.flatMap(({ short, long }) => [short, long === undefined ? undefined : `-${long}`]));
    expect([...optionsIn(commandSection('pgrep'))].filter((option) => !known.has(option))).toEqual([]);
  });

  it('has every key of the line editor, and no other', () => {
    const wanted = [...emacsKeymap.keys()].map(nameOfKey).sort();
    expect(keysIn(section('Keys')).sort()).toEqual(wanted);
  });

  it('has every key of vi', () => {
    const text = section('Keys of vi');
    const told = new Set([...keysIn(text), ...(text.match(/\bC-[a-z_]/g) ?? []), ...keysIn(section('Keys'))]);
    // What is told in words: arrows and the like, blanks, counts.
    const own = [...viCommandKeymap.keys(), ...viInsertKeymap.keys(), ...motions.keys()].map(nameOfKey);
    expect(own.filter((key) => !told.has(key) && key !== ' ' && key !== 'escape')).toEqual([]);
    const known = new Set(own);
    expect(keysIn(text).filter((key) => key.length === 1 && !known.has(key))).toEqual([]);
  });

  it('has every builtin that only a session has, with its options', () => {
    const items = [...section('Session builtins').matchAll(/^\.It Cm (\w+)(.*)$/gm)];
    for (const { name, options } of sessionCommands) {
      const head = items.find(([, each]) => each === name)?.[2];
      expect({ name, isThere: head !== undefined }).toEqual({ name, isThere: true });
      for (const { short } of options) expect(head).toMatch(new RegExp(`Fl [a-z]*${short}`));
    }
  });

  it('has every key of top', () => {
    const text = section('Nm top');
    const told = helpLines({ columns: 200, rows: 50 }, { bold: (line: string) => line } as unknown as Dress);
    const keys = told.flatMap((line) => /^ {2}(\S.*?) {2,}/.exec(line)?.[1]?.split(' ') ?? []);
    const named: Readonly<Record<string, string>> = { '↑': 'arrows', '↓': 'arrows' };
    expect(keys.length).toBeGreaterThan(15);
    expect(keys.filter((key) => !new RegExp(`^\\.It .*${named[key] ?? key}`, 'm').test(text))).toEqual([]);
  });

  it('has every escape of the prompt', () => {
    const text = section('Prompt').replaceAll('\\e', '\\');
    for (const name of promptEscapes) expect(text).toContain(`\\${name}`);
  });

  it('has every column of ps, and no other', () => {
    const rows = itemsIn(section('Columns')).filter((cells) => cells[0] !== 'Sy names');
    const documented = rows.flatMap((cells) => (cells[0] ?? '').split(' , '));
    expect(documented.sort()).toEqual(allColumns.map(({ name }) => name).sort());
  });

  it('has the exit status of every error', () => {
    const rows = itemsIn(section('EXIT STATUS')).filter((cells) => cells.length === 3 && cells[0] !== 'Sy code');
    const documented = Object.fromEntries(rows.map(([code = '', status]) => [code, Number(status)]));
    expect(documented).toEqual(
      Object.fromEntries(Object.entries(errorCodes).map(([code, [, status]]) => [code, status])),
    );
  });

  it('has an item for every exit status that an error means', () => {
    const documented = itemsIn(section('EXIT STATUS'))
      .filter((cells) => cells.length === 1)
      .flat();
    const statuses = new Set(Object.values(errorCodes).map(([, status]) => String(status)));
    statuses.delete('130'); // 128+n: broken off by SIGINT
    expect([...statuses].filter((status) => !documented.includes(status))).toEqual([]);
  });
});

describe('nsh-protocol.7', () => {
  it.each([...Object.keys(methods), 'answer', 'cancel', 'progress', 'prompt'])('has %s', (name) => {
    expect(protocol).toMatch(new RegExp(`^\\.(?:It )?Cm ${name}\\b`, 'm'));
  });

  it('has every parameter of run, and every role of a stream', () => {
    const run = /^\.It Cm run No [^]*?^\.It /m.exec(protocol)?.[0] ?? '';
    expect(Object.keys(runParams.entries).filter((name) => !new RegExp(`\\b${name}\\b`).test(run))).toEqual([]);
    for (const role of openFrame.entries.role.options) expect(protocol).toMatch(new RegExp(`^\\.Ql ${role} :$`, 'm'));
    for (const number of Object.values(streamNumbers))
      expect(protocol).toMatch(new RegExp(`\\b${number} (?:the )?(?:standard|report)`));
  });

  it('has every frame with its type, and no other', () => {
    const rows = itemsIn(protocol).filter((cells) => cells[0]?.startsWith('0x') === true);
    const documented = Object.fromEntries(rows.map(([type, name = '']) => [name, Number(type)]));
    expect(documented).toEqual({ ...frameTypes });
  });
});

it('nsh-agent.8 has every option that nsh-agent --help tells', () => {
  const { stdout } = spawnSync(process.execPath, [join(checkout, 'dist/nsh-agent.js'), '--help'], { encoding: 'utf8' });
  const told = [...stdout.matchAll(/--([a-z-]+)/g)].map(([, name = '']) => `-${name}`);
  const documented = new Set([...read('nsh-agent.8').matchAll(/\bFl (-[a-z-]+)/g)].map(([, name]) => name));
  expect(told.length).toBeGreaterThan(5);
  expect(told.filter((option) => !documented.has(option))).toEqual([]);
});

/** From the heading of a section or subsection to the next one of its rank or above. */
function section(title: string): string {
  const lines = manual.split('\n');
  const begin = lines.findIndex((line) => line === `.Sh ${title}` || line === `.Ss ${title}`);
  if (begin < 0) throw new Error(`nsh.1 has no section ${title}`);
  const ends = lines[begin]?.startsWith('.Sh') === true ? /^\.Sh / : /^\.S[hs] /;
  const length = lines.slice(begin + 1).findIndex((line) => ends.test(line));
  return lines.slice(begin + 1, length < 0 ? undefined : begin + 1 + length).join('\n');
}

/** The section that a command has, alone or with its like: `.Ss Nm pgrep , pkill`. */
function commandSection(name: string): string {
  const titles = [...manual.matchAll(/^\.Ss (Nm .+)$/gm)].map(([, title = '']) => title);
  const title = titles.find((each) => each.slice('Nm '.length).split(' , ').includes(name));
  if (title === undefined) throw new Error(`nsh.1 has no section on ${name}`);
  return section(title);
}

/** Names in the heads of a list's items: `.It Fl n , -on Ar nodeset` has `n` and `-on`. */
function optionsIn(text: string): Set<string> {
  const names = new Set<string>();
  for (const [, head = ''] of text.matchAll(/^\.It (.*\bFl .*)$/gm)) {
    for (const [, words = ''] of head.matchAll(/\bFl ((?:-?[A-Za-z][\w-]*)(?: , -?[A-Za-z][\w-]*)*)/g)) {
      for (const word of words.split(' , ')) names.add(word);
    }
  }
  return names;
}

/** Keys in the first column of a table, as the key maps name them. */
function keysIn(text: string): string[] {
  return itemsIn(text)
    .filter((cells) => cells.length === 2 && cells[0] !== 'Sy keys')
    .flatMap(([cell = '']) => cell.replace(' with a motion', '').split(' , '))
    .map((key) => nameOfKey(key.replace(/^\\&/, '').replace('\\e', '\\')));
}

/** `M-PageUp` → `M-pageup`: case counts where it is a character's. */
function nameOfKey(key: string): string {
  return key.replaceAll(/[A-Za-z]{2,}/g, (name) => name.toLowerCase()).replace(/M- $/, 'M-space');
}

function isUnderstood(words: readonly string[]): boolean {
  try {
    parsePsArgs(words);
    return true;
  } catch {
    // Whatever it has against them: the manual must not tell of such an option.
    return false;
  }
}

/** Cells of the items of a table. */
function itemsIn(text: string): string[][] {
  return [...text.matchAll(/^\.It (.+)$/gm)].map(([, line = '']) => line.split(' Ta '));
}

describe('nsh-group.5', () => {
  it('has every key of a specification, with its default where that is a word or a number', () => {
    const text = read('nsh-group.5');
    const written = writeGroupSpec(parseGroupSpec({ name: 'web', command: ['x'] }));
    const keys = [...text.matchAll(/^\.It Cm ([a-z-]+) :/gm)].map(([, key]) => key);
    expect(keys).toEqual([...specKeys]);
    for (const key of [
      'restart',
      'strategy',
      'spreading',
      'intensity',
      'replicas',
      'period',
      'ready-timeout',
      'stop-timeout',
    ] as const) {
      const item = new RegExp(`^\\.It Cm ${key} :[^]*?(?=^\\.It|^\\.El)`, 'm').exec(text)?.[0] ?? '';
      const told = /Default\n?(?:\.Cm)? ?([\w]+)/.exec(item)?.[1];
      const value = String(written[key]);
      expect([key, told]).toEqual([key, value === '1m' ? '60s' : value]);
    }
  });
});
