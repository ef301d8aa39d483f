/** Once before all tests: the programs that test hosts need, and a build that is not older than the sources. */
import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ensureSshd } from './hosts/ensure-sshd.ts';
import { ensureEtcd } from './store/etcd/ensure-etcd.ts';

const checkout = join(import.meta.dirname, '..');

export async function setup(): Promise<void> {
  await bring(ensureSshd);
  await bring(ensureEtcd);
  if (newest(['src', 'agent', 'shell', '.rolldown.config.mjs']) > newest(['dist'])) build();
}

/** Tests of sources need no build, so that they run while another part does not compile; with CI=true a failed build ends the run. */
function build(): void {
  try {
    execFileSync('npm', ['run', '--silent', 'build'], { cwd: checkout, stdio: 'inherit' });
  } catch (error) {
    if (process.env['CI'] === 'true') throw error;
    process.stderr.write('the build failed: tests that run the programs use an older one, or fail\n');
  }
}

/** Without these programs the tests that need them fail, each for itself, with CI=true at once; the others run all the same. */
async function bring(ensure: () => Promise<unknown>): Promise<void> {
  try {
    await ensure();
  } catch (error) {
    if (process.env['CI'] === 'true') throw error;
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  }
}

/** Time of the latest change, ms; 0 where nothing is there. */
function newest(names: readonly string[]): number {
  return Math.max(0, ...names.map((name) => newestBelow(join(checkout, name))));
}

function newestBelow(path: string): number {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 0;
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newestBelow(join(path, name))));
}
