/**
 * Indexes: the numbers in node names, kept as the digits that were typed, since `01` and `1` name different nodes. Their order
 * and their folding into ranges are those of ClusterShell 1.9, which allows padding of mixed length: 1, 9, 10, 01, 09, 001.
 */

/** Order within one dimension: negative numbers, then by number of digits, then by value. */
export function compareIndexes(a: string, b: string): number {
  const negativeA = a.startsWith('-');
  const negativeB = b.startsWith('-');
  if (negativeA !== negativeB) return negativeA ? -1 : 1;
  if (negativeA) return Number(subtractExactly(a, b));
  if (a.length !== b.length) return a.length - b.length;
  return compareTexts(a, b);
}

export function compareTexts(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

export function sortIndexes(indexes: Iterable<string>): string[] {
  return [...indexes].sort(compareIndexes);
}

/** Indexes at equal distance of each other that can be written as one range. */
export interface Run {
  readonly first: string;
  readonly last: string;
  readonly step: number;
}

/**
 * Cuts sorted indexes into runs. With `minCount`, indexes at a distance of more than one form a run where they are at least
 * so many (`nodeset --autostep`); without, only neighbours do.
 */
export function findRuns(sorted: readonly string[], minCount = Number.POSITIVE_INFINITY): Run[] {
  const runs: Run[] = [];
  let run: string[] = [];
  const finish = (nextStartsAtLast: boolean): void => {
    const [first] = run;
    const last = run.at(-1);
    if (first === undefined || last === undefined) return;
    const step = distance(run[0], run[1]) ?? 1;
    if (run.length === 1 || step === 1 || run.length >= minCount) {
      runs.push({ first, last, step });
      run = [];
      return;
    }
    // Too few for a step: single indexes, of which the last one may begin the next run.
    const single = nextStartsAtLast ? run.slice(0, -1) : run;
    runs.push(...single.map((index) => ({ first: index, last: index, step: 1 })));
    run = nextStartsAtLast ? [last] : [];
  };
  for (const index of sorted) {
    const last = run.at(-1);
    if (last !== undefined) {
      if (!samePadding(run[0] ?? last, index)) finish(false);
      else if (run.length > 1 && distance(last, index) !== distance(run[0], run[1])) finish(true);
      else if (run.length === 1 && minCount === Number.POSITIVE_INFINITY && distance(last, index) !== 1) finish(false);
    }
    run.push(index);
  }
  finish(false);
  return runs;
}

/** Indexes as they stand between brackets: `1-4,7,010-012`. */
export function formatIndexes(indexes: Iterable<string>, minCount?: number): string {
  return findRuns(sortIndexes(indexes), minCount)
    .map(({ first, last, step }) => {
      if (first === last) return first;
      return step === 1 ? `${first}-${last}` : `${first}-${last}/${step}`;
    })
    .join(',');
}

function distance(a: string | undefined, b: string | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : Number(subtractExactly(b, a));
}

/** Indexes of more than 15 digits are no exact numbers. */
function subtractExactly(a: string, b: string): number | bigint {
  return a.length <= 15 && b.length <= 15 ? Number(a) - Number(b) : BigInt(a) - BigInt(b);
}

/** May `next` stand in a range that begins with `first`? Padded ones need the same length; unpadded ones take no padded ones. */
function samePadding(first: string, next: string): boolean {
  return isPadded(first) ? next.length === first.length : !isPadded(next);
}

export function isPadded(index: string): boolean {
  return index.length > 1 && index.startsWith('0');
}
