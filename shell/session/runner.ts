/**
 * The seam between a session and whatever starts its bashes: on this machine (local-runner.ts), or on a node. A runner knows nothing of state or language: it
 * carries a restore text in, streams, signals, and a report out.
 */
import type { Readable, Writable } from 'node:stream';
import type { ByteText } from '../language/byte-text.ts';
import type { DirectLink } from './direct-feed.ts';
import type { PlainStep } from './plain-step.ts';

/** How a bash stands in a pipeline of several. */
export interface PipelinePlace {
  /** The same object for all stages of one pipeline. */
  readonly key: object;
  /** Counted from 0, as they are joined. */
  readonly index: number;
  /** The first stage is one that reads the terminal, and will be there presently. */
  readonly beginsAtTerminal: boolean;
  /** The program that it ends in, as far as that can be told from its text: `less`. */
  readonly program: string;
}

/** `inherit`: this process's own; a number: a descriptor of this process. */
export type InputSource = 'inherit' | 'null' | number | Readable;
export type OutputTarget = 'inherit' | 'null' | number | Writable;

export interface BashJob {
  /** driver.ts: what `bash -c` is given. */
  readonly driver: string;
  /** What `$0` is. */
  readonly name: string;
  /** What was typed for it; default: all of the line. */
  readonly text?: ByteText;
  /** Read by the bash from its channel (descriptor 3), whole. */
  readonly restore: ByteText;
  readonly stdin: InputSource;
  /** Never ended by a runner: several may write to one. `ended` resolves when all that was written has been passed on. */
  readonly stdout: OutputTarget;
  readonly stderr: OutputTarget;
  /** Added to the environment the runner gives (`undefined` takes away). */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Breaks it off: SIGHUP, as a lost terminal would. */
  readonly signal?: AbortSignal;
  /** What ends in `&` in a session that a person is at: it goes on when the session ends, and can be brought to the terminal. */
  readonly outlives?: boolean;
  /** It leads a process group of its own, away from the terminal's foreground; signals go to the whole group. */
  readonly isBackground?: boolean;
  /** Of a pipeline in the foreground of an interactive session. */
  readonly pipeline?: PipelinePlace;
  /** Its stdin is another node's to feed: told where it is, or that it could not be started. */
  readonly readsFrom?: DirectLink;
  /** Its stdout is another node's to read. */
  readonly writesTo?: DirectLink;
  /** Bytes of its output that may be on their way, where a person sees them: Ctrl-C on a flood is to show at once. */
  readonly windowBytes?: number;
  /** How many reports the driver writes: 0, 1, or 2 with the fresh one. Lets a runner know when the report is whole. */
  readonly reports: 0 | 1 | 2;
  /** What runs in its place on a node that has no bash. */
  readonly plain?: () => PlainStep;
}

export interface BashEnd {
  /** As a shell says it: 128 + n for signal n. */
  readonly status: number;
  /** The signal that ended it. */
  readonly signal?: string;
  /** What it wrote to its channel (descriptor 4); empty when nothing. */
  readonly report: ByteText;
  /** It has not ended: `status` says by what it was stopped, or is 0. */
  readonly stopped?: StoppedBash;
}

/** A step that does not have the person's terminal any more. */
export interface StoppedBash {
  /** Its terminal was left, and it goes on; else Ctrl-Z, or a signal, has stopped it. */
  readonly isRunning?: boolean;
  /** Goes on, with the person's terminal or without. @returns how it ended, or stopped again. */
  resume(where: 'foreground' | 'background'): Promise<BashEnd>;
}

export interface RunningBash {
  /** Of one that was started in the background: brings it to the terminal. */
  readonly control?: StoppedBash;
  /** On the node where it runs. */
  readonly pid: number | undefined;
  readonly ended: Promise<BashEnd>;
  /** It is in this process's own group: what the terminal's keys send reaches it without help. */
  readonly isInOwnGroup?: boolean;
  /** It is no bash but a sh, on the node of this name: there is no state to come back. */
  readonly plainOn?: string;
  /** It says when it has stopped: `ended` tells. */
  readonly reportsStop?: boolean;
  /** To the process and, where it leads one, its group: `INT`, `TSTP`, … */
  kill(signal: string): void;
}

export interface BashRunner {
  /** It runs them on another machine than this process. */
  readonly isFar?: boolean;
  /** Names the machine in states and messages; '' for the session's own machine. */
  readonly node: string;
  /** @throws NshError where the node cannot be reached or has no bash. */
  start(job: BashJob): Promise<RunningBash>;
}

export interface FoldedOutput {
  /** For the output of one of them. */
  writer(runner: BashRunner): Writable;
  /** Shows what was gathered. Resolves when it is written. */
  finish(): Promise<void>;
}

/** Finds who runs what a nodeset word names. Implemented where the cluster is known; a session without one has no nodes. */
export interface NodeRunners {
  /**
   * @param where the word behind the `@`, expanded: `web1`, `web[1-8]`, `all`, `any`, `@gpu`.
   * @returns one for each node, in the order of the cluster. @throws NshError `nodeset`, `unknownNode`, `clusterFile`
   */
  resolve(where: string): Promise<readonly BashRunner[]>;
  /** Where several nodes write to one stage's output: wraps the target for one of them (prefix, fold). Absent: lines are merged as they come. */
  labelled?(target: Writable, runner: BashRunner, stream: 'stdout' | 'stderr'): Writable;
  /** What several nodes write to one stage's output is gathered, and shown at the end, what is identical once. */
  folded?(target: Writable, runners: readonly BashRunner[]): FoldedOutput | undefined;
}
