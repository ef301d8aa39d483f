/** Programs that figures are held against: on the PATH, else unpacked from Debian's package into .cache/ of the checkout. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { unpackDebian } from '../../hosts/debian-package.ts';

const cache = join(import.meta.dirname, '../../../.cache');

/** Where it is; undefined where it cannot be had on this machine: its figures are left out. */
export async function findPeer(program: string, debianPackage: string): Promise<string | undefined> {
  const unpacked = join(cache, debianPackage);
  const find = (): string | undefined =>
    [...(process.env['PATH'] ?? '').split(delimiter), join(unpacked, 'usr/bin')]
      .map((directory) => join(directory, program))
      .find((path) => existsSync(path));
  const found = find();
  if (found !== undefined) return found;
  try {
    await unpack(debianPackage, unpacked);
  } catch (error) {
    process.stderr.write(`no ${program}: ${String(error)}\n`);
  }
  return find();
}

async function unpack(debianPackage: string, to: string): Promise<void> {
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, 'unpack-'));
  try {
    const root = join(work, 'root');
    await mkdir(root);
    await unpackDebian([debianPackage], work, root);
    await rename(root, to);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
