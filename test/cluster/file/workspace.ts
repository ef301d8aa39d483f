/** A directory for the cluster files of one test, with a HOME of its own so that no cache of the person's is touched. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export interface Workspace {
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  /** Writes a file below the directory and returns its path; dated back, as a file that has long been there. */
  write(name: string, text: string): string;
  remove(): void;
}

export function makeWorkspace(): Workspace {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'nsh-cluster-')));
  return {
    directory,
    env: { HOME: join(directory, 'home') },
    write: (name, text) => {
      const path = join(directory, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
      utimesSync(path, 1_700_000_000, 1_700_000_000);
      return path;
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}
