import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Nodeset, parseNodeset } from '../../../src/ids/nodeset/index.ts';
import { makeRandom, type Random } from '../random.ts';
import { askClusterShell, hasClusterShell } from './clustershell.ts';

/** Lines of a file beside this one; `#` begins a comment. */
function readLines(name: string): string[] {
  const lines = readFileSync(join(import.meta.dirname, name), 'utf8')
    .trimEnd()
    .split('\n');
  return lines
    .filter((line) => !line.startsWith('#'))
    .map((line) => (line.startsWith('"') ? String(JSON.parse(line)) : line));
}

const wellFormed = readLines('well-formed.txt');
const malformed = readLines('malformed.txt');

describe.skipIf(!hasClusterShell)('beside ClusterShell', () => {
  const answers = hasClusterShell ? askClusterShell(wellFormed) : [];
  it.each(wellFormed.map((text, index) => [text, answers[index]] as const))('reads %j as it does', (text, answer) => {
    const nodeset = parseNodeset(text);
    expect({ fold: nodeset.fold(), names: nodeset.names() }).toEqual(answer);
    expect(nodeset.count).toBe(answer?.names?.length);
  });

  const refusals = hasClusterShell ? askClusterShell(malformed) : [];
  it.each(malformed.map((text, index) => [text, refusals[index]] as const))(
    'refuses %j as it does',
    (text, refusal) => {
      expect(refusal?.error).toBeDefined();
      expect(() => parseNodeset(text)).toThrow(expect.objectContaining({ code: 'nodeset' }));
    },
  );

  it.each([1, 2, 3, 4])('agrees on 400 random expressions (seed %i)', (seed) => {
    const random = makeRandom(seed);
    const texts = Array.from({ length: 400 }, () => randomExpression(random));
    expect(answersOf(texts, (text) => parseNodeset(text))).toEqual(oracleAnswers(texts));
  });

  it.each([5, 6])('folds 300 random lists of names as it does (seed %i)', (seed) => {
    const random = makeRandom(seed);
    const lists = Array.from({ length: 300 }, () => randomNames(random));
    expect(answersOf(lists, (names) => Nodeset.ofNames(names))).toEqual(oracleAnswers(lists));
  });
});

type Given = string | readonly string[];

function answersOf<T extends Given>(given: readonly T[], read: (text: T) => Nodeset): unknown[] {
  return given.map((text) => {
    const nodeset = read(text);
    return { given: text, fold: nodeset.fold(), names: nodeset.names() };
  });
}

function oracleAnswers(given: readonly Given[]): unknown[] {
  const answers = askClusterShell(given);
  return given.map((text, index) => ({ given: text, ...answers[index] }));
}

describe('folding', () => {
  it.each([11, 12, 13])('and expanding again gives the same names (seed %i)', (seed) => {
    const random = makeRandom(seed);
    for (let round = 0; round < 300; round += 1) {
      const nodeset = parseNodeset(randomExpression(random));
      expect(parseNodeset(nodeset.fold()).names()).toEqual(nodeset.names());
      expect(Nodeset.ofNames(nodeset.names()).fold()).toBe(nodeset.fold());
    }
  });
});

/** Few names and small numbers, so that operands overlap. */
function randomExpression(random: Random): string {
  const operands = Array.from({ length: random.between(1, 5) }, () => randomOperand(random));
  return operands.reduce((left, right) => left + random.pick([',', ',', '!', '&', '^']) + right);
}

function randomOperand(random: Random): string {
  const dimensions = random.pick([0, 1, 1, 2, 2, 2, 3]);
  const names = ['r', 'n', 's'];
  if (dimensions === 0) return random.pick(['a', 'b', 'r', 'web']);
  return names
    .slice(0, dimensions)
    .map((name) => name + randomIndexes(random))
    .join('');
}

function randomIndexes(random: Random): string {
  const pad = random.pick([0, 0, 0, 2, 3]);
  const number = (value: number): string => String(value).padStart(pad, '0');
  if (random.between(0, 2) === 0) return number(random.between(0, 12));
  const ranges = Array.from({ length: random.between(1, 3) }, () => {
    const from = random.between(0, 11);
    const to = from + random.between(0, 6);
    if (pad === 0 || String(to).length <= pad) {
      return random.between(0, 4) === 0 && to > from
        ? `${number(from)}-${number(to)}/${random.between(1, 3)}`
        : `${number(from)}-${number(to)}`;
    }
    return number(from);
  });
  return `[${ranges.join(',')}]`;
}

function randomNames(random: Random): string[] {
  const form = random.pick(['n#', 'r#n#', 'r#n#', 'r#n#s#', '#', 'x#-#']);
  return Array.from({ length: random.between(1, 40) }, () =>
    form.replaceAll('#', () => {
      const value = String(random.between(0, 6) === 0 ? random.between(0, 120) : random.between(0, 4));
      return random.between(0, 9) === 0 ? value.padStart(2, '0') : value;
    }),
  );
}
