/**
 * Vectors: the indexes of one name pattern. A vector has one set of indexes for each dimension and stands for their product:
 * `r[1-2]n[1-8]` is one vector of two sets. A name without a number has the one vector without dimensions. Several vectors
 * stand for their union and may overlap until they are folded. No function changes what it was given.
 */
import { compareIndexes, compareTexts, sortIndexes } from './indexes.ts';

export type Vector = readonly ReadonlySet<string>[];

/** How many names a vector stands for. */
export function vectorSize(vector: Vector): number {
  return vector.reduce((size, axis) => size * axis.size, 1);
}

/** Names as lists of indexes, in the order of ClusterShell: the last dimension moves fastest. */
export function* expandVector(vector: Vector): Generator<readonly string[]> {
  const axes = vector.map((axis) => sortIndexes(axis));
  yield* product(axes, 0, []);
}

function* product(axes: readonly string[][], from: number, before: readonly string[]): Generator<readonly string[]> {
  const axis = axes[from];
  if (axis === undefined) {
    yield before;
    return;
  }
  for (const index of axis) yield* product(axes, from + 1, [...before, index]);
}

export function intersectVectors(ours: readonly Vector[], theirs: readonly Vector[]): Vector[] {
  return ours.flatMap((our) => theirs.flatMap((their) => intersectOne(our, their) ?? []));
}

/** Undefined where they share no name. Wrapped in a list, so that it can be flattened. */
function intersectOne(our: Vector, their: Vector): [Vector] | undefined {
  const axes: ReadonlySet<string>[] = [];
  for (const [dimension, axis] of our.entries()) {
    const common = keep(axis, their[dimension] ?? new Set(), true);
    if (common.size === 0) return undefined;
    axes.push(common);
  }
  return [axes];
}

export function subtractVectors(ours: readonly Vector[], theirs: readonly Vector[]): Vector[] {
  let rest: Vector[] = [...ours];
  for (const their of theirs) rest = rest.flatMap((our) => subtractOne(our, their));
  return rest;
}

/** What is left of a vector: for each dimension the part outside, within the common part of the dimensions before. */
function subtractOne(our: Vector, their: Vector): Vector[] {
  const [common] = intersectOne(our, their) ?? [];
  if (common === undefined) return [our];
  return our.flatMap((axis, dimension) => {
    const outside = keep(axis, their[dimension] ?? new Set(), false);
    return outside.size === 0 ? [] : [[...common.slice(0, dimension), outside, ...our.slice(dimension + 1)]];
  });
}

function keep(axis: ReadonlySet<string>, other: ReadonlySet<string>, inOther: boolean): Set<string> {
  const kept = new Set<string>();
  for (const index of axis) if (other.has(index) === inOther) kept.add(index);
  return kept;
}

/** One dimension of a vector while vectors are merged; the smallest and largest index spare a sort at each comparison. */
interface Axis {
  readonly indexes: Set<string>;
  first: string;
  last: string;
}
type Merging = Axis[];

/**
 * Disjoint vectors, as few as ClusterShell's folding finds, in its order: larger first. Which vectors come out depends on that
 * procedure, and `nsh nodeset -f` must answer as `nodeset -f` does, so it is followed step by step: single names in order,
 * neighbours merged until nothing changes, then every pair.
 */
export function foldVectors(vectors: readonly Vector[]): Vector[] {
  const [first] = vectors;
  if (first === undefined || vectors.length === 1) return [...vectors];
  const varying = first.map((_, dimension) => dimension).filter((dimension) => differs(vectors, dimension));
  const [only] = varying;
  if (only === undefined) return [first];
  if (varying.length === 1) {
    const union = new Set(vectors.flatMap((vector) => [...(vector[only] ?? [])]));
    return [first.map((axis, dimension) => (dimension === only ? union : axis))];
  }
  return mergeVectors(separateNames(vectors)).map((vector) => vector.map((axis) => axis.indexes));
}

function differs(vectors: readonly Vector[], dimension: number): boolean {
  const axis = vectors[0]?.[dimension] ?? new Set();
  return vectors.some((vector) => !sameIndexes(axis, vector[dimension] ?? new Set()));
}

function sameIndexes(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  if (a.size !== b.size) return false;
  for (const index of a) if (!b.has(index)) return false;
  return true;
}

function separateNames(vectors: readonly Vector[]): Merging[] {
  const names = new Map<string, Merging>();
  for (const vector of vectors) {
    for (const name of expandVector(vector)) {
      names.set(
        name.join(','),
        name.map((index) => ({ indexes: new Set([index]), first: index, last: index })),
      );
    }
  }
  return [...names.values()];
}

function mergeVectors(vectors: Merging[]): Merging[] {
  let merging = vectors;
  let everyPair = false;
  for (;;) {
    merging.sort(compareVectors);
    const before = merging.length;
    merging = everyPair ? mergePairs(merging) : mergeNeighbours(merging);
    if (merging.length < before) continue;
    if (everyPair) return merging;
    everyPair = true;
  }
}

/** One pass over neighbours: each takes in those that follow it, until one does not fit. */
function mergeNeighbours(sorted: readonly Merging[]): Merging[] {
  const merged: Merging[] = [];
  for (const vector of sorted) {
    const last = merged.at(-1);
    if (last === undefined || !mergeInto(last, vector)) merged.push(vector);
  }
  return merged;
}

/** One pass over all pairs. */
function mergePairs(sorted: readonly Merging[]): Merging[] {
  let rest = [...sorted];
  const merged: Merging[] = [];
  for (let vector = rest.shift(); vector !== undefined; vector = rest.shift()) {
    const target = vector;
    rest = rest.filter((other) => !mergeInto(target, other));
    merged.push(target);
  }
  return merged;
}

/** Merges two disjoint vectors where they differ in one dimension only. */
function mergeInto(target: Merging, other: Merging): boolean {
  let differing: number | undefined;
  for (const [dimension, axis] of target.entries()) {
    const theirs = other[dimension];
    if (theirs !== undefined && sameIndexes(axis.indexes, theirs.indexes)) continue;
    if (differing !== undefined) return false;
    differing = dimension;
  }
  const into = target[differing ?? -1];
  const from = other[differing ?? -1];
  if (into === undefined || from === undefined) throw new Error('vectors that overlap cannot be merged');
  for (const index of from.indexes) into.indexes.add(index);
  if (compareIndexes(from.first, into.first) < 0) into.first = from.first;
  if (compareIndexes(from.last, into.last) > 0) into.last = from.last;
  return true;
}

/** Larger vectors first; then larger dimensions, then lower indexes (compared as texts, as ClusterShell does). */
function compareVectors(a: Merging, b: Merging): number {
  const bySize = vectorSize(b.map((axis) => axis.indexes)) - vectorSize(a.map((axis) => axis.indexes));
  if (bySize !== 0) return bySize;
  for (const [dimension, axis] of a.entries()) {
    const other = b[dimension];
    if (other === undefined) throw new Error('vectors of different dimensions in one pattern');
    const order =
      other.indexes.size - axis.indexes.size ||
      compareTexts(axis.first, other.first) ||
      compareTexts(axis.last, other.last);
    if (order !== 0) return order;
  }
  return 0;
}
