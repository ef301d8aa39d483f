/** Bundles shim and screen into a directory of the checkout that is this test run's alone, from where node-pty is found. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'rolldown';
import { afterAll } from 'vitest';

const checkout = join(import.meta.dirname, '../../..');

let built: Promise<string> | undefined;
const outdirs: string[] = [];

afterAll(() => {
  for (const outdir of outdirs.splice(0)) rmSync(outdir, { recursive: true, force: true });
});

/** Directory of the bundles; removed when the tests of the file have ended. */
export function buildPrograms(): Promise<string> {
  built ??= bundle();
  return built;
}

async function bundle(): Promise<string> {
  const cache = join(checkout, '.cache');
  mkdirSync(cache, { recursive: true });
  const outdir = mkdtempSync(join(cache, 'shim-'));
  outdirs.push(outdir);
  await build({
    cwd: checkout,
    input: { 'nsh-shim': 'agent/shim/main.ts', 'nsh-screen': 'agent/screen/main.ts' },
    platform: 'node',
    external: ['node-pty', /^@xterm\//],
    logLevel: 'warn',
    output: { dir: outdir, format: 'esm' },
  });
  return outdir;
}
