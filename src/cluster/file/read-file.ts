/** Reads a cluster file together with what tells one version of it from another. */
import { constants, type Stats } from 'node:fs';
import { open, realpath, stat } from 'node:fs/promises';
import { NshError } from '../../protocol/errors.ts';
import type { FoundFile } from './file-paths.ts';

/** Two readings with the same stamp are the same text. */
export interface FileStamp {
  readonly path: string;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly size: number;
  readonly inode: number;
}

export interface OpenedFile {
  readonly stamp: FileStamp;
  /** @throws NshError `clusterFile` */
  readText(): Promise<string>;
  close(): Promise<void>;
}

/** A list of 99,999 nodes, one by one, is a quarter of it. */
const maxBytes = 32 * 1024 * 1024;

/**
 * @returns undefined where nobody named the file and it is not there.
 * @throws NshError `clusterFile`
 */
export async function openClusterFile({ path: given, namedBy }: FoundFile): Promise<OpenedFile | undefined> {
  const source = namedBy === undefined ? '' : `, named by ${namedBy}`;
  try {
    // Looked at before it is opened: opening a FIFO waits for whoever writes to it.
    checkKind(`${given}${source}`, await stat(given));
    const path = await lastingPath(given, source);
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const found = await file.stat();
    try {
      checkKind(`${path}${source}`, found);
    } catch (error) {
      await file.close();
      throw error;
    }
    const stamp = { path, mtimeMs: found.mtimeMs, ctimeMs: found.ctimeMs, size: found.size, inode: found.ino };
    return { stamp, readText: async () => decode(path, await file.readFile()), close: async () => await file.close() };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && namedBy === undefined) return undefined;
    if (error instanceof NshError) throw error;
    const why =
      code === 'ENOENT' ? 'no such file' : code === 'EACCES' ? 'you may not read it' : (error as Error).message;
    throw new NshError('clusterFile', `cluster file ${given}${source}: ${why}`, { cause: error });
  }
}

function checkKind(label: string, found: Stats): void {
  if (!found.isFile()) {
    throw new NshError('clusterFile', `${label}: is ${kindOf(found)}, not a regular file: the agent reads it again`);
  }
  if (found.size > maxBytes) throw new NshError('clusterFile', `${label}: is larger than ${maxBytes} bytes`);
}

function kindOf(found: Stats): string {
  if (found.isDirectory()) return 'a directory';
  if (found.isFIFO()) return 'a pipe';
  return found.isSocket() ? 'a socket' : 'a device';
}

/** `/dev/stdin` and its like name a file to this process alone: the file behind them is what the agent can read too. */
async function lastingPath(given: string, source: string): Promise<string> {
  if (!/^\/(?:dev|proc)\//.test(given)) return given;
  const path = await realpath(given).catch(() => undefined);
  if (path !== undefined) return path;
  throw new NshError(
    'clusterFile',
    `${given}${source}: leads to a file without a name, which the agent cannot read: write it to a file and name that`,
  );
}

function decode(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new NshError('clusterFile', `${path}: is not UTF-8 text`, { cause: error });
  }
}
