/** Values of a cluster file with their positions: what the checks work on. Made from YAML in yaml-tree.ts. */
import type { Position } from './problems.ts';

export interface TreeMap {
  readonly kind: 'map';
  readonly at: Position;
  readonly entries: readonly TreeEntry[];
}
export interface TreeEntry {
  readonly key: string;
  readonly keyAt: Position;
  readonly value: Tree;
}
export interface TreeList {
  readonly kind: 'list';
  readonly at: Position;
  readonly items: readonly Tree[];
}
export interface TreeScalar {
  readonly kind: 'scalar';
  readonly at: Position;
  readonly value: string | number | boolean | null;
  /** As it was written, without quotes. */
  readonly text: string;
}
export type Tree = TreeMap | TreeList | TreeScalar;

/** What a value is, in the words of a message. */
export function describeTree(tree: Tree): string {
  if (tree.kind === 'list') return 'a list';
  if (tree.kind === 'map') return 'a map of keys';
  if (tree.value === null) return 'nothing';
  return typeof tree.value === 'string' ? 'text' : `the ${typeof tree.value} ${tree.text}`;
}
