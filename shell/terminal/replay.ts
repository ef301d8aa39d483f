/** The bytes that put a remote screen onto the person's terminal. Pure. What the agent sends begins by clearing the screen. */
import type { ScreenResult } from '../../src/protocol/control.ts';
import { ModeTracker } from './mode-tracker.ts';

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

const alternateOn = /\u001b\[\?(?:1049|1047|47)h/;
/** Clearing, places on the screen, the title: what would change more of the person's terminal than the lines that are written. */
const intrusive = /\u001b\[2J|\u001b\[\d*(?:;\d*)?H|\u001b\][02];[^\u0007\u001b]*(?:\u0007|\u001b\\)/g;

/**
 * The last screen of a process that has ended, to stay on the terminal: as lines below what is there; where the program died in the
 * alternate screen, that one in full. Modes that it left on are not left on here.
 */
export function endedScreen(screen: Screen, rows: number): Buffer {
  const text = Buffer.from(screen.data, 'base64').toString('latin1');
  const [main = '', ...alternate] = text.split(alternateOn);
  const inAlternate = alternate.join('');
  const shown = alternate.length === 0 ? main.replace(intrusive, '') : inAlternate.replaceAll('\u001b[2J', '');
  const tracker = new ModeTracker();
  tracker.see(Buffer.from(shown, 'latin1'));
  const [before, after] = alternate.length === 0 ? ['', ''] : [scrollOff(rows), `\u001b[${rows};1H`];
  return Buffer.from(`${before}${shown}${tracker.undo()}\u001b[m${after}\r\n`, 'latin1');
}

function scrollOff(rows: number): string {
  return `\u001b[m\u001b[${rows};1H${'\n'.repeat(rows)}\u001b[H\u001b[J`;
}
