/**
 * The two descriptors through which a bash gets its state and gives it back: nameless files, in memory where the machine has that. Files rather than pipes, because
 * bash reads a pipe byte by byte and cannot open a socket by name, and because a background command that keeps one open holds nobody up.
 */
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { ByteText } from '../language/byte-text.ts';

/** Linux's memory file system; 0600 and without a name from the start. */
const directories = ['/dev/shm', tmpdir()] as const;

/** @returns a descriptor of this process, to be closed by the caller; it stands at its beginning. */
export function openChannelFile(content: ByteText): number {
  const fd = openNameless();
  const bytes = Buffer.from(content, 'latin1');
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, at);
  return fd;
}

/** What stands in it, up to a size. */
export function readChannelFile(fd: number, maxBytes: number): ByteText {
  const chunks: Buffer[] = [];
  for (let at = 0; at < maxBytes; ) {
    const chunk = Buffer.alloc(Math.min(64 * 1024, maxBytes - at));
    const length = readSync(fd, chunk, 0, chunk.length, at);
    if (length === 0) break;
    chunks.push(chunk.subarray(0, length));
    at += length;
  }
  return Buffer.concat(chunks).toString('latin1');
}

export function closeChannelFile(fd: number): void {
  closeSync(fd);
}

function openNameless(): number {
  let last: unknown;
  for (const directory of directories) {
    const path = `${directory}/nsh-${randomUUID()}`;
    try {
      const fd = openSync(path, 'wx+', 0o600);
      unlinkSync(path);
      return fd;
    } catch (error) {
      // The next directory may do; the last one's reason is thrown.
      last = error;
    }
  }
  throw last;
}
