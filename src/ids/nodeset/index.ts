/** Nodesets: `web[01-16],db1,@gpu`, as ClusterShell's NodeSet defines them. */
export { parseNodeset, type LabelResolver, type ParseNodesetOptions } from './parse.ts';
export { Nodeset, type FoldOptions } from './nodeset.ts';
export { maxNames } from './nodeset-error.ts';
import { parseNodeset, type ParseNodesetOptions } from './parse.ts';
import { Nodeset } from './nodeset.ts';

/** Every name in a nodeset. @throws NshError `nodeset` */
export function expandNodeset(text: string, options?: ParseNodesetOptions): string[] {
  return parseNodeset(text, options).names();
}

/** Names as one nodeset text, as short as ClusterShell makes it. */
export function foldNames(names: Iterable<string>): string {
  return Nodeset.ofNames(names).fold();
}
