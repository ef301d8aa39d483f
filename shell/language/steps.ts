/** What a script becomes: steps, run one after the other. Texts are byte-exact pieces of the script, here-documents included. */
import type { ByteText } from './byte-text.ts';

/** One text for one bash. */
export interface BashStep {
  readonly kind: 'bash';
  readonly text: ByteText;
  /** How it was typed, where that was more. */
  readonly title?: ByteText;
  /** Newlines of the script before it. */
  readonly line: number;
  /** It ends at a command: not in an open here-document, quote or `\`. */
  readonly isClosed: boolean;
}

/** A pipeline in which something is nsh's. */
export interface PipelineStep {
  readonly kind: 'pipeline';
  readonly text: ByteText;
  readonly line: number;
  readonly stages: readonly Stage[];
  /** An odd number of `!`. */
  readonly isNegated: boolean;
  /** `time`, `time -p` */
  readonly timed: 'bash' | 'posix' | undefined;
}

/** `&&` and `||`: at least one pipeline of them is nsh's. */
export interface ListStep {
  readonly kind: 'list';
  readonly text: ByteText;
  readonly line: number;
  readonly items: readonly ListItem[];
}

export interface ListItem {
  /** What stands before it; undefined for the first. */
  readonly operator: '&&' | '||' | undefined;
  readonly step: BashStep | PipelineStep;
}

/** An item that ends in `&`. */
export interface JobStep {
  readonly kind: 'job';
  /** Without the `&`. */
  readonly text: ByteText;
  readonly line: number;
  readonly body: BashStep | PipelineStep | ListStep;
}

export type Step = BashStep | PipelineStep | ListStep | JobStep;

interface StageBase {
  readonly text: ByteText;
  readonly line: number;
  /** `|&`: its stderr goes along. */
  readonly pipesStderr: boolean;
}

/** For the bash of the session's node. */
export interface BashStage extends StageBase {
  readonly kind: 'bash';
}

/** For a bash on each of some nodes; `text` is without the `@` word. */
export interface NodeStage extends StageBase {
  readonly kind: 'node';
  /** The word behind the `@`, as written: quotes and expansions are still in it. */
  readonly where: ByteText;
  /** It has neither quotes nor expansions. */
  readonly isLiteral: boolean;
}

/** For a builtin of nsh, in this process. */
export interface BuiltinStage extends StageBase {
  readonly kind: 'builtin';
  readonly name: string;
  /** The arguments as written, blanks between: a bash expands them. */
  readonly words: ByteText;
  /** The arguments themselves where nothing in them needs a bash. */
  readonly literalArgs: readonly ByteText[] | undefined;
  /** Redirections and assignments keep it from running in this process: bash runs it and calls nsh back. */
  readonly isPlain: boolean;
}

export type Stage = BashStage | NodeStage | BuiltinStage;
