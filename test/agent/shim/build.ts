/** Bundles shim and screen into a directory of the checkout that is this test run's alone, from where node-pty is found. */
import { build } from 'esbuild';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const checkout = join(import.meta.dirname, '../../..');

let built: Promise<string> | undefined;

/** Directory of the bundles; removed when the test process ends. */
export function buildPrograms(): Promise<string> {
  built ??= bundle();
  return built;
}

async function bundle(): Promise<string> {
  const cache = join(checkout, '.cache');
  mkdirSync(cache, { recursive: true });
  const outdir = mkdtempSync(join(cache, 'shim-'));
  process.once('exit', () => rmSync(outdir, { recursive: true, force: true }));
  await build({
    absWorkingDir: checkout,
    entryPoints: { 'nsh-shim': 'agent/shim/main.ts', 'nsh-screen': 'agent/screen/main.ts' },
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    external: ['node-pty', 'ssh2'],
    banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
    logLevel: 'error',
  });
  return outdir;
}
