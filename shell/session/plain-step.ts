/**
 * A step on a machine without bash: its text goes to sh, with the session's directory and exported variables. What is bash's alone (functions, arrays,
 * options, …) does not go along, and nothing comes back but output and status.
 */
import { fromByteText, type ByteText } from '../language/byte-text.ts';
import { environmentOf } from './environment.ts';
import type { ShellState } from './shell-state.ts';

export interface PlainStep {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Undefined: where a login there begins. */
  readonly cwd: string | undefined;
}

export function plainStep(state: ShellState, text: ByteText, name: string): PlainStep {
  const env = Object.entries(environmentOf(state));
  const gone = env.filter(([key, value]) => value === undefined && /^[A-Za-z_]\w*$/.test(key)).map(([key]) => key);
  const unset = gone.length === 0 ? '' : `unset ${gone.join(' ')}; `;
  return {
    argv: ['sh', '-c', unset + fromByteText(text), name, ...state.positional.map(fromByteText)],
    env: Object.fromEntries(env.filter((entry): entry is [string, string] => entry[1] !== undefined)),
    cwd: state.directory === undefined ? undefined : fromByteText(state.directory),
  };
}

/** What it says of it, once for each node. */
export function plainNotice(node: string): string {
  return `${node}: there is no bash: sh runs this, and has of the session only the directory and exported variables`;
}
