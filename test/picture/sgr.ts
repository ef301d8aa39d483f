/** A screen as `tmux capture-pane -e` prints it: rows of text with SGR sequences, taken apart into runs of one look. Pure. */
import { displayWidth } from '../../shell/escape.ts';

export interface Look {
  /** `#rrggbb`, or a number of the terminal's 16 colours; undefined: the default. */
  readonly foreground?: string | number;
  readonly background?: string | number;
  readonly bold?: boolean;
  readonly dim?: boolean;
  readonly italic?: boolean;
  readonly underline?: boolean;
  readonly reverse?: boolean;
}

export interface Run {
  /** Cells before it. */
  readonly column: number;
  readonly text: string;
  readonly look: Look;
}

export interface PaintedScreen {
  readonly rows: readonly (readonly Run[])[];
  readonly cursor: readonly [x: number, y: number];
}

export function parseScreen(captured: string, cursor: readonly [x: number, y: number]): PaintedScreen {
  // A look goes on from row to row.
  let look: Look = {};
  const rows = captured
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => {
      const runs: Run[] = [];
      let column = 0;
      for (const piece of line.split(/(\u001b\[[\d;:]*m)/)) {
        const codes = /^\u001b\[([\d;:]*)m$/.exec(piece)?.[1];
        if (codes !== undefined) look = applyCodes(look, codes);
        else if (piece !== '') {
          runs.push({ column, text: piece, look });
          column += displayWidth(piece);
        }
      }
      return runs;
    });
  return { rows, cursor };
}

function applyCodes(before: Look, codes: string): Look {
  const numbers = codes.split(/[;:]/).map(Number);
  let look = before;
  for (let i = 0; i < numbers.length; i++) {
    const code = numbers[i] ?? 0;
    if (code === 38 || code === 48) {
      const [colour, used] = extended(numbers.slice(i + 1));
      look = code === 38 ? { ...look, foreground: colour } : { ...look, background: colour };
      i += used;
    } else look = applyCode(look, code);
  }
  return look;
}

function applyCode(look: Look, code: number): Look {
  if (code >= 30 && code <= 37) return { ...look, foreground: code - 30 };
  if (code >= 40 && code <= 47) return { ...look, background: code - 40 };
  if (code >= 90 && code <= 97) return { ...look, foreground: code - 82 };
  if (code >= 100 && code <= 107) return { ...look, background: code - 92 };
  switch (code) {
    case 0:
      return {};
    case 1:
      return { ...look, bold: true };
    case 2:
      return { ...look, dim: true };
    case 3:
      return { ...look, italic: true };
    case 4:
      return { ...look, underline: true };
    case 7:
      return { ...look, reverse: true };
    case 22:
      return { ...look, bold: false, dim: false };
    case 23:
      return { ...look, italic: false };
    case 24:
      return { ...look, underline: false };
    case 27:
      return { ...look, reverse: false };
    case 39:
      return without(look, 'foreground');
    case 49:
      return without(look, 'background');
    default:
      return look;
  }
}

/** `5;N` or `2;R;G;B`, and how many numbers that were. */
function extended([kind, ...rest]: readonly number[]): readonly [colour: string | number, used: number] {
  if (kind === 5) return [indexed(rest[0] ?? 0), 2];
  return [hex(rest.slice(0, 3)), 4];
}

function indexed(index: number): string | number {
  if (index < 16) return index;
  if (index >= 232) return hex([0, 0, 0].map(() => 8 + (index - 232) * 10));
  const cube = [0, 95, 135, 175, 215, 255];
  const at = index - 16;
  return hex([Math.floor(at / 36), Math.floor(at / 6) % 6, at % 6].map((step) => cube[step] ?? 0));
}

function hex(parts: readonly number[]): string {
  return `#${parts.map((part) => part.toString(16).padStart(2, '0')).join('')}`;
}

function without(look: Look, name: 'foreground' | 'background'): Look {
  const { [name]: _, ...rest } = look;
  return rest;
}
