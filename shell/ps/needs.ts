/** What the nodes are asked for: the raw columns behind everything that is shown, sorted or selected by, and nothing more. */
import type { RawColumn } from '../../src/protocol/process.ts';
import type { Cell } from './columns/column.ts';
import type { PsQuery } from './query.ts';
import { selectionNeeds } from './select.ts';

/** Always: who it is (PID and start are one incarnation). */
const always: readonly RawColumn[] = ['pid', 'start'];

export function rawNeeds(query: PsQuery): RawColumn[] {
  const needs = new Set<RawColumn>(always);
  for (const { column } of query.format) for (const need of column.needs) needs.add(need);
  for (const { cell } of query.sort) for (const need of cell.needs) needs.add(need);
  for (const need of selectionNeeds(query.selection)) needs.add(need);
  if (query.threads !== 'none') needs.add('tid');
  if (query.forest !== 'none') needs.add('ppid');
  if (query.withEnviron) needs.add('environ');
  return [...needs];
}

/** Whether something is shown or sorted by that changes without notice: the agent asks its shims for it then. */
export function needsFresh(query: PsQuery): boolean {
  return cellsOf(query).some(({ fresh }) => fresh === true);
}

/** Whether something is shown or sorted by that the cluster's store tells. */
export function needsClaims(query: PsQuery): boolean {
  return cellsOf(query).some(({ claims }) => claims === true);
}

function cellsOf({ format, sort }: PsQuery): readonly Cell[] {
  return [...format.map(({ column }) => column), ...sort.map(({ cell }) => cell)];
}
