/** Reads a cluster file together with what tells one version of it from another. */
import { open } from 'node:fs/promises';
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
export async function openClusterFile({ path, namedBy }: FoundFile): Promise<OpenedFile | undefined> {
  const source = namedBy === undefined ? '' : `, named by ${namedBy}`;
  try {
    const file = await open(path, 'r');
    const stat = await file.stat();
    const fault = stat.isFile() ? undefined : 'is not a regular file';
    if (fault !== undefined || stat.size > maxBytes) {
      await file.close();
      throw new NshError('clusterFile', `${path}${source}: ${fault ?? `is larger than ${maxBytes} bytes`}`);
    }
    const stamp = { path, mtimeMs: stat.mtimeMs, ctimeMs: stat.ctimeMs, size: stat.size, inode: stat.ino };
    return { stamp, readText: async () => decode(path, await file.readFile()), close: async () => await file.close() };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && namedBy === undefined) return undefined;
    if (error instanceof NshError) throw error;
    const why =
      code === 'ENOENT' ? 'no such file' : code === 'EACCES' ? 'you may not read it' : (error as Error).message;
    throw new NshError('clusterFile', `cluster file ${path}${source}: ${why}`, { cause: error });
  }
}

function decode(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new NshError('clusterFile', `${path}: is not UTF-8 text`, { cause: error });
  }
}
