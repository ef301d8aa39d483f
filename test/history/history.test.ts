import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { History, historyPath, searchHistory, showLine, type HistoryEntry } from '../../shell/history/index.ts';
import { encodeEntry } from '../../shell/history/record.ts';

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'nsh-history-'));
  path = join(directory, 'state/nsh/history');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function open(session = 'one', maxEntries?: number): History {
  return new History({ path, session, ...(maxEntries === undefined ? {} : { maxEntries }) });
}

function add(history: History, line: string): string | undefined {
  return history.add({ line, node: 'web1', cwd: '/srv', atMs: 1_000 });
}

/** Newest first. */
function all(history: History): HistoryEntry[] {
  history.refresh();
  const found: HistoryEntry[] = [];
  for (let at = history.end - 1; ; at--) {
    const entry = history.at(at);
    if (entry === undefined) return found;
    found.push(entry);
  }
}

const lines = (history: History): string[] => all(history).map(({ line }) => line);

describe('the history', () => {
  it('lies below the state directory', () => {
    expect(historyPath({ XDG_STATE_HOME: '/s' })).toBe('/s/nsh/history');
    expect(historyPath({ HOME: '/h', XDG_STATE_HOME: 'relative' })).toBe('/h/.local/state/nsh/history');
  });

  it('keeps a line at once, with node, directory, time, session, and later its outcome', () => {
    const history = open();
    const key = add(history, 'make -j8');
    expect(all(open('two'))).toEqual([
      { key, line: 'make -j8', session: 'one', node: 'web1', cwd: '/srv', atMs: 1_000 },
    ]);
    history.finish(key ?? '', { status: 2, durationMs: 1234 });
    expect(all(open('two'))[0]?.outcome).toEqual({ status: 2, durationMs: 1234 });
    expect(all(history)[0]?.outcome).toEqual({ status: 2, durationMs: 1234 });
  });

  it('is closed to others, also where it was open', () => {
    add(open(), 'one');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(directory, 'state/nsh')).mode & 0o777).toBe(0o700);
    chmodSync(path, 0o644);
    add(open('two'), 'two');
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('does not keep lines that begin with a blank, blank ones, and enormous ones', () => {
    const history = open();
    for (const line of [' secret', '\tsecret', '', '   ', 'x'.repeat(100_000)])
      expect(add(history, line)).toBeUndefined();
    expect(all(history)).toEqual([]);
  });

  it('keeps lines with line feeds, quotes, control characters and lone surrogates as they are', () => {
    const odd = [
      'for i in 1 2\ndo echo $i\ndone',
      'echo "\\" \' {"s":"x"',
      'printf \u001b[31m\u0000\u009b',
      'é 日本 🙂',
      'x\ud800y',
    ];
    const history = open();
    for (const line of odd) add(history, line);
    expect(lines(open('two'))).toEqual(odd.toReversed());
    expect(readFileSync(path, 'utf8')).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  });

  it('shows a session what others add, newest first, while positions stay what they are', () => {
    const [one, two] = [open('one'), open('two')];
    add(one, 'a');
    add(two, 'b');
    const before = two.end - 1;
    add(one, 'c');
    expect(lines(two)).toEqual(['c', 'b', 'a']);
    expect(two.at(before)?.line).toBe('b');
    expect(lines(one)).toEqual(['c', 'b', 'a']);
  });

  it('survives a torn last line, and loses nothing that comes behind it', () => {
    const history = open();
    add(history, 'whole');
    appendFileSync(path, '{"s":"dead","k":0,"t":1,"n":"web1","d":"/","l":"torn in the mid');
    expect(lines(open('two'))).toEqual(['whole']);
    add(open('three'), 'after');
    add(open('four'), 'later');
    expect(lines(open('five'))).toEqual(['later', 'after', 'whole']);
    expect(lines(history)).toEqual(['later', 'after', 'whole']);
  });

  it('passes over what is no record', () => {
    add(open(), 'good');
    appendFileSync(
      path,
      'rubbish\n[]\n1\nnull\n{"s":1}\n{"s":"x","k":1,"l":5}\n\u0000\u0000\n{"s":"x","k":2,"t":1,"n":"a","d":"/","l":"too"}\n',
    );
    expect(lines(open('two'))).toEqual(['too', 'good']);
  });

  it('goes on in memory where the file cannot be written, and says so once', () => {
    mkdirSync(path, { recursive: true });
    const problems: string[] = [];
    const history = new History({ path, session: 'one', onProblem: (message) => problems.push(message) });
    add(history, 'a');
    add(history, 'b');
    expect(lines(history)).toEqual(['b', 'a']);
    expect(problems).toEqual([expect.stringContaining(path)]);
  });

  it('writes and reads nothing with a bound of 0', () => {
    const history = open('one', 0);
    add(history, 'a');
    expect(lines(history)).toEqual(['a']);
    expect(statSync(path, { throwIfNoEntry: false })).toBeUndefined();
  });

  it('goes on after the file was removed', () => {
    const history = open();
    add(history, 'a');
    rmSync(path);
    expect(lines(history)).toEqual(['a']);
    add(history, 'b');
    expect(lines(history)).toEqual(['b', 'a']);
    expect(lines(open('two'))).toEqual(['b']);
  });
});

describe('the bound', () => {
  it('is kept by a rewrite when the file has outgrown it, and what other sessions hold stays in order', async () => {
    const before = open('before', 50);
    for (let i = 0; i < 100; i++) add(before, `old ${i}`);
    const other = open('other', 50);
    expect(other.at(other.end - 1)).toBeUndefined();
    other.refresh();
    const newest = other.end - 1;
    expect(other.at(newest)?.line).toBe('old 99');
    const history = open('one', 50);
    await history.trim();
    expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(51);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    add(history, 'new');
    expect(lines(open('two'))).toEqual(['new', ...Array.from({ length: 50 }, (_, i) => `old ${99 - i}`)]);
    expect(lines(other).slice(0, 3)).toEqual(['new', 'old 99', 'old 98']);
    expect(other.at(newest)?.line).toBe('old 99');
  });

  it('is not looked after with each line', async () => {
    const history = open('one', 10);
    await history.trim();
    for (let i = 0; i < 100; i++) {
      add(history, `line ${i}`);
      await history.trim();
    }
    expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(101);
    for (let i = 0; i < 120; i++) {
      add(history, `more ${i}`);
      await history.trim();
    }
    expect(readFileSync(path, 'utf8').split('\n').length).toBeLessThan(50);
  });
});

describe('searching', () => {
  it('steps to older and newer lines by prefix, by substring, and past the one that is shown', () => {
    const history = open();
    for (const line of ['git status', 'ls /git', 'Git pull', 'git push', 'git push', 'make']) add(history, line);
    const step = (
      query: Parameters<typeof searchHistory>[3],
      from = history.end,
      direction: 'older' | 'newer' = 'older',
    ) => searchHistory(history, from, direction, query);
    expect(step({})?.entry.line).toBe('make');
    const first = step({ prefix: 'git' });
    expect(first).toMatchObject({ entry: { line: 'git push' }, index: 0 });
    const second = step({ prefix: 'git', except: 'git push' }, first?.position);
    expect(second?.entry.line).toBe('git status');
    expect(step({ prefix: 'git' }, second?.position)).toBeUndefined();
    expect(step({ prefix: 'git' }, second?.position, 'newer')?.entry.line).toBe('git push');
    expect(step({ substring: 'pull' })).toMatchObject({ entry: { line: 'Git pull' }, index: 4 });
    expect(step({ substring: 'Git' })?.entry.line).toBe('Git pull');
    expect(step({ substring: 'git', except: 'git push' })?.entry.line).toBe('Git pull');
    expect(step({ substring: 'nothing' })).toBeUndefined();
  });

  it('reads the file block by block, over lines longer than a block', () => {
    mkdirSync(join(directory, 'state/nsh'), { recursive: true });
    const texts = Array.from({ length: 3_000 }, (_, i) =>
      i === 2_000 ? `${i} ${'long '.repeat(13_000)}` : `${i} ${'y'.repeat(i % 200)}`,
    );
    const records = texts.map((line, i) =>
      encodeEntry({ key: `old:${i}`, line, session: 'old', node: 'n', cwd: '/', atMs: i }),
    );
    writeFileSync(path, records.join(''));
    const history = open();
    expect(lines(history)).toEqual(texts.toReversed());
  });
});

describe('a shown line', () => {
  it('takes one row, and nothing in it acts on the terminal', () => {
    expect(showLine('a\nb\tc\u001b[31m\u009b')).toBe('a⏎b c^[[31m?');
    expect(showLine('echo 日本語', 8)).toBe('echo 日…');
    expect(showLine('short', 5)).toBe('short');
  });
});
