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

  constructor(env: NodeJS.ProcessEnv, onProblem: (message: string) => void) {
    this.#history = new History({ path: historyPath(env), session: randomUUID(), onProblem });
  }

  async load(signal: AbortSignal): Promise<void> {
    await this.#history.load(signal);
    await this.#history.trim();
  }

  /** As it stands now, with what other sessions have added; before the file has been loaded, its newest part. */
  view(): HistoryView {
    const history = this.#history;
    history.refresh();
    // Where there was no file at the start, what another session began it with is older than this one's.
    const { oldest, end } = history;
    return { length: end - oldest, at: (index) => (index < 0 ? undefined : history.at(oldest + index)?.line) };
  }

  /** Oldest first. */
  *lines(): Generator<string> {
    const history = this.#history;
    history.refresh();
    while (history.at(history.oldest - 1) !== undefined) {
      // Until all has been read.
    }
    for (let position = history.oldest; position < history.end; position++) {
      const entry = history.at(position);
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
}
