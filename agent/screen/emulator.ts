/**
 * The headless xterm, and the parts of its state that its public interface does not show. Those are read from `_core`, whose shape belongs
 * to the pinned version: what is not as expected is left out rather than guessed (test/agent/screen holds each of them).
 */
import xterm from '@xterm/headless';

export type Emulator = InstanceType<typeof xterm.Terminal>;

export interface HiddenState {
  readonly isCursorHidden: boolean;
  /** Undefined: the terminal's own default. */
  readonly cursorStyle: 'block' | 'underline' | 'bar' | undefined;
  readonly cursorBlink: boolean;
  readonly mouseEncoding: string;
  /** Rows from 0, both inclusive. */
  readonly scrollTop: number;
  readonly scrollBottom: number;
  /** Cursor that DECSC saved, in rows of the screen. */
  readonly savedColumn: number;
  readonly savedRow: number;
  /** Designator of each of G0 to G3: `B`, `0`, `A`. */
  readonly charsets: readonly string[];
  /** Which of them is in use (SI, SO). */
  readonly charsetLevel: number;
  /** Columns with a tab stop. */
  readonly tabStops: readonly number[];
}

interface Core {
  readonly coreService?: {
    readonly isCursorHidden?: boolean;
    readonly decPrivateModes?: { readonly cursorStyle?: HiddenState['cursorStyle']; readonly cursorBlink?: boolean };
  };
  readonly coreMouseService?: { readonly activeEncoding?: string };
  readonly _charsetService?: { readonly glevel?: number; readonly _charsets?: readonly (Charset | undefined)[] };
  readonly _bufferService?: {
    readonly buffer?: {
      readonly ybase?: number;
      readonly scrollTop?: number;
      readonly scrollBottom?: number;
      readonly savedX?: number;
      readonly savedY?: number;
      readonly tabs?: Readonly<Record<string, boolean>>;
    };
  };
}
type Charset = Readonly<Record<string, string>>;

export function makeEmulator(cols: number, rows: number, scrollback: number): Emulator {
  return new xterm.Terminal({ cols, rows, scrollback, allowProposedApi: true, logLevel: 'off' });
}

export function readHiddenState(emulator: Emulator): HiddenState {
  const core = (emulator as unknown as { readonly _core?: Core })._core ?? {};
  const buffer = core._bufferService?.buffer ?? {};
  const modes = core.coreService?.decPrivateModes ?? {};
  return {
    isCursorHidden: core.coreService?.isCursorHidden ?? false,
    cursorStyle: modes.cursorStyle,
    cursorBlink: modes.cursorBlink ?? true,
    mouseEncoding: core.coreMouseService?.activeEncoding ?? 'DEFAULT',
    scrollTop: buffer.scrollTop ?? 0,
    scrollBottom: buffer.scrollBottom ?? emulator.rows - 1,
    savedColumn: buffer.savedX ?? 0,
    savedRow: Math.max(0, (buffer.savedY ?? 0) - (buffer.ybase ?? 0)),
    charsets: Array.from({ length: 4 }, (_, index) => designator(core._charsetService?._charsets?.[index])),
    charsetLevel: core._charsetService?.glevel ?? 0,
    tabStops: Object.keys(buffer.tabs ?? {})
      .filter((column) => buffer.tabs?.[column] === true)
      .map(Number)
      .filter((column) => column < emulator.cols),
  };
}

/** Line drawing and British are in use; of the other national sets xterm knows, no program of this century is. */
function designator(charset: Charset | undefined): string {
  if (charset?.['q'] === '─') return '0';
  return charset?.['#'] === '£' && Object.keys(charset).length === 1 ? 'A' : 'B';
}
