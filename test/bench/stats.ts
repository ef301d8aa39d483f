/** Figures of a benchmark: medians and percentiles of repeated runs, and rows of one table at the end. */

export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor((p / 100) * sorted.length))];
  if (value === undefined) throw new Error('no values to take a percentile of');
  return value;
}

export const median = (values: readonly number[]): number => percentile(values, 50);

export interface Figure {
  readonly work: string;
  readonly who: string;
  readonly value: number;
  readonly unit: 'ms' | 's' | 'MB/s' | 'kB/s' | '/s' | 'MB' | '%' | '';
  /** Against the peer that the issue names, in the same run. */
  readonly ratio?: string;
  /** What was to be reached, in words, and whether it was. */
  readonly goal?: readonly [text: string, reached: boolean];
}

export function formatFigures(figures: readonly Figure[]): string {
  const rows = figures.map(({ work, who, value, unit, ratio, goal }) => [
    work,
    who,
    `${value < 10 ? value.toFixed(2) : value.toFixed(1)} ${unit}`,
    ratio ?? '',
    goal === undefined ? '' : `${goal[1] ? 'reached' : 'FALLS SHORT'}: ${goal[0]}`,
  ]);
  const table = [['work', 'who', 'median', 'ratio', 'goal'], ...rows];
  const widths = table[0]?.map((_, i) => Math.max(...table.map((row) => (row[i] ?? '').length))) ?? [];
  return table
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** ms of each of `runs` calls, after `warmUps` that do not count. */
export async function time(runs: number, warmUps: number, work: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let i = -warmUps; i < runs; i++) {
    const start = performance.now();
    await work();
    if (i >= 0) times.push(performance.now() - start);
  }
  return times;
}

/** ms of each of `runs` calls of each work, in turn, so that all see the same machine; after `warmUps` that do not count. */
export async function timeInTurn(
  runs: number,
  warmUps: number,
  works: readonly (() => Promise<unknown>)[],
): Promise<number[][]> {
  const times = works.map((): number[] => []);
  for (let i = -warmUps; i < runs; i++) {
    for (const [index, work] of works.entries()) {
      const [took = 0] = await time(1, 0, work);
      if (i >= 0) times[index]?.push(took);
    }
  }
  return times;
}
