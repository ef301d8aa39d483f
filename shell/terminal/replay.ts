/** The bytes that put a remote screen onto the person's terminal. Pure. What the agent sends begins by clearing the screen. */
import type { ScreenResult } from '../../src/protocol/control.ts';

type Screen = Pick<ScreenResult, 'data'>;

/**
 * For the first time: what is on the terminal is scrolled off, so that the person finds it again above; then the screen.
 * @param rows of the person's terminal.
 */
export function replay(screen: Screen, rows: number): Buffer {
  return Buffer.concat([Buffer.from(scrollOff(rows)), Buffer.from(screen.data, 'base64')]);
}

/** Again, over what the program has drawn: from the main screen, wherever it was left. */
export function redraw(screen: Screen): Buffer {
  return Buffer.concat([Buffer.from('\u001b[?1049l\u001b[?1047l\u001b[?47l'), Buffer.from(screen.data, 'base64')]);
}

function scrollOff(rows: number): string {
  return `\u001b[m\u001b[${rows};1H${'\n'.repeat(rows)}\u001b[H\u001b[J`;
}
