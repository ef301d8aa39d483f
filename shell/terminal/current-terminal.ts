/** Which foreground process has the terminal now, if any: a question has to borrow it. */

export interface Suspendable {
  /** Nobody draws on it: a line of nsh's own may stand there. */
  readonly showsProgress?: boolean;
  suspend(): void;
  resume(): void;
}

let current: Suspendable | undefined;

export function setCurrentTerminal(terminal: Suspendable): void {
  current ??= terminal;
}

export function forgetCurrentTerminal(terminal: Suspendable): void {
  if (current === terminal) current = undefined;
}

/** Whether what is written to the terminal would land in what a process draws there. */
export function isTerminalHandedOver(): boolean {
  return current !== undefined && current.showsProgress !== true;
}

/** Gives the terminal back for a moment, if a process has it; the result takes it again. */
export function suspendCurrentTerminal(): () => void {
  const terminal = current;
  terminal?.suspend();
  return () => terminal?.resume();
}
