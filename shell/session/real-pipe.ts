/**
 * A pipe of the kernel's for what a bash writes. What node:child_process calls a pipe is a pair of sockets: a program that writes to one whose reader has gone is told
 * "connection reset" and complains, where on a pipe SIGPIPE ends it in silence, as everybody expects of `yes | head`.
 */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, constants, openSync, unlinkSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { promisify } from 'node:util';

export interface RealPipe {
  readonly reader: Socket;
  /** For the child; to be closed here once it has it. */
  readonly writer: number;
}

const run = promisify(execFile);

export async function openRealPipe(): Promise<RealPipe> {
  return await withFifo((path) => {
    // With a reader there, opening the writing end waits for nobody.
    const from = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const writer = openSync(path, constants.O_WRONLY);
      return { reader: new Socket({ fd: from, readable: true, writable: false }), writer };
    } catch (error) {
      closeSync(from);
      throw error;
    }
  });
}

/** The other way: the child reads, this process writes. Both are descriptors, to be closed by the caller. */
export async function openInputPipe(): Promise<{ readonly reader: number; readonly writer: number }> {
  return await withFifo((path) => {
    // Open both ways it waits for no reader, and the reader that comes then waits for no writer.
    const writer = openSync(path, constants.O_RDWR);
    try {
      return { reader: openSync(path, constants.O_RDONLY), writer };
    } catch (error) {
      closeSync(writer);
      throw error;
    }
  });
}

async function withFifo<T>(open: (path: string) => T): Promise<T> {
  const path = `${tmpdir()}/nsh-${randomUUID()}`;
  await run('mkfifo', ['-m', '600', path]);
  try {
    return open(path);
  } finally {
    unlinkSync(path);
  }
}
