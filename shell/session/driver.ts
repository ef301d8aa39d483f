/**
 * The bash side of a step: what a fresh bash is told, and the frame in which it answers.
 *
 *   bash --norc --noprofile -c DRIVER NAME
 *     3 ← the restore text: sourced, it brings back the session and leaves, as `$1`, what to run
 *     4 → the report: the session as the step leaves it (and, if asked for, as this bash found it)
 *
 * DRIVER is one line, so that LINENO counts from the text's own first line. The text is evaluated at top level, in no function and no loop, so that `declare`,
 * `return` and `break` mean what they mean; it finds 3 and 4 closed, as in a plain bash (bash keeps a copy of 4 that no program inherits). Nothing of the
 * session is in argv or the environment, and no variable or function of nsh's own is left for the text to see.
 *
 * No report means that bash did not come to the end of the text: `exit`, `set -e`, a fatal expansion, `exec PROGRAM` or a signal.
 */
import type { ByteText } from '../language/byte-text.ts';

/** First and last field of a report. A change of the fields between is a change of this name. */
export const reportHead = 'nsh-state-2';
export const reportTail = 'nsh-state-end';

/** `$_`, a megabyte of which nobody needs: a report has room for so much and no more. */
const lastArgument = '"${_::65536}"';

/** Fields end in NUL; what bash prints in its own form is one field. The order is read in read-report.ts. */
const dump = [
  `\\builtin printf '%s\\0' ${reportHead} "$?" ${lastArgument}`,
  // What a DEBUG trap prints before it is gone falls into a field that nobody reads.
  '\\builtin trap - DEBUG',
  field('\\builtin set +o'),
  '\\builtin set +eux',
  field(`\\builtin printf '%s\\0' "\${#NSH_LAST[@]}" "\${NSH_LAST[@]}"`),
  '\\builtin shopt -p',
  field('\\builtin umask'),
  field('\\builtin pwd'),
  field('\\builtin declare -p'),
  field('\\builtin declare -f'),
  field('\\builtin declare -F'),
  field('\\builtin alias -p'),
  field('\\builtin trap -p'),
  field('\\builtin ulimit -Sa'),
  field('\\builtin ulimit -Ha'),
  field('\\builtin times'),
  // When SECONDS was 0; before bash 5 it cannot be told.
  field(`\\builtin printf '%s' "$((\${EPOCHSECONDS:-0} - SECONDS))"`),
  `\\builtin printf '\\0'; \\builtin printf '%s\\0' "\${#DIRSTACK[@]}" "\${DIRSTACK[@]}" "$#" "$@" ${reportTail}`,
].join('; ');

/** A separator, then what the command prints. */
function field(command: string): string {
  return `\\builtin printf '\\0'; ${command}`;
}

/** Prints the state of the bash that runs it. */
export const printState = `{ ${dump}; } 2>/dev/null`;

/** The same, to 4. */
export const reportState = `{ ${dump}; } >&4 2>/dev/null`;

/** Before the head of a report that an EXIT trap writes, with the status and whether it was `exit` rather than `set -e` or a fatal expansion. */
export const exitHead = 'nsh-exit';

/**
 * A copy of 4 for the trap: bash does not undo the closing of 4 before it runs a trap from inside a function. Programs inherit it; it is a file, so that nobody waits for
 * them to close it.
 */
export const exitChannel = 250;

/** The EXIT trap of steps whose session outlives a fatal error: it reports as a step that came to its end does. */
export const exitTrap = `{ \\builtin printf '%s\\0' ${exitHead} "$?" "\${NSH_EXIT+exit}" ${lastArgument}; ${dump}; } >&${exitChannel} 2>/dev/null`;

/** `exit` in such a step: it leaves word that it was called. */
export const exitFunction = 'exit () { NSH_EXIT=$?; \\builtin exit "${@:-$NSH_EXIT}"; }';

/** What a restore text that is broken leaves on 4, and nothing runs. */
export const brokenRestore = 'nsh-broken-restore';

/** The first half of every driver: the session is back, and what to run stands in `$1`. */
export const restore = `\\builtin . /dev/fd/3 || { \\builtin printf '%s\\0' ${brokenRestore} >&4; \\builtin exit 126; }`;

/** Runs the text, then reports. The EXIT trap stays with the session: this bash is not its end. */
export const driver = `${restore}; \\builtin eval "$1"; ${reportState}; \\builtin trap - EXIT`;

/** Where a fed bash keeps its three: what to run (a file), leave to run it, word that it is done. */
export const feedChannels = { text: 251, go: 252, done: 253 } as const;

const { text, go, done } = feedChannels;

/**
 * Runs texts as they come, in one bash: between them it tells how the last one ended and waits; when no more is to come it reports. Each text is
 * sourced and evaluated as `driver` does it; `_` takes what `read` must put somewhere, for it is there anyway.
 */
export const feedDriver =
  `${restore}; \\exec ${text}<&5 ${go}<&6 ${done}>&7 3<&- 5<&- 6<&- 7>&-; NSH_LAST=(0 ""); ` +
  `while { \\builtin printf '%s\\0' "\${#NSH_LAST[@]}" "\${NSH_LAST[@]}" "$-" >&${done} && \\builtin read -rN1 -u ${go} _ && ` +
  `\\builtin . /dev/fd/${text}; } 2>/dev/null; do \\builtin eval "$1"; ` +
  `{ NSH_LAST=("$?" "\${NSH_LAST[@]-}"); } 2>/dev/null; done; \\builtin unset -v NSH_LAST; ${reportState}; \\builtin trap - EXIT`;

/** The same for the last text of a session: nothing is reported, traps run, the exit status is the session's. */
export const finalDriver = `${restore}; \\builtin eval "$1"`;

/** Kept at the end of a text that ends cleanly: `eval` overwrites both. */
export const keepLast: ByteText = `\nNSH_LAST=("$?" ${lastArgument} "\${PIPESTATUS[@]}")`;
