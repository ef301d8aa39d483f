import { describe, expect, it } from 'vitest';
import { KeyDecoder } from '../../shell/editor/key-decoder.ts';
import type { InputEvent } from '../../shell/editor/key-event.ts';
import { cpuMsOf } from './cpu-time.ts';

const names = (events: readonly InputEvent[]): string[] =>
  events.map((event) => (event.type === 'key' ? event.name : `paste:${event.text}`));

function decode(input: string): string[] {
  const decoder = new KeyDecoder();
  return names([...decoder.push(Buffer.from(input)), ...decoder.flush()]);
}

const sequences: readonly (readonly [string, string])[] = [
  ['a', 'a'],
  ['A', 'A'],
  ['é', 'é'],
  ['\r', 'enter'],
  ['\n', 'C-j'],
  ['\t', 'tab'],
  ['\u{0}', 'C-@'],
  ['\u{1}', 'C-a'],
  ['\u{8}', 'C-h'],
  ['\u{7f}', 'backspace'],
  ['\u{1f}', 'C-_'],
  ['\u{1b}', 'escape'],
  ['\u{1b}b', 'M-b'],
  ['\u{1b}é', 'M-é'],
  ['\u{1b}\u{7f}', 'M-backspace'],
  ['\u{1b}\u{19}', 'C-M-y'],
  ['\u{1b}\r', 'M-enter'],
  ['\u{1b}[', 'M-['],
  ['\u{1b}O', 'M-O'],
  ['\u{1b}\u{1b}', 'M-escape'],
  ['\u{1b}[A', 'up'],
  ['\u{1b}OA', 'up'],
  ['\u{1b}[1;5C', 'C-right'],
  ['\u{1b}[1;3D', 'M-left'],
  ['\u{1b}[1;2H', 'S-home'],
  ['\u{1b}[1;6F', 'C-S-end'],
  ['\u{1b}[1;33A', 'M-up'],
  ['\u{1b}\u{1b}[A', 'M-up'],
  ['\u{1b}[3~', 'delete'],
  ['\u{1b}[3;5~', 'C-delete'],
  ['\u{1b}[5~', 'pageup'],
  ['\u{1b}[Z', 'S-tab'],
  ['\u{1b}OP', 'f1'],
  ['\u{1b}[15~', 'f5'],
  ['\u{1b}[[B', 'f2'],
  ['\u{1b}[1;2R', 'S-f3'],
  ['\u{1b}OM', 'enter'],
  ['\u{1b}Oq', '1'],
  ['\u{1b}Oc', 'C-right'],
  ['\u{1b}[7^', 'C-home'],
  ['\u{1b}[27;5;97~', 'C-a'],
  ['\u{1b}[27;2;13~', 'S-enter'],
  ['\u{1b}[27;5;9~', 'C-tab'],
  ['\u{1b}[97;5u', 'C-a'],
  ['\u{1b}[97;3u', 'M-a'],
  ['\u{1b}[97;2u', 'A'],
  ['\u{1b}[97;5:1u', 'C-a'],
  ['\u{1b}[13;2u', 'S-enter'],
  ['\u{1b}[27u', 'escape'],
  ['\u{1b}[127;5u', 'C-backspace'],
  ['\u{1b}[32;5u', 'C-@'],
  ['\u{1b}[47;5u', 'C-_'],
  ['\u{1b}[57399u', '0'],
  ['\u{1b}[57419u', 'up'],
  ['\u{1b}[233u', 'é'],
];

const silent: readonly string[] = [
  '\u{1b}[97;5:3u',
  '\u{1b}[57441;2u',
  '\u{1b}[<0;10;5M',
  '\u{1b}[<0;10;5m',
  '\u{1b}[M !!',
  '\u{1b}[I',
  '\u{1b}[O',
  '\u{1b}[?62;22c',
  '\u{1b}[12;40R',
  '\u{1b}[?2004;1$y',
  '\u{1b}]11;rgb:0000/0000/0000\u{7}',
  '\u{1b}]11;rgb:0000/0000/0000\u{1b}\\',
  '\u{1b}P>|xterm(380)\u{1b}\\',
  '\u{1b}[55555u',
  '\u{1b}[99999999u',
];

describe('key decoder', () => {
  it.each(sequences)('reads %j as %s', (input, name) => {
    expect(decode(input)).toEqual([name]);
  });

  it.each(sequences)('reads %j as %s between other keys, cut into single bytes', (input, name) => {
    const decoder = new KeyDecoder();
    const events: InputEvent[] = [...decoder.push(Buffer.from('x'))];
    for (const byte of Buffer.from(input)) events.push(...decoder.push(Uint8Array.of(byte)));
    events.push(...decoder.flush(), ...decoder.push(Buffer.from('y')));
    expect(names(events)).toEqual(['x', name, 'y']);
  });

  it.each(silent)('takes nothing from %j, which is no key', (input) => {
    expect(decode(`x${input}y`)).toEqual(['x', 'y']);
  });

  it('leaves to the caller how long an escape may stand alone', () => {
    const decoder = new KeyDecoder();
    expect(decoder.push(Buffer.from('\u{1b}'))).toEqual([]);
    expect(decoder.isUndecided).toBe(true);
    expect(names(decoder.push(Buffer.from('f')))).toEqual(['M-f']);
    expect(decoder.isUndecided).toBe(false);
    decoder.push(Buffer.from('\u{1b}'));
    expect(names(decoder.flush())).toEqual(['escape']);
    expect(names(decoder.push(Buffer.from('f')))).toEqual(['f']);
  });

  it('reads an escape typed before a sequence', () => {
    expect(decode('\u{1b}\u{1b}x')).toEqual(['escape', 'M-x']);
  });

  it('reads Alt with the letters that begin a terminal’s answers', () => {
    expect(decode('\u{1b}_x')).toEqual(['M-_', 'x']);
    expect(decode('\u{1b}]x')).toEqual(['M-]', 'x']);
    expect(decode('\u{1b}Px')).toEqual(['M-P', 'x']);
  });

  it('gives back what was typed behind Alt with such a letter, when time is up', () => {
    expect(decode('\u{1b}P3x')).toEqual(['M-P', '3', 'x']);
    expect(decode('\u{1b}O5')).toEqual(['M-O', '5']);
    expect(decode('\u{1b}]0\u{1b}')).toEqual(['M-]', '0']);
  });

  it('keeps what the terminal sent, for quoted insert', () => {
    const [event] = new KeyDecoder().push(Buffer.from('\u{1b}[1;5C'));
    expect(event).toMatchObject({ raw: '\u{1b}[1;5C' });
  });

  it('reads a paste as one text, however it is cut, with newlines for line ends', () => {
    const bytes = Buffer.from('a\u{1b}[200~one\r\ntwo\rthree\t\u{1b}[A é\u{1b}[201~b');
    for (let size = 1; size < bytes.length; size++) {
      const decoder = new KeyDecoder();
      const events: InputEvent[] = [];
      for (let at = 0; at < bytes.length; at += size) events.push(...decoder.push(bytes.subarray(at, at + size)));
      expect(names(events)).toEqual(['a', 'paste:one\ntwo\nthree\t\u{1b}[A é', 'b']);
    }
  });

  it('takes a paste that never ends when it is told to', () => {
    const decoder = new KeyDecoder();
    decoder.push(Buffer.from('\u{1b}[200~abc\u{1b}[2'));
    expect(decoder.isPasting).toBe(true);
    expect(names(decoder.endPaste())).toEqual(['paste:abc\u{1b}[2']);
    expect(names(decoder.push(Buffer.from('x')))).toEqual(['x']);
  });

  it('reads a paste of 8 MB, in a time that no square could keep', () => {
    const chunk = Buffer.from('x\u{1b}'.repeat(512));
    const decoder = new KeyDecoder();
    const costs = cpuMsOf(() => {
      decoder.push(Buffer.from('\u{1b}[200~'));
      for (let count = 0; count < 8 * 1024; count++) decoder.push(chunk);
    });
    const [event] = decoder.push(Buffer.from('\u{1b}[201~'));
    expect(event?.type === 'paste' && event.text.length).toBe(8 * 1024 * 1024);
    expect(costs).toBeLessThan(2000);
  });

  it('survives any bytes and reads what comes after them', () => {
    let seed = 7;
    const random = (below: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return Math.floor((seed / 2_147_483_648) * below);
    };
    const special = [0x1b, 0x5b, 0x4f, 0x3b, 0x33, 0x5d, 0x50, 0x4d, 0x7e, 0xc3, 0xff, 0xe2];
    for (let round = 0; round < 300; round++) {
      const decoder = new KeyDecoder();
      const bytes = Uint8Array.from({ length: 200 }, () => special[random(special.length * 2)] ?? random(256));
      decoder.push(bytes);
      decoder.flush();
      decoder.endPaste();
      // Whatever was begun ends with the next of these.
      const events = decoder.push(Buffer.from(`\u{7}~\u{1b}\\${'~'.repeat(8)}\u{1b}[201~hello`));
      expect(names(events).join('')).toMatch(/hello$/);
    }
  });

  it('drops a sequence that goes on and on', () => {
    const decoder = new KeyDecoder();
    decoder.push(Buffer.from(`\u{1b}[${'1;'.repeat(5000)}`));
    expect(names(decoder.push(Buffer.from('\u{1b}[Ax')))).toEqual(['up', 'x']);
  });
});
