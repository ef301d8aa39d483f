import { expect, test } from 'vitest';
import { restoreSequence } from '../../../agent/screen/restore-sequence.ts';
import { emulatorWith, snapshot, write } from './snapshot.ts';

/** mulberry32: the same screens in every run. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((((t ^ (t >>> 14)) >>> 0) / 4294967296) * below) | 0;
  };
}

const cols = 16;
const rows = 6;

function somePiece(pick: (below: number) => number): string {
  const move = `\x1b[${pick(rows) + 1};${pick(cols) + 1}H`;
  const pieces = [
    () => 'abcdefghijklmnopqrst'.slice(0, 1 + pick(20)),
    () => move,
    () => '\r\n',
    () => `\x1b[${[0, 1, 4, 7, 31, 42, 97, 104][pick(8)]}m`,
    () => `\x1b[38;5;${pick(256)}m`,
    () => '\x1b[K',
    () => `\x1b[${pick(3)}J`,
    () => '\x1b[L',
    () => '\x1b[M',
    () => '\x1b[2P',
    () => '\x1b[2@',
    () => '\x1b[3X',
    () => `\x1b[${1 + pick(3)};${4 + pick(3)}r`,
    () => '\x1b[r',
    () =>
      ['\x1b[?25l', '\x1b[?25h', '\x1b[4h', '\x1b[4l', '\x1b[?7l', '\x1b[?7h', '\x1b[?6h', '\x1b[?6l'][pick(8)] ?? '',
    () => ['\x1b(0', '\x1b(B', '\x1b7', '\x1b8', '\x1bM', '\x1bD'][pick(6)] ?? '',
  ];
  return pieces[pick(pieces.length)]?.() ?? '';
}

test('three hundred random screens are restored to the last attribute', async () => {
  for (let seed = 1; seed <= 300; seed++) {
    const pick = random(seed);
    const data = Array.from({ length: 60 }, () => somePiece(pick)).join('');
    const original = await emulatorWith(cols, rows, data);
    const sequence = restoreSequence(original, 1000, '');
    const restored = await emulatorWith(cols, rows, sequence);
    expect({ seed, ...snapshot(restored) }).toEqual({ seed, ...snapshot(original) });
    await write(original, 'Z');
    await write(restored, 'Z');
    expect({ seed, ...snapshot(restored) }).toEqual({ seed, ...snapshot(original) });
  }
});
