/** A ps's answer for programs: an array of objects, one a process, with the columns' names as keys and numbers as numbers. */
import { escapeJson } from '../escape.ts';
import { hasCell, type Column, type View } from './columns/index.ts';
import type { PsQuery } from './query.ts';
import { viewOf } from './render.ts';
import type { Row } from './row.ts';

export function renderJson(rows: readonly Row[], query: PsQuery): string {
  const view: View = { ...viewOf(query), wideSignals: true };
  const columns = query.format.filter(({ filler }) => filler === undefined).map(({ column }) => column);
  const objects = rows.map((row) => {
    row.branch = ''; // a tree is for people
    return JSON.stringify(Object.fromEntries(columns.map((column) => [column.name, readCell(column, row, view)])));
  });
  return escapeJson(objects.length === 0 ? '[]\n' : `[\n${objects.join(',\n')}\n]\n`);
}

function readCell(column: Column, row: Row, view: View): unknown {
  if (!hasCell(row, column)) return null;
  return column.json === undefined ? column.value(row, view) : column.json(row, view);
}
