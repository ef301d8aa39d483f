import { spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { describe, expect, it } from 'vitest';
import {
  findSignal,
  listSignals,
  lookUpSignal,
  parseSignal,
  signalName,
  tabulateSignals,
} from '../../src/ids/signals.ts';

const bash = (...args: string[]): string =>
  spawnSync('bash', ['--norc', '-c', 'kill -l "$@"', 'bash', ...args], { encoding: 'utf8' }).stdout.trim();
const procps = (...args: string[]): string =>
  spawnSync('/bin/kill', args, { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } }).stdout;

describe('signal names', () => {
  it('are those of the kernel that Node knows, under every name', () => {
    for (const [name, number] of Object.entries(constants.signals))
      expect([name, findSignal(name)]).toEqual([name, number]);
  });

  // bash calls 29 IO where procps says POLL.
  const numbers = Array.from({ length: 65 }, (_, number) => number).filter((number) => number !== 29);
  it.each(numbers)('are those of bash: %i', (number) => {
    expect(signalName(number) ?? '').toBe(bash(String(number)));
  });

  it('are read back as the number that they were made from', () => {
    const named = numbers.filter((number) => signalName(number) !== undefined);
    expect(named.map((number) => findSignal(signalName(number) ?? ''))).toEqual(named);
    expect(named).toHaveLength(62);
  });

  it.each([
    ['TERM', 15],
    ['SIGTERM', 15],
    ['term', 15],
    ['sigterm', 15],
    ['15', 15],
    ['0', 0],
    ['64', 64],
    ['RTMIN', 34],
    ['SIGRTMIN+3', 37],
    ['rtmax-1', 63],
    ['RTMIN+30', 64],
    ['RTMAX-30', 34],
    ['CLD', 17],
    ['IOT', 6],
    ['IO', 29],
    ['POLL', 29],
  ])('%j is %i', (text, number) => {
    expect(parseSignal(text)).toBe(number);
  });

  it.each([
    '',
    'TERMM',
    'SIG',
    'SIGSIGTERM',
    '65',
    '-1',
    '1.5',
    '0x9',
    'RTMIN-1',
    'RTMAX+1',
    'RTMIN+31',
    'RTMIN+',
    'toString',
    '__proto__',
  ])('%j is none', (text) => {
    expect(findSignal(text)).toBeUndefined();
    expect(() => parseSignal(text)).toThrow(expect.objectContaining({ code: 'usage' }));
  });

  it('come with a near match', () => {
    expect(() => parseSignal('SIGTREM')).toThrow(/^unknown signal 'SIGTREM'; did you mean 'TERM'\?$/);
  });
});

describe('kill -l', () => {
  it('prints the list and the table of procps', () => {
    expect(listSignals()).toBe(procps('-l'));
    expect(tabulateSignals()).toBe(procps('-L'));
  });

  it.each(['TERM', 'SIGKILL', 'hup', '9', '15', '31', '1', 'STKFLT', 'WINCH'])(
    'answers for %j what procps does',
    (word) => {
      expect(lookUpSignal(word)).toBe(procps('-l', word).trim());
    },
  );

  it.each(['143', '137', '162', '192', '130', '0', '34', '50', 'RTMIN+2', '129'])(
    'answers for %j what bash does',
    (word) => {
      expect(lookUpSignal(word)).toBe(bash(word));
    },
  );

  it.each(['65', '128', '200', '999', 'NOPE', '', '32', '160'])('refuses %j', (word) => {
    expect(() => lookUpSignal(word)).toThrow(expect.objectContaining({ code: 'usage' }));
  });
});
