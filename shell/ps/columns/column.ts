/**
 * What a displayed column is. The names, headings, widths and arithmetic of all but nsh's own are those of procps-ng 4: a row of this
 * machine reads as its ps shows it.
 */
import type { RawColumn } from '../../../src/protocol/process.ts';
import type { Style } from '../../table.ts';
import type { Row } from '../row.ts';

/** What the options of one ps say about how cells read. */
export interface View {
  /** BSD `n`: numbers instead of names of users. */
  readonly numeric: boolean;
  /** `S`, `--cumulative`: with the times of dead children. */
  readonly withDead: boolean;
  /** BSD `c`: the name of the executable instead of the command line. */
  readonly commandOnly: boolean;
  /** BSD `e`: the environment after the command. */
  readonly withEnviron: boolean;
  /** Signal masks have room for all 16 digits. */
  readonly wideSignals: boolean;
}

/**
 * `unlimited` and `wchan` are left-aligned and cut to their width where the terminal is narrow; `user` shows a name that is too long
 * with a `+`; `left` and `right` push what follows aside instead.
 */
export type Align = 'left' | 'right' | 'unlimited' | 'user' | 'wchan' | 'signal';

export type Value = number | string | null;

/** A cell, in three readings. */
export interface Cell {
  readonly needs: readonly RawColumn[];
  /** It changes without notice: what the agent knows of it may be old. */
  readonly fresh?: boolean;
  /** It needs what the cluster's store has of the process. */
  readonly claims?: boolean;
  /** What is shown; not escaped. `-` where it is not known. */
  text(row: Row, view: View): string;
  /** What is sorted by. */
  value(row: Row, view: View): Value;
  /** What `--json` has; default: `value`. */
  json?(row: Row, view: View): unknown;
  style?(row: Row): Style | undefined;
}

export interface Column extends Cell {
  readonly name: string;
  readonly header: string;
  readonly width: number;
  readonly align: Align;
  /** A cluster PID: as wide as the widest that the nodes shown can have. */
  readonly isPid?: boolean;
  /** As wide as the widest text shown: names of nodes and the like. */
  readonly fits?: boolean;
}

export type ColumnEntry = readonly [name: string, header: string, width: number, extra?: Partial<Column>];

/** Several names of one cell. */
export function columns(cell: Cell, align: Align, entries: readonly ColumnEntry[]): Column[] {
  return entries.map(([name, header, width, extra]) => ({ ...cell, ...extra, name, header, width, align }));
}

/** A number that is shown as it was sent. */
export function numberCell(column: RawColumn, shift: (value: number) => number = (value) => value): Cell {
  const value = (row: Row): number | null => {
    const raw = row.number(column);
    return raw === null ? null : shift(raw);
  };
  return { needs: [column], value, text: (row) => showNumber(value(row)) };
}

export function textCell(column: RawColumn): Cell {
  return { needs: [column], value: (row) => row.text(column), text: (row) => row.text(column) ?? '-' };
}

export function showNumber(value: number | null): string {
  return value === null ? '-' : String(value);
}

export function two(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}
