/**
 * What a command of nsh is: one a file under commands/, gathered in commands/index.ts. The same definition serves `nsh NAME`,
 * `--help`, the builtin of a session and its completion.
 */
import type { Readable, Writable } from 'node:stream';
import type { ClusterClient } from '../src/cluster/cluster-client.ts';
import type { ClusterSpec } from '../src/cluster/node-spec.ts';

export interface OptionSpec {
  /** `n` in `-n`. */
  readonly short?: string;
  /** `on` in `--on`. */
  readonly long?: string;
  /** Name of the argument in help texts; absent: the option takes none. */
  readonly argument?: string;
  readonly summary: string;
}

export interface Terminal {
  /** Columns of the terminal on stdout; undefined off a terminal, where nothing is cut. */
  readonly columns: number | undefined;
  readonly rows: number | undefined;
  /** Colour may be used: stdout is a terminal, NO_COLOR is not set and TERM is not `dumb`. */
  readonly colour: boolean;
}

export interface CommandContext {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly terminal: Terminal;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** The cluster file, read and checked; starts nothing. @throws NshError `clusterFile` */
  clusterSpec(): Promise<ClusterSpec>;
  /** Connected on first use; starts this machine's agent where none runs. Closed by the caller of the command. */
  cluster(): Promise<ClusterClient>;
  /** Fires on SIGINT, SIGTERM and SIGHUP. */
  readonly signal: AbortSignal;
}

/** What help tells of a command. */
export interface Described {
  readonly name: string;
  /** Without the name: `[-lrs] [PID…]`. */
  readonly synopsis: readonly string[];
  /** One sentence without a full stop. */
  readonly summary: string;
  readonly options: readonly OptionSpec[];
  /** Paragraphs below the options. */
  readonly details?: readonly string[];
}

export interface Command extends Described {
  /** For completion: those of the options that fit these first operands. Absent: all. */
  optionsFor?(operands: readonly string[]): readonly OptionSpec[];
  /**
   * @returns the exit status.
   * @throws NshError: printed as `nsh NAME: MESSAGE`; its exitStatus becomes the command's.
   */
  run(context: CommandContext, args: readonly string[]): Promise<number>;
}
