/** Unpacks packages of Debian without installing them: nothing on the machine changes but one folder, and no service is started. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * @param work an own folder for what comes down, emptied again
 * @param root receives usr/…, lib/…
 * @throws Error of apt-get or dpkg-deb
 */
export async function unpackDebian(packages: readonly string[], work: string, root: string): Promise<void> {
  try {
    await run('apt-get', ['download', ...packages], { cwd: work });
  } catch {
    // No package lists on this machine: fetch them into the cache, so that the machine's own stay as they are.
    const lists = await mkdtemp(join(work, 'apt-'));
    await mkdir(join(lists, 'lists/partial'), { recursive: true });
    const own = [
      '-o',
      `Dir::State::lists=${join(lists, 'lists')}`,
      '-o',
      `Dir::Cache=${lists}`,
      '-o',
      'Debug::NoLocking=1',
    ];
    await run('apt-get', [...own, 'update'], { cwd: work });
    await run('apt-get', [...own, 'download', ...packages], { cwd: work });
  }
  for (const file of (await readdir(work)).filter((name) => name.endsWith('.deb'))) {
    await run('dpkg-deb', ['-x', join(work, file), root]);
    await rm(join(work, file));
  }
}
