/**
 * What the editor needs of the history, given by its owner. While one line is edited the entries keep their numbers: what is added
 * meanwhile (by this or another session) comes behind them. `at` is called up to `length` times for a key, so it must not do I/O.
 */
export interface HistoryView {
  /** How many entries there are; they are numbered from 0, the oldest. */
  readonly length: number;
  /** @returns undefined beyond the ends. */
  at(index: number): string | undefined;
}

export const noHistory: HistoryView = { length: 0, at: () => undefined };
