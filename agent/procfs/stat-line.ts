/**
 * /proc/PID/stat (proc(5)): `PID (COMM) STATE number…`. COMM may hold anything, `)`, blanks and newlines included, so it ends at the
 * last `)`. Numbers are parsed by hand from the bytes, and only as far as somebody asks: this runs for every process at every request.
 */
import { decodeText } from './text.ts';

/** Field numbers as proc(5) counts them, from 1. */
export const statField = {
  ppid: 4,
  pgrp: 5,
  session: 6,
  ttyNr: 7,
  tpgid: 8,
  flags: 9,
  minflt: 10,
  cminflt: 11,
  majflt: 12,
  cmajflt: 13,
  utime: 14,
  stime: 15,
  cutime: 16,
  cstime: 17,
  priority: 18,
  nice: 19,
  numThreads: 20,
  start: 22,
  vsizeBytes: 23,
  rssPages: 24,
  rssLimitBytes: 25,
  startCode: 26,
  endCode: 27,
  startStack: 28,
  stackPointer: 29,
  instructionPointer: 30,
  wchanAddress: 35,
  exitSignal: 38,
  processor: 39,
  rtPriority: 40,
  policy: 41,
} as const;
export type StatColumn = keyof typeof statField;

const lastField = 41;
const closeParen = 0x29;
const openParen = 0x28;
const minus = 0x2d;
const zero = 0x30;

/** One parsed line; reused from process to process. */
export class StatLine {
  comm = '';
  state = '?';
  /** Indexed by field number; fields beyond 41 are not kept. */
  readonly fields = new Float64Array(lastField + 1);

  /**
   * @param last the last field that is wanted; those behind it are 0. Default: all.
   * @returns false where the bytes are no stat line.
   */
  parse(bytes: Buffer, length: number, last: number = lastField): boolean {
    const open = bytes.indexOf(openParen);
    const close = length === 0 ? -1 : bytes.lastIndexOf(closeParen, length - 1);
    if (open < 1 || close <= open || close + 3 > length) return false;
    this.comm = decodeText(bytes, open + 1, close);
    this.state = String.fromCharCode(bytes[close + 2] ?? 0x3f);
    this.fields.fill(0);
    this.readNumbers(bytes, close + 4, length, last);
    return true;
  }

  private readNumbers(bytes: Buffer, from: number, length: number, last: number): void {
    let field = 4;
    let value = 0;
    let negative = false;
    for (let i = from; i < length && field <= last; i++) {
      const byte = bytes[i] ?? 0;
      if (byte >= zero && byte <= 0x39) value = value * 10 + (byte - zero);
      else if (byte === minus) negative = true;
      else {
        this.fields[field++] = negative ? -value : value;
        value = 0;
        negative = false;
      }
    }
  }
}
