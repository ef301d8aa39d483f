/** Cuts vectors where the numbers of a dimension have a gap, the first dimension first. */
import { findRuns, sortIndexes } from './indexes.ts';
import type { Vector } from './vectors.ts';

export function contiguousVectors(vectors: readonly Vector[]): Vector[] {
  const dimensions = vectors[0]?.length ?? 0;
  let cut = [...vectors];
  for (let dimension = 0; dimension < dimensions; dimension += 1) {
    cut = cut.flatMap((vector) =>
      contiguousAxes(vector[dimension] ?? new Set()).map((axis) => vector.toSpliced(dimension, 1, axis)),
    );
  }
  return cut;
}

function contiguousAxes(axis: ReadonlySet<string>): ReadonlySet<string>[] {
  const sorted = sortIndexes(axis);
  let from = 0;
  return findRuns(sorted).map(({ last }) => {
    const to = sorted.indexOf(last, from) + 1;
    const run = new Set(sorted.slice(from, to));
    from = to;
    return run;
  });
}
