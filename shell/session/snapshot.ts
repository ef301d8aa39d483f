/**
 * What a bash knows when a step ends: the terms in which a session is carried. All texts are *byte texts*: one character a byte (latin1), so that values
 * that are no UTF-8 pass unharmed.
 */
import type { ByteText } from '../language/byte-text.ts';
import type { CpuTimes } from './cpu-times.ts';

export interface Variable {
  /** Letters of `declare -LETTERS`, sorted: a A i l n r t u c x. */
  readonly attributes: string;
  /** Absent: declared, but without a value. */
  readonly value?: VariableValue;
}

/** A plain value; or pairs of an array, whose subscripts are decimal numbers unless it is associative. */
export type VariableValue = ByteText | readonly (readonly [subscript: ByteText, element: ByteText])[];

export interface ShellFunction {
  /** Exactly one definition, as `declare -f` prints it. */
  readonly text: ByteText;
  /** Letters of `declare -fLETTERS`: t x. */
  readonly attributes: string;
}

export interface Snapshot {
  readonly status: number;
  /** `$_` */
  readonly lastArgument: ByteText;
  /** Statuses of the last pipeline; empty where unknown. */
  readonly pipeStatus: readonly number[];
  /** Logical, as `pwd` prints it. */
  readonly directory: ByteText;
  /** The directory stack below it, as `dirs` lists it. */
  readonly directories: readonly ByteText[];
  /** Four octal digits. */
  readonly umask: string;
  readonly positional: readonly ByteText[];
  /** `set -o NAME` */
  readonly options: ReadonlyMap<string, boolean>;
  /** `shopt NAME` */
  readonly shopts: ReadonlyMap<string, boolean>;
  readonly variables: ReadonlyMap<string, Variable>;
  readonly functions: ReadonlyMap<ByteText, ShellFunction>;
  readonly aliases: ReadonlyMap<ByteText, ByteText>;
  /** By name of the signal, EXIT or ERR: what runs; '' ignores. */
  readonly traps: ReadonlyMap<string, ByteText>;
  /** By kind and letter, `Sn` or `Hc`: a number in the unit of `ulimit`, or `unlimited`. */
  readonly limits: ReadonlyMap<string, string>;
  /** Of the bash and its children. */
  readonly cpu: CpuTimes;
  /** When `SECONDS` was 0, in seconds of the clock. */
  readonly secondsFrom: number | undefined;
}
