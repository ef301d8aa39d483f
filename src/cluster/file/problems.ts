/** Faults of a cluster file: collected, so that one run shows all of them, each with its place as compilers write it. */
import { NshError } from '../../protocol/errors.ts';

/** Counted from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface Problem extends Position {
  readonly message: string;
}

export class Problems {
  readonly #path: string;
  readonly #problems: Problem[] = [];

  constructor(path: string) {
    this.#path = path;
  }

  add({ line, column }: Position, message: string): void {
    this.#problems.push({ line, column, message });
  }

  /** A place of the same file, for messages that name two. */
  place({ line, column }: Position): string {
    return `${this.#path}:${line}:${column}`;
  }

  /** @throws NshError `clusterFile` with a line for each problem, in the order of the file, where there is any. */
  throwIfAny(): void {
    if (this.#problems.length === 0) return;
    const sorted = this.#problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
    const lines = [...new Set(sorted.map((problem) => `${this.place(problem)}: ${problem.message}`))];
    throw new NshError('clusterFile', lines.join('\n'), { data: { path: this.#path, problems: sorted } });
  }
}
