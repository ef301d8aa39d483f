/** Keystroke to drawn character in the line editor, as a person types a line: with a short and with a long history to suggest from. */
import { stripVTControlCharacters } from 'node:util';
import type { Setting } from './setting.ts';
import { ready, shellPeers, type ShellPeer } from './shells.ts';
import { median, percentile, type Figure } from './stats.ts';
import { BenchTerminal, cpuMs } from './terminal.ts';

/** A frame of a screen that draws 60 a second. */
const goalMs = 16;
/** Some of it is in the history, the end never. */
const line = 'for f in part-77*; do grep -n "a b" "$f" | head -3 >x; done';
/** Between two keys: what the last one has set off comes to its end, as it does with a person. */
const quietMs = 5;

export async function benchEditor(setting: Setting, rounds: number): Promise<Figure[]> {
  return [...(await compare(setting, 0, rounds)), ...(await compare(setting, 10_000, rounds))];
}

interface Typist extends ShellPeer {
  readonly terminal: BenchTerminal;
  readonly times: number[];
  /** Processor time for each key of a line, ms. */
  readonly cpu: number[];
}

async function compare(setting: Setting, entries: number, rounds: number): Promise<Figure[]> {
  const typists: Typist[] = (await shellPeers(setting, entries)).map((peer) => ({
    ...peer,
    terminal: new BenchTerminal(peer.name, peer.command, peer.env),
    times: [],
    cpu: [],
  }));
  try {
    for (const { terminal } of typists) {
      await terminal.until(ready);
      // Nodes have answered, and the history has been read.
      await terminal.quiet(500);
    }
    for (let round = 0; round < rounds; round++) {
      for (const typist of typists) await typeLine(typist, round > 0);
    }
  } finally {
    for (const { terminal } of typists) await terminal.end();
  }
  return figures(typists, entries);
}

async function typeLine({ terminal, times, cpu }: Typist, counts: boolean): Promise<void> {
  const before = cpuMs(terminal.pid);
  for (const letter of line) {
    await terminal.quiet(quietMs);
    const ms = await terminal.answer(letter, (text) => isDrawn(text, letter));
    if (counts) times.push(ms);
  }
  await terminal.quiet(quietMs);
  if (counts) cpu.push((cpuMs(terminal.pid) - before) / line.length);
  terminal.type('\u0015');
  await terminal.quiet(quietMs);
}

function figures(typists: readonly Typist[], entries: number): Figure[] {
  const kinds: readonly (readonly [name: string, of: (typist: Typist) => number])[] = [
    ['median', ({ times }) => median(times)],
    ['p99', ({ times }) => percentile(times, 99)],
    ['processor time', ({ cpu }) => median(cpu)],
  ];
  const bash = typists.find(({ name }) => name === 'bash');
  return kinds.flatMap(([kind, of]) =>
    typists.map((typist): Figure => {
      const value = of(typist);
      const ratio = bash === undefined ? '' : (value / of(bash)).toFixed(1);
      const work = `key to character, ${entries.toLocaleString('en')} entries, ${kind}`;
      const figure = { work, who: typist.name, value, unit: 'ms' as const, ratio };
      const hasGoal = typist.name === 'nsh' && kind === 'p99';
      return hasGoal ? { ...figure, goal: [`under ${goalMs} ms`, value < goalMs] } : figure;
    }),
  );
}

/** A blank at the end of a line is a cursor that has moved. */
function isDrawn(output: string, letter: string): boolean {
  return letter === ' ' ? output !== '' : stripVTControlCharacters(output).includes(letter);
}
