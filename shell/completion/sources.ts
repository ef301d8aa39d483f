/** Where choices come from. What a session knows is answered at once; what nodes know comes as they answer, and grows. */
import type { Choice, CommandShape } from './types.ts';

export interface KnownNode {
  readonly id: number;
  readonly name: string;
  readonly labels: readonly string[];
}

export interface KnownProcess {
  readonly gpid: number;
  readonly pid: number;
  readonly node: string;
  /** Its command line, as the node told it. */
  readonly command: string;
}

export interface KnownGroup {
  readonly name: string;
  readonly state: string;
  readonly ready: number;
  readonly wanted: number;
  /** Those that its replicas are placed on, folded; empty: on none. */
  readonly nodes: string;
  readonly command: string;
  readonly replicas: readonly { readonly slot: number; readonly phase: string; readonly node: string | undefined }[];
}

/** What nsh runs; the same and what it ran and keeps a record of; every process. */
export type ProcessSelection = 'managed' | 'kept' | 'all';

export interface KnownVariable {
  readonly name: string;
  /** Absent: not to be expanded (an array, …). */
  readonly value?: string;
}

/** Names of commands or files that begin with `base`, on the nodes where the command will run. */
export interface NamesQuestion {
  /** A nodeset; absent: the session's node. */
  readonly where: string | undefined;
  readonly kind: 'command' | 'path';
  /** `~` or `~NAME` at the beginning of the path. */
  readonly tilde: string;
  /** Empty, or up to a slash and with it. Behind a tilde without the slash that follows that. */
  readonly directory: string;
  readonly base: string;
}

export interface ListedName {
  readonly name: string;
  readonly type: 'directory' | 'executable' | 'file' | 'command';
}

export interface CompletionSources {
  nodes(): readonly KnownNode[];
  /** Names and summaries of nsh's own commands. */
  builtins(): readonly Choice[];
  /** The options of one of them. */
  shape(name: string): Promise<CommandShape | undefined>;
  /** Functions and aliases of the session. */
  sessionCommands(): readonly Choice[];
  variables(): readonly KnownVariable[];
  /** `%1` with its command line. */
  jobs(): readonly Choice[];
  /** Each time all that are known so far. Ends early, without an error, where nodes do not answer in time or `signal` fires. */
  processes(select: ProcessSelection, signal: AbortSignal): AsyncIterable<readonly KnownProcess[]>;
  /** Groups of processes; ends early, without an error, as `processes` does. */
  groups(signal: AbortSignal): AsyncIterable<readonly KnownGroup[]>;
  /** The same for names. */
  names(question: NamesQuestion, signal: AbortSignal): AsyncIterable<readonly ListedName[]>;
}
