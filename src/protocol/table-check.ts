/**
 * Checks a process table that came from another machine. By hand: ten thousand rows pass here within one `ps`, and a
 * schema library would take longer over them than the nodes took to read them.
 */
import * as v from 'valibot';
import { managedProcessSchema, rawColumns, type ProcessTable } from './process.ts';

const known: ReadonlySet<string> = new Set(rawColumns);
const managedList = v.array(managedProcessSchema);
const numberFields = ['nowMs', 'uptimeSeconds', 'memTotalKb', 'cpus', 'pageBytes'] as const;

export function isProcessTable(value: unknown): value is ProcessTable {
  if (typeof value !== 'object' || value === null) return false;
  const table = value as Record<string, unknown>;
  if (typeof table['boot'] !== 'string') return false;
  if (!numberFields.every((field) => Number.isFinite(table[field]))) return false;
  const { columns, rows, managed } = table;
  if (!Array.isArray(columns) || !columns.every((name) => typeof name === 'string' && known.has(name))) return false;
  if (!Array.isArray(rows) || !rows.every((row) => isRow(row, columns.length))) return false;
  return v.is(managedList, managed);
}

function isRow(row: unknown, length: number): boolean {
  if (!Array.isArray(row) || row.length !== length) return false;
  for (let i = 0; i < length; i++) {
    const cell: unknown = row[i];
    if (typeof cell !== 'number' && typeof cell !== 'string' && cell !== null && !isListOfTexts(cell)) return false;
  }
  return true;
}

function isListOfTexts(cell: unknown): boolean {
  if (!Array.isArray(cell)) return false;
  for (let i = 0; i < cell.length; i++) if (typeof cell[i] !== 'string') return false;
  return true;
}
