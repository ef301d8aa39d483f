/** Where the programs of this installation are: beside the bundle that runs. */
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
