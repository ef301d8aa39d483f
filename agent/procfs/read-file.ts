/** Synchronous reads of small kernel files. A file that is not there, or may not be read, is `undefined`: both are everyday facts in /proc. */
import { closeSync, openSync, readSync } from 'node:fs';

const chunkBytes = 8192;
const shared = Buffer.allocUnsafe(chunkBytes);

/** Bytes that stay valid until the next read. */
export interface Bytes {
  readonly buffer: Buffer;
  readonly length: number;
  /** True where the file held more than `maxBytes`. */
  readonly cut: boolean;
}

/** Reads from the beginning through a descriptor. @throws the system's error, ESRCH where the process has gone. */
export function readDescriptor(descriptor: number, maxBytes: number): Bytes {
  let length = readSync(descriptor, shared, 0, chunkBytes, 0);
  if (length < chunkBytes) return { buffer: shared, length, cut: false };
  const large = Buffer.allocUnsafe(maxBytes + 1);
  shared.copy(large, 0, 0, length);
  while (length <= maxBytes) {
    const more = readSync(descriptor, large, length, maxBytes + 1 - length, length);
    if (more === 0) break;
    length += more;
  }
  return { buffer: large, length: Math.min(length, maxBytes), cut: length > maxBytes };
}

export function readBytes(path: string, maxBytes: number): Bytes | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch {
    return undefined; // not there or not permitted: the caller shows that it is not known
  }
  try {
    return readDescriptor(descriptor, maxBytes);
  } catch {
    return undefined; // the process went between open and read, or the file refuses this user
  } finally {
    closeSync(descriptor);
  }
}

/** Text of a kernel file, latin1: callers look for ASCII keys. */
export function readAscii(path: string, maxBytes = 256 * 1024): string | undefined {
  const bytes = readBytes(path, maxBytes);
  return bytes?.buffer.toString('latin1', 0, bytes.length);
}
