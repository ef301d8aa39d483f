/** Which stage of a pipeline on the terminal has the keyboard. Pure. */

export interface Member {
  readonly index: number;
  readonly program: string;
  /** Its stdin is the terminal. */
  readonly readsTerminal: boolean;
  /** It has drawn on the whole screen, or asked for the keypad: it means to be typed at. */
  readonly isFullScreen: boolean;
}

/** They take their keys from the terminal although their stdin is a pipe. */
const interactive: ReadonlySet<string> = new Set(
  'less more most pager bat vim vi view nvim nano emacs man fzf sk dialog whiptail tig htop'.split(' '),
);

/** It reads keys one by one, and Ctrl-C may be one of them. */
export function takesKeys({ isFullScreen, program }: Member): boolean {
  return isFullScreen || interactive.has(program);
}

/**
 * Who has drawn on the whole screen has the keyboard, and who is known to mean to; else who reads the terminal, and else the last one.
 * @param members those that have not ended.
 * @param isAwaited one that reads the terminal is still to come: what is typed meanwhile is for it.
 * @returns undefined where there is none.
 */
export function keyboardHolder<M extends Member>(members: readonly M[], isAwaited: boolean): M | undefined {
  const inOrder = members.toSorted((a, b) => a.index - b.index);
  return (
    inOrder.findLast(({ isFullScreen }) => isFullScreen) ??
    inOrder.findLast(({ program }) => interactive.has(program)) ??
    inOrder.find(({ readsTerminal }) => readsTerminal) ??
    (isAwaited ? undefined : inOrder.at(-1))
  );
}

/** Sequences by which a program takes the screen (the alternate one, xterm's modes 47, 1047 and 1049) or the keys (DECCKM, DECKPAM). */
const fullScreen = /\u001b(?:\[\?(?:47|1047|1049|1)h|=)/;

/** Whether such a sequence is in these bytes; one that is cut in two is not seen, and the program sends more of them. */
export function takesScreen(bytes: Buffer): boolean {
  return bytes.includes(0x1b) && fullScreen.test(bytes.toString('latin1'));
}
