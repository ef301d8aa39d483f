import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCorpus } from './corpus-files.ts';
import { alike, deliberateDifferences } from './deliberate-differences.ts';
import { type Outcome, runInBash, runLineByLine, runWhole } from './oracle.ts';

const corpus = readCorpus();

function seenPast(outcome: Outcome): Outcome {
  return { ...outcome, stdout: alike(outcome.stdout), stderr: alike(outcome.stderr) };
}

let root = '';

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'nsh-corpus-'));
});

afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

describe('the corpus', () => {
  it('has at least 400 scripts, each with a title of its own', () => {
    expect(corpus.length).toBeGreaterThanOrEqual(400);
    const titles = corpus.map(({ title }) => title);
    expect(titles.filter((title, i) => titles.indexOf(title) !== i)).toEqual([]);
  });
});

describe.concurrent('one script, as bash runs it', () => {
  it.each(corpus)('$title', async ({ title, text }) => {
    const [expected, actual] = await Promise.all([runInBash(root, text), runWhole(root, text)]);
    if (deliberateDifferences.has(title)) return;
    expect(seenPast(actual)).toEqual(seenPast(expected));
  });
});

describe.concurrent('line by line in one session, as bash runs it', () => {
  it.each(corpus)('$title', async ({ title, text }) => {
    const [expected, actual] = await Promise.all([runInBash(root, text), runLineByLine(root, text)]);
    if (deliberateDifferences.has(title)) return;
    expect(seenPast(actual)).toEqual(seenPast(expected));
  });
});
