/**
 * What was typed on a terminal and read by nobody when its process has ended. The kernel keeps it for as long as the master is open, whoever
 * has closed the other side: it is read from there, to be given back to the person, for whom it is the next line.
 */
import { closeSync, constants, openSync, readSync } from 'node:fs';
import type { OutputStream } from './output-stream.ts';
import type { Started } from './started.ts';

/** The kernel keeps up to 12 KiB (n_tty.c, pty.c); somebody may be typing while we read. In an exit frame, as base64, there is room for it. */
const maxUnreadBytes = 32 * 1024;
const { O_RDONLY, O_NOCTTY, O_NONBLOCK } = constants;

/**
 * Takes it all, half a line too; the terminal is raw from then on. To be called before its output is read to the end: where nobody has it open
 * any more, that is the end of it.
 * @param output of the terminal.
 * @returns undefined without a terminal.
 */
export function takeUnreadInput(
  { terminalPath }: Pick<Started, 'terminalPath'>,
  output: Pick<OutputStream, 'makeRaw'> | undefined,
): Buffer | undefined {
  if (terminalPath === undefined) return undefined;
  output?.makeRaw();
  const unread = readAll(terminalPath);
  // The kernel keeps a Ctrl-D as a NUL.
  for (let at = unread.indexOf(0); at !== -1; at = unread.indexOf(0, at)) unread[at] = 4;
  return unread;
}

function readAll(path: string): Buffer {
  const bytes = Buffer.alloc(maxUnreadBytes);
  let length = 0;
  let fd: number | undefined;
  try {
    fd = openSync(path, O_RDONLY | O_NOCTTY | O_NONBLOCK);
    for (let count = -1; count !== 0; length += count) count = readSync(fd, bytes, length, bytes.length - length, null);
  } catch {
    // EAGAIN: that was all. EACCES: a program has taken the terminal for itself, and what was typed for it.
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
  return bytes.subarray(0, length);
}
