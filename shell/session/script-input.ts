/**
 * Reads commands from a descriptor as bash reads a script from its standard input: not one byte further than the line that completes a command, so that what the
 * command reads is what follows it.
 */
import { fstatSync, read, readFileSync, readSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { ByteText } from '../language/byte-text.ts';
import { isUnfinished } from '../language/script-tree.ts';

const newline = 0x0a;
const pollMs = 5;
const readAsync = promisify(read);

/** The next complete command or commands, newline included; '' at the end. */
export async function readCommands(fd: number): Promise<ByteText> {
  let text = '';
  for (;;) {
    const line = await readLine(fd);
    if (line === '') return text;
    text += line;
    if (!line.endsWith('\n') || !isUnfinished(text)) return text;
  }
}

/** All of a regular file that is yet to be read, without reading it; undefined where that cannot be told. */
export function lookAhead(fd: number): ByteText | undefined {
  if (!fstatSync(fd).isFile()) return undefined;
  const position = /^pos:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1];
  if (position === undefined) return undefined;
  const chunks: Buffer[] = [];
  for (let at = Number(position); ; ) {
    const chunk = Buffer.alloc(64 * 1024);
    const length = readSync(fd, chunk, 0, chunk.length, at);
    if (length === 0) return Buffer.concat(chunks).toString('latin1');
    chunks.push(chunk.subarray(0, length));
    at += length;
  }
}

async function readLine(fd: number): Promise<ByteText> {
  const bytes: number[] = [];
  const one = Buffer.alloc(1);
  // The wait for a line leaves this process free; its rest is there at once.
  for (let length = await readFirst(fd, one); length === 1; length = await readNext(fd, one)) {
    bytes.push(one[0] ?? 0);
    if (one[0] === newline) break;
  }
  return Buffer.from(bytes).toString('latin1');
}

async function readFirst(fd: number, into: Buffer): Promise<number> {
  for (;;) {
    try {
      const { bytesRead } = await readAsync(fd, into, 0, 1, null);
      return bytesRead;
    } catch (error) {
      // Somebody who shares the descriptor has set it not to block.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      await setTimeout(pollMs);
    }
  }
}

async function readNext(fd: number, into: Buffer): Promise<number> {
  try {
    return readSync(fd, into, 0, 1, null);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return await readFirst(fd, into);
    throw error;
  }
}
