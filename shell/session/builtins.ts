/** The builtins of a session, as a session runs them; who has the cluster gives them (main's are the commands of shell/commands). */
import type { Readable, Writable } from 'node:stream';

export interface BuiltinStreams {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
}

export interface SessionBuiltins {
  readonly names: ReadonlySet<string>;
  /**
   * @param cwd, env the session's own, not this process's.
   * @returns the exit status; says itself on stderr what went wrong.
   */
  run(name: string, args: readonly string[], streams: BuiltinStreams, around: BuiltinSurroundings): Promise<number>;
}

export interface BuiltinSurroundings {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

export const noBuiltins: SessionBuiltins = { names: new Set(), run: () => Promise.resolve(127) };
