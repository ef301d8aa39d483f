/** A program beside this file as one that node runs as it is, and starts quickly. Whoever builds it removes it. */
import { mkdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { build } from 'esbuild';

/** @returns its path, inside the checkout, so that it finds lmdb. */
export async function buildProgram(name: string): Promise<string> {
  const outfile = join(
    import.meta.dirname,
    '../../../.cache/store-programs',
    `${basename(name, '.ts')}-${process.pid}.mjs`,
  );
  mkdirSync(dirname(outfile), { recursive: true });
  const entryPoints = [join(import.meta.dirname, name)];
  await build({ entryPoints, outfile, bundle: true, platform: 'node', format: 'esm', packages: 'external' });
  return outfile;
}
