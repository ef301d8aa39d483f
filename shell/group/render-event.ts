/** A line for each thing that happened to a group. Pure. */
import type { ToldEvent } from '../../src/coordination/groups/snapshot.ts';
import { replicaName } from '../../src/policy/supervision/identity.ts';
import { escapeText } from '../escape.ts';
import { paint, type Style } from '../table.ts';

export interface EventStyle {
  readonly nameOf: (node: number) => string;
  readonly colour: boolean;
  /** For a terminal: least widths of columns, and times of day where they are of today. Absent: UTC as in ISO 8601, two blanks between. */
  readonly aligned?: { readonly who: number; readonly what: number };
}

const styles: Readonly<Record<string, Style>> = {
  failed: 'red',
  halted: 'red',
  lost: 'red',
  ended: 'yellow',
  ready: 'green',
};
/** Of `unready`, the longest word that nodes have. */
const kindWidth = 7;

/** `2026-11-23T16:20:01.123Z  web1  web/2  ended  exited with status 1`. */
export function renderEvent(event: ToldEvent, group: string, { nameOf, colour, aligned }: EventStyle): string {
  const { slot, kind, text, atMs } = event;
  const what = slot === undefined ? group : replicaName({ group, slot });
  const cells: readonly (readonly [text: string, width: number, style?: Style | undefined])[] = [
    [aligned === undefined ? new Date(atMs).toISOString() : localTime(atMs), 0, 'dim'],
    [whoOf(event, nameOf), aligned?.who ?? 0],
    [what, aligned?.what ?? 0],
    [kind, text === undefined || aligned === undefined ? 0 : kindWidth, styles[kind]],
    ...(text === undefined ? [] : [[text, 0] as const]),
  ];
  const told = cells.map(([cell, width, style]) => {
    const escaped = escapeText(cell);
    return paint(escaped, style, colour) + ' '.repeat(Math.max(0, width - escaped.length));
  });
  return told.join('  ');
}

/** `18:28:20.432`, before it the date where it is not today's. */
function localTime(atMs: number): string {
  const at = new Date(atMs);
  const two = (value: number): string => String(value).padStart(2, '0');
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`;
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return new Date().toDateString() === at.toDateString() ? time : `${date} ${time}`;
}

export function whoOf({ who }: ToldEvent, nameOf: EventStyle['nameOf']): string {
  return /^\d+$/.test(who) ? nameOf(Number(who)) : who;
}
