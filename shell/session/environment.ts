/** The exported variables that a session changed, for what runs in this process. */
import { fromByteText } from '../language/byte-text.ts';
import type { ShellState } from './shell-state.ts';

/** `undefined`: taken away. */
export function environmentOf({ variables, nodeVariables }: ShellState): Record<string, string | undefined> {
  const env: Record<string, string | undefined> = {};
  for (const [name, variable] of [...variables, ...(nodeVariables.get('') ?? [])]) {
    const isExported = variable?.attributes.includes('x') === true;
    env[name] = isExported && typeof variable.value === 'string' ? fromByteText(variable.value) : undefined;
  }
  return env;
}
