/** The history file as the editor walks it: entries numbered from the oldest, fixed while one line is edited. */
import { randomUUID } from 'node:crypto';
import type { HistoryView } from '../editor/history-view.ts';
import { History, historyPath } from '../history/index.ts';

export interface RanLine {
  readonly line: string;
  readonly node: string;
  readonly cwd: string;
}

export class HistoryLines {
  readonly #history: History;
  /** Position of the oldest entry; known once the file has been read. */
  #oldest = 0;

  constructor(env: NodeJS.ProcessEnv, onProblem: (message: string) => void) {
    this.#history = new History({ path: historyPath(env), session: randomUUID(), onProblem });
  }

  async load(signal: AbortSignal): Promise<void> {
    await this.#history.load(signal);
    this.#oldest = this.#findOldest();
    await this.#history.trim();
  }

  /** As it stands now, with what other sessions have added. */
  view(): HistoryView {
    const history = this.#history;
    history.refresh();
    const [oldest, end] = [this.#oldest, history.end];
    return { length: end - oldest, at: (index) => (index < 0 ? undefined : history.at(oldest + index)?.line) };
  }

  /** Oldest first. */
  *lines(): Generator<string> {
    this.#history.refresh();
    for (let position = this.#oldest; position < this.#history.end; position++) {
      const entry = this.#history.at(position);
      if (entry !== undefined) yield entry.line;
    }
  }

  /** @returns what is to be called when the line has ended. */
  add({ line, node, cwd }: RanLine): (status: number) => void {
    const beganMs = performance.now();
    const key = this.#history.add({ line, node, cwd, atMs: Date.now() });
    return (status) => {
      if (key === undefined) return;
      this.#history.finish(key, { status, durationMs: Math.round(performance.now() - beganMs) });
    };
  }

  /** Positions below zero are what was there before the session; all have been read. */
  #findOldest(): number {
    let [missing, there] = [-1, 0];
    while (this.#history.at(missing) !== undefined) [missing, there] = [missing * 2, missing];
    while (there - missing > 1) {
      const middle = Math.floor((there + missing) / 2);
      if (this.#history.at(middle) === undefined) missing = middle;
      else there = middle;
    }
    return there;
  }
}
