/**
 * The text that gives a fresh bash a session's state, and as `$1` what to run (driver.ts). Every value is quoted here, whatever it was received as.
 * The order matters: what could disturb the restoring (options, traps) comes last, and `$_` and `$?` after everything.
 */
import { exitChannel, exitTrap, feedChannels, keepLast, reportState } from './driver.ts';
import { ownProgramPattern } from '../../src/cluster/own-program.ts';
import { quoteOnOneLine, quoteWord } from './quote.ts';
import type { ShellState } from './shell-state.ts';
import { keepStatuses, stageTrap } from './stage-report.ts';
import { randomUUID } from 'node:crypto';
import type { ByteText } from '../language/byte-text.ts';
import type { Variable } from './snapshot.ts';

export interface Task {
  readonly text: ByteText;
  /** Lines of the script before the text. */
  readonly line: number;
  /** The text ends at a command: something may be put behind it. */
  readonly isClosed: boolean;
  /** `set -e` does not end the step: it is a condition of `&&`, `||` or `!`. */
  readonly isCondition: boolean;
  /** Report first what this bash starts with. */
  readonly wantsFresh: boolean;
  /** Nothing comes after: no report, traps run. */
  readonly isFinal: boolean;
  /** Report also where something ends the bash before its text is through. */
  readonly reportsExit?: boolean;
  /** It is a stage: the bash reports statuses and times alone (stage-report.ts). */
  readonly isStage?: boolean;
  /** Commands to run before the text, that leave nothing to see (callbacks). */
  readonly prelude?: ByteText;
}

/** A restore whose directory is not there ends with this status and says so on 4. */
export const noDirectory = 'nsh-no-directory';

export function renderRestore(state: ShellState, node: string, task: Task): ByteText {
  const lines = ['\\builtin unset -v BASH_EXECUTION_STRING'];
  if (task.wantsFresh) lines.push(reportState);
  // Before the variables: one that is read-only, as OLDPWD may be, would keep bash from moving.
  lines.push(...renderDirectory(state));
  lines.push(...renderVariables(state.variables), ...renderVariables(state.nodeVariables.get(node) ?? new Map()));
  if (state.secondsFrom !== undefined) lines.push(renderSeconds(state.secondsFrom));
  lines.push(...renderFunctions(state));
  if (task.prelude !== undefined) lines.push(task.prelude);
  for (const [name, value] of state.aliases) {
    lines.push(
      value === undefined
        ? `\\builtin unalias -- ${quoteWord(name)} 2>/dev/null`
        : `\\builtin alias ${quoteWord(`${name}=${value}`)}`,
    );
  }
  lines.push(...renderSwitches(state.shopts, (name, on) => `\\builtin shopt -${on ? 's' : 'u'} ${name}`));
  if (state.umask !== undefined) lines.push(`\\builtin umask ${state.umask}`);
  const words = [renderRun(state, task), ...state.positional];
  lines.push(`\\builtin set -- ${words.map(quoteWord).join(' ')}`, '');
  return lines.join('\n');
}

/** The state alone, for a bash that is fed its texts. */
export function renderFedRestore(state: ShellState, node: string, wantsFresh: boolean): ByteText {
  const nothing = { text: '', line: 0, isClosed: false, isCondition: false, isFinal: false };
  const full = renderRestore(state, node, { ...nothing, wantsFresh });
  const late = [...renderTraps(state), ...renderLimits(state), ...renderOptions(state)];
  return `${full}\\builtin shift\n${late.join('\n')}\n`;
}

/** One text for it. @param last how the one before ended. */
export function renderFedText(task: Pick<Task, 'text' | 'line' | 'isClosed'>, last: Last): ByteText {
  const { text, go, done } = feedChannels;
  const piece = `${'\n'.repeat(task.line)}${task.text}${task.isClosed ? keepLast : ''}`;
  const commands = ['\\builtin shift', '\\builtin unset -v NSH_LAST', ...renderLast(last, task.text)];
  const run = `\\builtin eval ${quoteOnOneLine(piece)} 4>&- ${text}<&- ${go}<&- ${done}>&-`;
  return `\\builtin set -- ${quoteWord([...commands, run].join('; '))} "$@"\n`;
}

/**
 * In place of the directory through which one machine finds nsh (own-program.ts) the one of the machine that reads this, which is on the PATH that it has found. Undefined
 * where there is none in it.
 */
function renderPath({ attributes, value }: Variable): ByteText[] | undefined {
  if (typeof value !== 'string') return undefined;
  const found = ownProgramPattern.exec(value);
  if (found === null) return undefined;
  const [before, after] = [value.slice(0, found.index), value.slice(found.index + found[0].length)];
  const own = found.index === 0 ? '"${2:+$1$2}"' : '"${2:+:$1$2}"';
  const rest = found.index === 0 ? after.replace(/^:/, '') : after;
  const colon = found.index === 0 && rest !== '' ? '"${2:+:}"' : '';
  return [
    '\\builtin set -- "${PATH%%/nsh/program/*}"; \\builtin set -- "${1##*:}" "${PATH:${#1}:25}"',
    `\\builtin unset -v PATH; \\builtin declare ${attributes === '' ? '--' : `-${attributes}`} PATH=${quoteWord(before)}${own}${colon}${quoteWord(rest)}`,
  ];
}

function renderVariables(variables: ReadonlyMap<string, Variable | undefined>): ByteText[] {
  // References last: a declaration through one would go to what it refers to.
  const entries = [...variables].sort(([, a], [, b]) => Number(isReference(a)) - Number(isReference(b)));
  return entries.flatMap(([name, variable]) => {
    const clear = `\\builtin unset -v ${name}`;
    if (variable === undefined) return [clear];
    const path = name === 'PATH' ? renderPath(variable) : undefined;
    return path ?? [clear, renderVariable(name, variable)];
  });
}

/** It goes on from here by itself. */
function renderSeconds(from: number): ByteText {
  return `[[ -z \${EPOCHSECONDS-} ]] || SECONDS=$((EPOCHSECONDS - ${from}))`;
}

function isReference(variable: Variable | undefined): boolean {
  return variable?.attributes.includes('n') === true;
}

/** @param variable as read-variables.ts let it pass: integers are integers, references name variables. */
function renderVariable(name: string, { attributes, value }: Variable): ByteText {
  const declare = `\\builtin declare ${attributes === '' ? '--' : `-${attributes}`} ${name}`;
  if (value === undefined) return declare;
  if (typeof value === 'string') return `${declare}=${quoteWord(value)}`;
  const isAssociative = attributes.includes('A');
  const pairs = value.map(
    ([subscript, element]) => `[${isAssociative ? quoteWord(subscript) : subscript}]=${quoteWord(element)}`,
  );
  // Lists can only be assigned on their own, and to what is not yet read-only.
  const declareOpen = `\\builtin declare -${attributes.replace('r', '')} ${name}`;
  const close = attributes.includes('r') ? `; \\builtin declare -r ${name}` : '';
  return `${declareOpen}; ${name}=(${pairs.join(' ')})${close}`;
}

/**
 * Definitions are code, and were checked to be nothing but definitions (read-functions.ts). Should bash ever read one otherwise than our parser does, what it
 * then takes for a command does not run: with `extdebug` a DEBUG trap that fails skips each, and only who knows the word of this text can end that.
 */
function renderFunctions({ functions }: ShellState): ByteText[] {
  if (functions.size === 0) return [];
  const word = randomUUID();
  const lines = [
    '\\builtin shopt -s extglob extdebug',
    `\\builtin trap -- '[[ $BASH_COMMAND == *${word}* ]]' DEBUG`,
    ...[...functions.values()].flatMap((definition) => (definition === undefined ? [] : [definition.text])),
    `\\builtin trap - DEBUG ${word} 2>/dev/null`,
    '\\builtin shopt -u extglob extdebug',
  ];
  for (const [name, definition] of functions) {
    const letters = definition?.attributes ?? '';
    if (definition === undefined) lines.push(`\\builtin unset -f -- ${quoteWord(name)}`);
    else if (letters !== '') lines.push(`\\builtin declare -f${letters} ${quoteWord(name)}`);
  }
  return lines;
}

function renderSwitches(
  switches: ReadonlyMap<string, boolean | undefined>,
  render: (name: string, on: boolean) => ByteText,
): ByteText[] {
  return [...switches].flatMap(([name, on]) => (on === undefined ? [] : [`${render(name, on)} 2>/dev/null`]));
}

function renderDirectory({ directory, directories }: ShellState): ByteText[] {
  const lines: ByteText[] = [];
  if (directory !== undefined) {
    const fail = `{ \\builtin printf '%s\\0' ${noDirectory} >&4; \\builtin exit 126; }`;
    lines.push(`\\builtin cd -- ${quoteWord(directory)} 2>/dev/null || ${fail}`);
  }
  for (const each of directories.toReversed()) lines.push(`\\builtin pushd -n -- ${quoteWord(each)} >/dev/null 2>&1`);
  return lines;
}

/** What `$1` holds: on one line, so that the text's line numbers are its own. */
function renderRun(state: ShellState, task: Task): ByteText {
  const commands = ['\\builtin shift', `\\exec 3<&-${task.isFinal ? ' 4>&-' : ''}`];
  commands.push(...renderTraps(state));
  if (task.reportsExit === true && (state.traps.get('EXIT') ?? '') === '') {
    commands.push(`\\exec ${exitChannel}>&4`, `\\builtin trap -- ${quoteOnOneLine(exitTrap)} EXIT`);
  }
  if (task.isStage === true && state.options.get('errexit') === true) {
    commands.push(`\\exec ${exitChannel}>&4`, `\\builtin trap -- ${quoteOnOneLine(stageTrap)} EXIT`);
  }
  const traced = state.options.get('xtrace') === true;
  commands.push(...renderLimits(state), ...renderOptions(state));
  const last = renderLast(state, task.text);
  const text = `${'\n'.repeat(task.line)}${task.text}${lastOf(state, task)}`;
  const hidden = traced ? `{ \\builtin set -x; ${last.join('; ')}; } 2>/dev/null; ` : '';
  if (!traced) commands.push(...last);
  const run = `\\builtin eval ${quoteOnOneLine(hidden + text)} ${task.isFinal ? '' : '4>&-'}`;
  commands.push(task.isCondition ? `${run} && \\builtin :` : run);
  return commands.join('; ');
}

function renderTraps({ traps }: ShellState): ByteText[] {
  return [...traps].map(([name, action]) =>
    action === undefined ? `\\builtin trap - ${name}` : `\\builtin trap -- ${quoteOnOneLine(action)} ${name}`,
  );
}

/** Hard ones last: a soft one above its hard one is refused. */
function renderLimits({ limits }: ShellState): ByteText[] {
  return [...limits]
    .sort(([a], [b]) => (a < b ? 1 : -1))
    .flatMap(([name, value]) =>
      value === undefined ? [] : [`\\builtin ulimit -${name.charAt(0)}${name.charAt(1)} ${value} 2>/dev/null`],
    );
}

/** But for xtrace, which comes last of all. */
function renderOptions(state: ShellState): ByteText[] {
  const options = new Map(state.options);
  options.delete('xtrace');
  return renderSwitches(options, (name, on) => `\\builtin set ${on ? '-' : '+'}o ${name}`);
}

export type Last = Pick<ShellState, 'lastArgument' | 'status' | 'pipeStatus'>;

function lastOf(state: ShellState, task: Task): ByteText {
  if (task.isStage === true) return keepStatuses;
  return keepsLast(state, task) ? keepLast : '';
}

/** Where commands are shown as they are read or run, nsh adds none of its own. */
function keepsLast({ options }: ShellState, { text, isClosed }: Task): boolean {
  const isShown = options.get('verbose') === true || options.get('xtrace') === true;
  return isClosed && !isShown && !/\bset\s+[-+][a-zA-Z]*[vx]|\b(?:verbose|xtrace|DEBUG)\b/.test(text);
}

/** `$_`, PIPESTATUS where the text asks for it, and `$?`, without a program and mostly without a fork. */
function renderLast({ lastArgument, status, pipeStatus }: Last, text: ByteText): ByteText[] {
  const commands: ByteText[] = [];
  // Also clears the status that the commands before left.
  commands.push(`\\builtin : ${lastArgument === undefined ? '' : quoteOnOneLine(lastArgument)}`);
  if (pipeStatus.length > 1 && text.includes('PIPESTATUS')) {
    commands.push(
      `${pipeStatus.map((each) => `(\\builtin exit ${each})`).join(' | ')} ${status === 0 ? '||' : '&&'} \\builtin :`,
    );
  } else if (status === 1) {
    commands.push('((0)) && \\builtin :');
  } else if (status !== 0) {
    // In a list it ends nothing under `set -e`.
    commands.push(`(\\builtin exit ${status}) && \\builtin :`);
  }
  return commands;
}
