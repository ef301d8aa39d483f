/** What is printed of a process that has ended, from screens as the agent makes them (agent/screen). */
import { describe, expect, it } from 'vitest';
import { makeEmulator } from '../../../agent/screen/emulator.ts';
import { restoreSequence } from '../../../agent/screen/restore-sequence.ts';
import { endedScreen } from '../../../shell/terminal/ended-screen.ts';
import { write } from '../../agent/screen/snapshot.ts';

interface Shown {
  readonly cols?: number;
  readonly scrollback?: number;
  readonly withHistory?: boolean;
  /** Of the terminal on which it is printed; default: cols. */
  readonly columns?: number;
}

async function shown(drawn: string, options: Shown = {}): Promise<string> {
  const { cols = 20, scrollback = 1000, withHistory = true, columns = cols } = options;
  const emulator = makeEmulator(cols, 4, scrollback);
  await write(emulator, drawn);
  const data = Buffer.from(restoreSequence(emulator, scrollback, 'a title')).toString('base64');
  return endedScreen({ data, cols }, { withHistory, columns });
}
const numbers = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, i) => String(from + i)).join('\n');

describe('the last screen of an ended process', () => {
  it('is its lines and nothing else, those that scrolled off included', async () => {
    expect(await shown('1\r\n2\r\n3\r\n')).toBe('1\n2\n3\n');
    expect(await shown(numbers(1, 40).replaceAll('\n', '\r\n'))).toBe(`${numbers(1, 40)}\n`);
    expect(await shown(numbers(1, 40).replaceAll('\n', '\r\n'), { scrollback: 2 })).toBe(`${numbers(35, 40)}\n`);
    expect(await shown('')).toBe('');
    expect(await shown('\r\n \r\nx\r\n \r\n')).toBe('\n\nx\n');
  });

  it('keeps colours, and colours nothing after a row', async () => {
    expect(await shown('\u001b[1;31mred\u001b[m and not\r\n\u001b[44mblue')).toBe(
      '\u001b[0;1;31mred\u001b[0m and not\n\u001b[0;44mblue\u001b[0m\n',
    );
    // Coloured blanks in the middle, and up to the edge; a blank of no colour after a coloured word.
    expect(await shown('a\u001b[42m\u001b[3X\u001b[3C\u001b[mb')).toBe('a\u001b[0;42m   \u001b[0mb\n');
    expect(await shown('\u001b[42mab\u001b[K', { cols: 6 })).toBe('\u001b[0;42mab    \u001b[0m\n');
    expect(await shown('\u001b[42mab\u001b[m\u001b[3Ccd')).toBe('\u001b[0;42mab\u001b[0m   cd\n');
    expect(await shown('\u001b[42m\u001b[2J')).toBe(`\u001b[0;42m${' '.repeat(20)}\u001b[0m\n`.repeat(4));
  });

  it('leaves a line that was longer than the screen one line', async () => {
    expect(await shown('abcdefghij', { cols: 4 })).toBe('abcdefghij\n');
    expect(await shown('abcd', { cols: 4 })).toBe('abcd\n');
    expect(await shown('日本語日本語', { cols: 6 })).toBe('日本語日本語\n');
  });

  it('has no blanks at the end of a row that cannot be seen', async () => {
    const wide = ' '.repeat(16);
    expect(await shown(`~${wide}\r\n\u001b[1;34m~${wide}\u001b[m\r\n\u001b[38;5;44m~${wide}\u001b[m`)).toBe(
      '~\n\u001b[0;1;34m~\u001b[0m\n\u001b[0;38;5;44m~\u001b[0m\n',
    );
    for (const look of ['7', '4', '41', '101', '48;5;7', '48;2;1;2;3', '38;5;9;48;5;7']) {
      expect(await shown(`\u001b[${look}m~  \u001b[m`)).toBe(`\u001b[0;${look}m~  \u001b[0m\n`);
    }
  });

  it('does not run over the edge of a narrower terminal with blanks, coloured or not', async () => {
    const red = (text: string): string => `\u001b[0;41m${text}\u001b[0m\n`;
    expect(await shown('\u001b[41mab\u001b[K\u001b[m', { columns: 10 })).toBe(red('ab        '));
    expect(await shown(`\u001b[41mab${' '.repeat(18)}\u001b[m`, { columns: 10 })).toBe(red('ab        '));
    expect(await shown('\u001b[41mabcdef\u001b[K\u001b[m', { columns: 4 })).toBe(red('abcdef'));
    expect(await shown('\u001b[41mab\u001b[K\u001b[m', { columns: 30 })).toBe(red(`ab${' '.repeat(18)}`));
    expect(await shown('a long line of text', { columns: 4 })).toBe('a long line of text\n');
  });

  it('has text where the program put it', async () => {
    expect(await shown('\u001b[2;5Hmiddle\u001b[1;1Htop')).toBe('top\n    middle\n');
  });

  it('switches nothing on: no mode, no region, no tab stop, no title', async () => {
    const modes =
      '\u001b[?1h\u001b=\u001b[?2004h\u001b[?1003h\u001b[?25l\u001b[2;3r\u001b[3g\u001b[?6h\u001b[4h\u001b(0\u001b[5 q';
    expect(await shown(`x${modes}`)).toBe('x\n');
  });

  it('is the alternate screen of a program that died in it, below what was behind that', async () => {
    const drawn = 'before\r\n\u001b[?1049h\u001b[H~\r\n~\r\n\u001b[7mstatus\u001b[m\u001b[1;1H';
    const alternate = '~\n~\n\u001b[0;7mstatus\u001b[0m\n';
    expect(await shown(drawn)).toBe(`before\n${alternate}`);
    expect(await shown(drawn, { withHistory: false })).toBe(alternate);
    expect(await shown(`${drawn}\u001b[?1049l`)).toBe('before\n');
  });

  it('prints nothing of what is no screen', () => {
    const of = (text: string): string =>
      endedScreen({ data: Buffer.from(text).toString('base64'), cols: 80 }, { withHistory: true, columns: 80 });
    expect(of('\u001b[2Jok\u001b]2;title\u0007\u001b[?1049x more')).toBe('ok\n');
    expect(of('\u001b[2J\u001b[999999999C!').length).toBeLessThan(100);
  });
});
