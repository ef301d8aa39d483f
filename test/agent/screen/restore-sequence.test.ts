import { describe, expect, test } from 'vitest';
import { restoreSequence } from '../../../agent/screen/restore-sequence.ts';
import { emulatorWith, snapshot, write } from './snapshot.ts';

const cols = 20;
const rows = 6;

async function expectRestored(data: string): Promise<void> {
  const original = await emulatorWith(cols, rows, data);
  const restored = await emulatorWith(cols, rows, restoreSequence(original, 1000, ''));
  expect(snapshot(restored)).toEqual(snapshot(original));
  // What comes next lands in the same place, too.
  for (const next of ['x', 'qq\r\n\n\nnext\x1b[1Aup', '\x1b8saved', '\ttab']) {
    await write(original, next);
    await write(restored, next);
    expect({ next, ...snapshot(restored) }).toEqual({ next, ...snapshot(original) });
  }
}

describe('a restored terminal', () => {
  test.each([
    ['an empty one', ''],
    ['text', 'hello\r\nworld'],
    ['colours', '\x1b[1;31mred\x1b[48;5;20mblue\x1b[38;2;1;2;3mrgb\x1b[0m plain\x1b[7minverse'],
    ['a colour that goes on', 'a\r\n\x1b[32;4mgreen '],
    ['scrollback', Array.from({ length: 40 }, (_, index) => `line ${index}`).join('\r\n')],
    ['a hidden cursor', 'a\x1b[?25l'],
    ['a bar as cursor', 'a\x1b[6 q'],
    ['a blinking underline as cursor', 'a\x1b[3 q'],
    ['a scroll region', 'a\r\nb\r\nc\x1b[2;4r\x1b[3;2H'],
    ['a scroll region with origin mode', 'a\r\nb\r\nc\x1b[2;4r\x1b[?6h\x1b[2;2Hz'],
    ['line drawing', '\x1b(0lqqk\r\n'],
    ['line drawing in G1, shifted', '\x1b)0\x0elqqk\r\n'],
    ['mouse modes', '\x1b[?1002h\x1b[?1006h'],
    ['bracketed paste, application keys, focus', '\x1b[?2004h\x1b[?1h\x1b=\x1b[?1004h'],
    ['insert mode', 'abc\x1b[4h\x1b[1;2H'],
    ['no wraparound', '\x1b[?7labcdefghijklmnopqrstuvwxyz'],
    ['the alternate screen', 'shell$ vi\r\n\x1b[?1049h\x1b[Halternate\x1b[2;3Htext'],
    ['a saved cursor', 'abc\x1b[3;5H\x1b7\x1b[1;1H'],
    ['other tab stops', '\x1b[3g\x1b[1;5H\x1bH\x1b[1;11H\x1bH\r'],
    ['a line that is full to the last column', 'abcdefghijklmnopqrst'],
    ['a full line above others', 'one\r\ntwo\x1b[1;1Habcdefghijklmnopqrst'],
    ['a wrapped line', 'abcdefghijklmnopqrstuvwxyz'],
    ['wide characters', '漢字かな\r\n😀 a'],
    ['combining characters', 'e\u0301a\u0308'],
    ['cleared in colour', '\x1b[44m\x1b[2J\x1b[Hblue'],
  ])('is as it was with %s', async (_, data) => {
    await expectRestored(data);
  });

  test('has its title, without what would end the sequence', async () => {
    const original = await emulatorWith(cols, rows, 'a');
    const restored = await emulatorWith(cols, rows, '');
    let title = '';
    restored.onTitleChange((text) => {
      title = text;
    });
    await write(restored, restoreSequence(original, 0, 'vim: a\x07b\x1b[2J'));
    expect(title).toBe('vim: ab[2J');
  });
});
