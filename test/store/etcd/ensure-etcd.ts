/** Finds etcd for the tests: on the PATH, else unpacked from Debian's package into .cache/ of the checkout. No service is started. */
import { accessSync, constants } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { unpackDebian } from '../../hosts/debian-package.ts';

const cache = join(import.meta.dirname, '../../../.cache');
const unpacked = join(cache, 'etcd');

/**
 * Where the program is; brings it where it is missing.
 * @throws Error that says what to install
 */
export async function ensureEtcd(): Promise<string> {
  const before = findEtcd();
  if (before !== undefined) return before;
  try {
    await unpack();
  } catch (error) {
    const why = error instanceof Error ? error.message.trim() : String(error);
    throw new Error(
      `these tests need etcd: it is not on the PATH, and Debian's package could not be unpacked (${why}). Install etcd-server`,
      { cause: error },
    );
  }
  const after = findEtcd();
  if (after === undefined) throw new Error(`etcd-server was unpacked into ${unpacked}, but usr/bin/etcd is not there`);
  return after;
}

function findEtcd(): string | undefined {
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), join(unpacked, 'usr/bin')];
  return directories.map((directory) => join(directory, 'etcd')).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // Not there, or not for us: the next directory is tried.
  }
}

/** Beside the final place and renamed, so that two test runs at once never see half of it. */
async function unpack(): Promise<void> {
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, 'unpack-'));
  try {
    const root = join(work, 'root');
    await mkdir(root);
    await unpackDebian(['etcd-server'], work, root);
    await rename(root, unpacked).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
