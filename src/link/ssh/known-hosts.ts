/** Reads known_hosts files and appends to them. What the entries mean is decided in policy/host-key.ts. */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { knownHostsLine, type HostKey, type KnownHostsFile } from '../../policy/host-key.ts';

/** Files that are not there count as empty. @throws what else keeps a file from being read: it may hold a revoked key. */
export async function readKnownHosts(paths: readonly string[]): Promise<KnownHostsFile[]> {
  const files = await Promise.all(
    paths.map(async (path) => {
      try {
        return { path, text: await readFile(path, 'utf8') };
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code;
        if (code === 'ENOENT' || code === 'ENOTDIR') return { path, text: '' };
        throw error;
      }
    }),
  );
  return files;
}

/** One write to the end of the file, so that entries added at the same time by others stay whole. */
export async function appendKnownHost(path: string, name: string, key: HostKey, hashed: boolean): Promise<void> {
  if (path === '/dev/null') return;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const file = await open(path, 'a+', 0o600);
  try {
    const line = knownHostsLine(name, key, hashed ? randomBytes(20) : undefined);
    await file.appendFile((await endsWithNewline(file)) ? line : `\n${line}`);
  } finally {
    await file.close();
  }
}

async function endsWithNewline(file: Awaited<ReturnType<typeof open>>): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return true;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] === 0x0a;
}
