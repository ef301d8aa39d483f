/** C-x C-e: the line in the person's own editor, $VISUAL or $EDITOR, else vi. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** @returns the text without its last line feed; undefined where the editor failed. */
export async function editInEditor(text: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const directory = await mkdtemp(join(tmpdir(), 'nsh-line-'));
  const file = join(directory, 'line.sh');
  try {
    await writeFile(file, `${text}\n`, { mode: 0o600 });
    const words = env['VISUAL'] || env['EDITOR'] || 'vi';
    // The variable may hold options, as for every program that honours it: a shell takes it apart.
    const child = spawn('sh', ['-c', `${words} "$1"`, 'sh', file], { stdio: 'inherit', env });
    const [status] = await once(child, 'close');
    return status === 0 ? (await readFile(file, 'utf8')).replace(/\n+$/, '') : undefined;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
