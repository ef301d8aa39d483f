/**
 * How one cluster is drawn and how many columns that takes. Nothing that could steer the terminal is drawn as it is: control
 * characters are ^X, what is invisible but reorders or breaks lines is <202E>. A tab's width depends on its column and is the layout's.
 */
import stringWidth from 'string-width';
import { clustersFrom, isPlain } from './graphemes.ts';

export interface Glyph {
  readonly text: string;
  /** 0, 1, 2, or more for those spelled out. */
  readonly width: number;
}

/** Soft hyphen (terminals do not agree about it), directional marks and overrides, line and paragraph separators, byte-order mark, tags. */
const unseen = /[\u{ad}\u{61c}\u{200b}\u{200e}\u{200f}\u{2028}-\u{202e}\u{2060}-\u{206f}\u{feff}\u{fff9}-\u{fffb}]/u;
/** Thai and Lao AM: joined to what stands before it, with a column of its own on every terminal. */
const takesPlace = /.[\u{e33}\u{eb3}]/su;
const loneSurrogate = /\p{Surrogate}/u;

const known = new Map<string, Glyph>();
/** Clusters of one text are few; when they are not, remembering them is no use. */
const maxKnown = 4096;

export function glyphOf(cluster: string): Glyph {
  if (cluster.length === 1 && isPlain(cluster.charCodeAt(0))) return { text: cluster, width: 1 };
  const found = known.get(cluster);
  if (found !== undefined) return found;
  const glyph = drawn(cluster);
  if (known.size >= maxKnown) known.clear();
  known.set(cluster, glyph);
  return glyph;
}

/** Columns of a text on one line, from column 0. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const cluster of clustersFrom(text, 0)) width += widthAt(cluster, width);
  return width;
}

/** Offset of the cluster that stands at `column` of a line, or of its end where it is shorter. */
export function offsetAtColumn(line: string, column: number): number {
  let width = 0;
  let offset = 0;
  for (const cluster of clustersFrom(line, 0)) {
    width += widthAt(cluster, width);
    if (width > column) return offset;
    offset += cluster.length;
  }
  return line.length;
}

export const tabStop = 8;

function widthAt(cluster: string, column: number): number {
  return cluster === '\t' ? tabStop - (column % tabStop) : glyphOf(cluster).width;
}

function drawn(cluster: string): Glyph {
  const code = cluster.codePointAt(0) ?? 0;
  if (code < 0x20 || code === 0x7f) return spelled(`^${String.fromCharCode(code ^ 0x40)}`);
  if (code < 0xa0 && code >= 0x80) return spelled(`<${code.toString(16).toUpperCase()}>`);
  if (loneSurrogate.test(cluster)) return { text: '\u{fffd}', width: 1 };
  if (unseen.test(cluster)) return spelledWithin(cluster);
  const width = stringWidth(cluster) + (takesPlace.test(cluster) ? 1 : 0);
  // A mark with nothing under it would sit on what is drawn before: give it a place of its own.
  return width === 0 ? { text: `\u{25cc}${cluster}`, width: 1 } : { text: cluster, width };
}

function spelled(text: string): Glyph {
  return { text, width: text.length };
}

/** The unseen ones spelled out, whatever they are joined to left as it is. */
function spelledWithin(cluster: string): Glyph {
  let text = '';
  let width = 0;
  for (const character of cluster) {
    const code = character.codePointAt(0) ?? 0;
    const part = unseen.test(character) ? spelled(`<${code.toString(16).toUpperCase().padStart(4, '0')}>`) : undefined;
    text += part?.text ?? character;
    width += part?.width ?? stringWidth(character);
  }
  return { text, width };
}
