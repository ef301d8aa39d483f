/** What a session is started with, and how its steps stand in a script and end. */
import type { ByteText } from '../language/byte-text.ts';
import type { SessionBuiltins } from './builtins.ts';
import type { CallBackProgram } from './call-backs.ts';
import type { BashRunner, NodeRunners } from './runner.ts';
import type { StepStreams } from './streams.ts';

export interface SessionOptions {
  /** The machine the session starts on. */
  readonly runner: BashRunner;
  /** Absent: nodeset words are refused. */
  readonly nodes?: NodeRunners;
  readonly builtins?: SessionBuiltins;
  /** `$0`, which bash puts before its messages; default `bash`. */
  readonly name?: string;
  readonly positional?: readonly ByteText[];
  readonly streams: StepStreams;
  /** How bash calls nsh back. Absent: what is nested in compound commands is bash's alone. */
  readonly callBack?: CallBackProgram;
  /** A line of nsh's own on stderr. */
  tell(message: string): void;
  /** Who keeps what ends in `&`; default nsh. */
  readonly jobsAre?: 'nsh' | 'bash';
  /** A person is at it: aliases are expanded, and of what ends a bash only `exit` and `set -e` end the session. */
  readonly isInteractive?: boolean;
  /** Between two steps: was a Ctrl-C typed that the first came too early for, and that is no signal? */
  takeInterrupt?(): Promise<boolean>;
  /** The script itself comes by stdin: nodes and builtins get none of it, or the first would swallow the rest. Bash reads with care. */
  readonly inputIsScript?: boolean;
  /** It is a job of another session: its processes are in groups of their own. */
  readonly isBackground?: boolean;
  /** Fires when the session is to break off. */
  readonly signal?: AbortSignal;
}

export interface StepResult {
  readonly status: number;
  /** The shell has ended: `exit`, `set -e`, a fatal error. */
  readonly isOver: boolean;
}

/** How a step stands in the script. */
export interface StepPlace {
  readonly streams: StepStreams;
  /** Nothing comes after it in this session. */
  readonly isLast: boolean;
  /** A failure is asked for, by `&&`, `||` or `!`, and ends nothing. */
  readonly isCondition: boolean;
}
