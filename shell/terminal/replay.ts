/** The bytes that put a remote screen onto the person's terminal. Pure. */
import type { ScreenResult } from '../../src/protocol/control.ts';

type Screen = Pick<ScreenResult, 'data' | 'rows'>;

/**
 * What is on the terminal now is scrolled off first, so that the person finds it again above; then the screen, from the top.
 * @param rows of the person's terminal.
 */
export function replay(screen: Screen, rows: number): Buffer {
  return Buffer.concat([Buffer.from(scrollOff(rows)), Buffer.from(screen.data, 'base64')]);
}

const alternateOn = /\u001b\[\?(?:1049|1047|47)h(?:\u001b\[H)?/g;

/**
 * The last screen of a process that has ended, to stay on the terminal: a program that died in the alternate screen is shown in the
 * main one, and the modes that it left on are not switched on again.
 */
export function endedScreen(screen: Screen): Buffer {
  const text = Buffer.from(screen.data, 'base64').toString('latin1');
  const shown = text
    .replace(alternateOn, '\r\n')
    .replace(/\u001b\[\?\d+(?:;\d+)*[hl]|\u001b[=>]|\u001b\[[\d;]*r|\u001b\[>\d*u/g, '');
  return Buffer.from(`${shown}\u001b[m\r\n`, 'latin1');
}

function scrollOff(rows: number): string {
  return `\u001b[m\u001b[${rows};1H${'\n'.repeat(rows)}\u001b[H\u001b[J`;
}
