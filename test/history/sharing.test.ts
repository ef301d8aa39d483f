/** Several processes at one history file, some of them killed. */
import { linkSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { History } from '../../shell/history/index.ts';
import { encodeEntry } from '../../shell/history/record.ts';
import { trimHistory } from '../../shell/history/trim.ts';
import { endPrograms, startProgram, type RunningProgram } from './program.ts';

let directory: string;
let path: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'nsh-history-'));
  path = join(directory, 'history');
});
afterEach(async () => {
  await endPrograms();
  rmSync(directory, { recursive: true, force: true });
});

async function kept(): Promise<string[]> {
  const history = new History({ path, session: 'reader' });
  await history.load();
  const found: string[] = [];
  for (let at = history.end - 1; ; at--) {
    const entry = history.at(at);
    if (entry === undefined) return found.reverse();
    found.push(entry.line);
  }
}

function saidBy(writers: readonly RunningProgram[]): string[] {
  return writers.flatMap((writer) => writer.lines());
}

describe('a history that is shared', () => {
  it('loses no line of several writers, each line once and in its order, while the file is rewritten all the time', async () => {
    const trimmer = startProgram('trimmer.ts', path, '1000000');
    const writers = ['a', 'b', 'c'].map((session) => startProgram('writer.ts', path, session, '1500'));
    expect(await Promise.all(writers.map(({ ended }) => ended))).toEqual([0, 0, 0]);
    await trimmer.untilLines(3);
    trimmer.child.kill('SIGKILL');
    await trimmer.ended;
    await trimHistory(path, 1_000_000);
    const lines = await kept();
    expect([...lines].sort()).toEqual(saidBy(writers).sort());
    expect(lines).toHaveLength(4_500);
  });

  it('loses nothing that was kept where writers and rewriters are killed at any moment', async () => {
    const writers: RunningProgram[] = [];
    const writing = new AbortController();
    const rewriting = (async () => {
      for (let round = 0; !writing.signal.aborted; round++) {
        const trimmer = startProgram('trimmer.ts', path, '1000000');
        await trimmer.untilLines(1 + (round % 3));
        trimmer.child.kill('SIGKILL');
        await trimmer.ended;
      }
    })();
    for (let round = 0; round < 4; round++) {
      const pair = [`x${round}`, `y${round}`].map((session) => startProgram('writer.ts', path, session, '100000'));
      writers.push(...pair);
      await Promise.all(pair.map((writer, i) => writer.untilLines(200 + 97 * i)));
      for (const { child } of pair) child.kill('SIGKILL');
      await Promise.all(pair.map(({ ended }) => ended));
    }
    writing.abort();
    await rewriting;
    await trimHistory(path, 1_000_000);
    const lines = new Set(await kept());
    const said = saidBy(writers);
    expect(said.length).toBeGreaterThan(4 * 400);
    expect(said.filter((line) => !lines.has(line))).toEqual([]);
    // Of each killed writer one line may be kept that it had no time to tell of.
    expect(lines.size).toBeLessThanOrEqual(said.length + writers.length);
  });
});

describe('a rewrite that was killed', () => {
  const record = (i: number): string =>
    encodeEntry({ key: `s:${i}`, line: `line ${i}`, session: 's', node: 'n', cwd: '/', atMs: i });
  const records = (from: number, to: number): string =>
    Array.from({ length: to - from + 1 }, (_, i) => record(from + i)).join('');
  const numbers = (lines: readonly string[]): number[] =>
    lines.map((line) => Number(line.slice(5))).sort((a, b) => a - b);

  it('before the replacement has left nothing to do', async () => {
    writeFileSync(path, records(1, 20));
    linkSync(path, `${path}.old`);
    writeFileSync(`${path}.new`, records(1, 3));
    await new History({ path, session: 'next' }).trim();
    expect(readdirSync(directory).sort()).toEqual(['history', 'history.lock']);
    expect(numbers(await kept())).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  });

  it('after it has left what others had appended, which the next session brings back, and nothing that was left out', async () => {
    writeFileSync(`${path}.old`, records(1, 105));
    writeFileSync(path, records(51, 100) + record(106));
    await new History({ path, session: 'next' }).trim();
    expect(readdirSync(directory).sort()).toEqual(['history', 'history.lock']);
    expect(numbers(await kept())).toEqual(Array.from({ length: 56 }, (_, i) => i + 51));
  });
});
