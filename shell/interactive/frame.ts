/**
 * What stands at the bottom of the terminal while a line is typed: prompt and text, the menu or a message, the status line. Never as tall
 * as the terminal: of a long text the part around the cursor is seen, and what lies below gives way first.
 */
import type { LayoutInput, LineLayout } from '../editor/layout.ts';
import type { Frame } from './ink-screen.ts';
import { paintRuns } from './theme.ts';

export interface FrameParts {
  readonly typed: Omit<LayoutInput, 'width' | 'maxRows'>;
  /** Below the text: completions, or what is said about the line. Fitted to the width. */
  readonly below: readonly string[];
  /** Empty: none. Fitted to the width. */
  readonly status: string;
}

export interface FrameSize {
  readonly columns: number;
  /** Of the terminal. */
  readonly rows: number;
}

export function composeFrame(
  layout: LineLayout,
  { typed, below, status }: FrameParts,
  { columns, rows }: FrameSize,
  colour: boolean,
): Frame {
  const most = Math.max(1, rows - 1);
  const statusRows = status !== '' && most >= 4 ? 1 : 0;
  const room = most - statusRows;
  const belowRows = Math.min(below.length, Math.floor(room / 2));
  const made = layout.layout({ ...typed, width: columns, maxRows: room - belowRows });
  const lines = [
    ...made.rows.map((row) => paintRuns(row, colour)),
    ...below.slice(0, belowRows),
    ...(statusRows === 1 ? [status] : []),
  ];
  return { lines, cursor: { x: made.cursorColumn, y: made.cursorRow } };
}
