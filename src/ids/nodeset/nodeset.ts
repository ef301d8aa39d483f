/**
 * A set of node names, held by name pattern, with the algebra, the order and the folding of ClusterShell's NodeSet. Immutable
 * and pure. To read one from text: parse.ts.
 */
import { contiguousVectors } from './contiguous.ts';
import { compareTexts, formatIndexes } from './indexes.ts';
import { maxNames, tooManyNames } from './nodeset-error.ts';
import { formatName, scanSingleName, type Pattern } from './scan.ts';
import { expandVector, foldVectors, intersectVectors, subtractVectors, vectorSize, type Vector } from './vectors.ts';

interface PatternNames {
  readonly pattern: Pattern;
  readonly vectors: readonly Vector[];
}

export interface FoldOptions {
  /** Write `1-9/2` where at least so many numbers are at an equal distance (`--autostep`). Default: never. */
  readonly autostep?: number;
}

export class Nodeset {
  static readonly empty = new Nodeset(new Map());

  /** By pattern key; vectors folded, disjoint, never empty. */
  readonly #patterns: ReadonlyMap<string, PatternNames>;

  private constructor(patterns: ReadonlyMap<string, PatternNames>) {
    this.#patterns = patterns;
  }

  /** Each text is one name as it stands; nothing in it is an operator. */
  static ofNames(names: Iterable<string>): Nodeset {
    const patterns = new Map<string, { pattern: Pattern; vectors: Vector[] }>();
    for (const name of names) {
      const { pattern, vector } = scanSingleName(name);
      const known = patterns.get(patternKey(pattern));
      if (known === undefined) patterns.set(patternKey(pattern), { pattern, vectors: [vector] });
      else known.vectors.push(vector);
    }
    return Nodeset.#fold(patterns.values());
  }

  static ofVector(pattern: Pattern, vector: Vector): Nodeset {
    return Nodeset.#fold([{ pattern, vectors: [vector] }]);
  }

  static #fold(parts: Iterable<PatternNames>): Nodeset {
    const patterns = new Map<string, PatternNames>();
    for (const { pattern, vectors } of parts) {
      if (vectors.length > 0) patterns.set(patternKey(pattern), { pattern, vectors: foldVectors(vectors) });
    }
    return new Nodeset(patterns);
  }

  /** The union of many at once: folded once, not once for each. */
  static unionOf(sets: Iterable<Nodeset>): Nodeset {
    const patterns = new Map<string, { pattern: Pattern; vectors: Vector[] }>();
    for (const set of sets) {
      for (const [key, { pattern, vectors }] of set.#patterns) {
        const known = patterns.get(key);
        if (known === undefined) patterns.set(key, { pattern, vectors: [...vectors] });
        else known.vectors.push(...vectors);
      }
    }
    return Nodeset.#fold(patterns.values());
  }

  union(other: Nodeset): Nodeset {
    return Nodeset.unionOf([this, other]);
  }

  subtract(other: Nodeset): Nodeset {
    const rest = [...this.#patterns].map(([key, { pattern, vectors }]) => ({
      pattern,
      vectors: subtractVectors(vectors, other.#patterns.get(key)?.vectors ?? []),
    }));
    return Nodeset.#fold(rest);
  }

  intersect(other: Nodeset): Nodeset {
    const common = [...this.#patterns].map(([key, { pattern, vectors }]) => ({
      pattern,
      vectors: intersectVectors(vectors, other.#patterns.get(key)?.vectors ?? []),
    }));
    return Nodeset.#fold(common);
  }

  /** Names that are in exactly one of both. */
  xor(other: Nodeset): Nodeset {
    return this.subtract(other).union(other.subtract(this));
  }

  get count(): number {
    let count = 0;
    for (const { vectors } of this.#patterns.values()) {
      for (const vector of vectors) count += vectorSize(vector);
    }
    return count;
  }

  /**
   * Every name, pattern by pattern, in ClusterShell's order.
   * @throws NshError `nodeset` where they are more than a million
   */
  names(): string[] {
    if (this.count > maxNames) throw tooManyNames(this.fold(), 0);
    return this.#sortedPatterns().flatMap(({ pattern, vectors }) =>
      vectors.flatMap((vector) => [...expandVector(vector)].map((indexes) => formatName(pattern, indexes))),
    );
  }

  /** The shortest text that ClusterShell knows for it: `db1,web[1-8]`. Empty where no name is in it. */
  fold(options: FoldOptions = {}): string {
    const parts = this.#sortedPatterns().flatMap(({ pattern, vectors }) =>
      vectors.map((vector) =>
        formatName(
          pattern,
          vector.map((axis) => formatAxis(axis, options.autostep)),
        ),
      ),
    );
    return parts.join(',');
  }

  /** At most `count` subsets of equal size, give or take one, in the order of `names`. */
  split(count: number): Nodeset[] {
    const names = this.names();
    const size = Math.floor(names.length / count);
    const larger = names.length % count;
    const subsets: Nodeset[] = [];
    for (let from = 0; from < names.length; ) {
      const to = from + size + (subsets.length < larger ? 1 : 0);
      subsets.push(Nodeset.ofNames(names.slice(from, to)));
      from = to;
    }
    return subsets;
  }

  /** Names of one pattern whose numbers follow each other without a gap, each such stretch a set of its own. */
  contiguous(): Nodeset[] {
    return this.#sortedPatterns().flatMap(({ pattern, vectors }) =>
      contiguousVectors(vectors).map((vector) => Nodeset.ofVector(pattern, vector)),
    );
  }

  /** Those names whose place in `names`, counted from 0, is asked for. */
  slice(places: ReadonlySet<number>): Nodeset {
    return Nodeset.ofNames(this.names().filter((_, place) => places.has(place)));
  }

  #sortedPatterns(): PatternNames[] {
    return [...this.#patterns].sort(([a], [b]) => compareTexts(a, b)).map(([, names]) => names);
  }
}

/** `%s` for each number, `%` doubled: the order of these keys is the order in which ClusterShell lists patterns. */
function patternKey(pattern: Pattern): string {
  return pattern.map((part) => part.replaceAll('%', '%%')).join('%s');
}

function formatAxis(axis: ReadonlySet<string>, autostep: number | undefined): string {
  const text = formatIndexes(axis, autostep);
  return axis.size > 1 ? `[${text}]` : text;
}
