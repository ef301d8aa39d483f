/**
 * Which simple commands are nsh's. The rule:
 *
 * 1. A command whose first word begins with a literal `@` (no quote or backslash before it) runs on the nodes that the word names.
 * 2. A command whose first word is literally the name of a builtin that bash does not have (`ps`, `pgrep`, `run`, `nodes`, …) is nsh's, unless the session or
 *    the script defines a function or alias of that name: functions come before builtins in bash, too. `\ps`, `command ps` and `/bin/ps` are the system's.
 * 3. The names that bash has itself (`kill`, `wait`, `jobs`, `fg`, `bg`, `disown`) stay bash's, so that scripts keep their meaning, unless the command can only be
 *    meant for nsh:
 *    - a word names a process of the cluster: a number of eight digits or more, `NODE.PID`, a replica `GROUP/N`, or an option that only nsh's has (`--force`, `--json`, …);
 *    - or a person types `fg`, `bg` or names a job (`%1`);
 *    - or the session has jobs that nsh started, and the command is without an operand, names a job (`%1`), a number or what an expansion will give.
 *    What an expansion will give (`kill $(pgrep web)`) is seen only when it is there: see `isGuarded`.
 * 4. A job that a person names in the place of a command (`%1`) is continued: `fg %1`; with `&` behind it, `bg %1`.
 *
 * Everything here is decided by the text alone: a name that an expansion produces is called back from bash (call-back.ts), or is bash's.
 */
import type { Command, Word, WordPart } from 'unbash';

/** What bash has under the same name. */
export const bashOwn: ReadonlySet<string> = new Set(['kill', 'wait', 'jobs', 'fg', 'bg', 'disown']);

export interface Surroundings {
  /** Names of nsh's builtins. */
  readonly builtins: ReadonlySet<string>;
  /** A function or an alias has this name. */
  isDefined(name: string): boolean;
  /** The session has jobs of nsh's. */
  readonly hasJobs: boolean;
  /** A person is at it: what is said of jobs where there are none is nsh's, too. */
  readonly isInteractive?: boolean;
  /** Who keeps what ends in `&`: nsh in a session, bash in a script that is bash's otherwise. */
  readonly jobsAre: 'nsh' | 'bash';
}

export type Concern =
  | { readonly kind: 'node'; readonly word: Word }
  | { readonly kind: 'builtin'; readonly name: string };

export function concernOf(command: Command, around: Surroundings): Concern | undefined {
  const word = command.name;
  if (word === undefined) return undefined;
  if (isNodesetWord(word)) return { kind: 'node', word };
  if (around.isInteractive === true && isJobCommand(command) && around.builtins.has('fg'))
    return { kind: 'builtin', name: 'fg' };
  const name = word.text;
  if (!around.builtins.has(name) || around.isDefined(name)) return undefined;
  if (bashOwn.has(name) && !concernsCluster(command, around)) return undefined;
  return { kind: 'builtin', name };
}

/** A job alone: `%1`, `%+`, `%make`, `%?log`. */
export function isJobCommand({ name, args, prefix }: Command): boolean {
  return name !== undefined && /^%[\w+%?.-]*$/.test(name.text) && args.length === 0 && prefix.length === 0;
}

/** `@` alone and `@(a|b)` are bash's. */
export function isNodesetWord({ text }: Word): boolean {
  return /^@[^(=\s]/.test(text);
}

/** A GPID, `NODE.PID`, `GROUP/N`, a long option. */
const ofTheCluster = /^-?\d{8,}$|^[A-Za-z0-9][\w-]*\.\d+$|^-?[A-Za-z][\w.-]*\/[1-9]\d{0,4}$|^--[a-z]/;

function concernsCluster({ args, name }: Command, { hasJobs, isInteractive }: Surroundings): boolean {
  const words = args.map((each) => (each.type === 'Word' ? each : undefined));
  if (words.some((word) => word === undefined)) return false;
  const texts = words.map((word) => word?.text ?? '');
  if (texts.some((text) => ofTheCluster.test(text))) return true;
  const operands = texts.filter((text) => !text.startsWith('-'));
  if (!hasJobs) {
    const isAboutJobs = name?.text === 'fg' || name?.text === 'bg' || operands.some((text) => text.startsWith('%'));
    return isInteractive === true && isAboutJobs;
  }
  if (operands.length === 0) return name?.text !== 'kill';
  return operands.some((text) => /^%|^\d+$|[$`]/.test(text));
}

/**
 * `kill` and `wait` with a word that an expansion gives, left to bash so far: whether a cluster PID is among them bash finds out when it
 * runs the command (call-backs.ts), and only then they are nsh's.
 */
export function isGuarded({ name, args }: Command, around: Surroundings): boolean {
  const text = name?.text ?? '';
  if ((text !== 'kill' && text !== 'wait') || !around.builtins.has(text) || around.isDefined(text)) return false;
  return args.some((word) => word.type === 'Word' && /[$`]/.test(word.text));
}

/** The word is what it stands for: no quote, expansion, glob, brace or tilde. */
export function isLiteralWord(word: Word): boolean {
  return word.text === word.value && (word.parts ?? []).every(isLiteralPart) && !/^~|[*?[{\\]/.test(word.text);
}

function isLiteralPart({ type }: WordPart): boolean {
  return type === 'Literal';
}
