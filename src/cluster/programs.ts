/** Where the programs of this installation are: beside the bundle that runs. */
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export type ProgramName = 'nsh' | 'nsh-agent' | 'nsh-shim' | 'nsh-screen';

/** Absolute path of a program's script; run it with `process.execPath`. */
export function programPath(name: ProgramName): string {
  // Chunks of the bundle lie in the same directory as the programs. Run from the sources (tests), that is dist/.
  const here = fileURLToPath(import.meta.url);
  const directory = here.endsWith('.ts')
    ? fileURLToPath(new URL('../../dist/', import.meta.url))
    : here.replace(/[^/]*$/, '');
  return `${directory}${name}.js`;
}

/** `PATH@TIME` of the agent's program as it lies there now: another time under the same path is another build. */
export function programBuild(): string {
  const path = programPath('nsh-agent');
  return `${path}@${statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0}`;
}

/** The program of a running agent was replaced since it started: parts that it has not loaded yet may be gone. */
export function isReplaced(running: string | undefined, installed: string): boolean {
  const pathOf = (build: string): string => build.slice(0, build.lastIndexOf('@'));
  return running !== undefined && running !== installed && pathOf(running) === pathOf(installed);
}
