/**
 * The job-control leader of a foreground step: the session leader on its terminal, which runs the step's own bash as a job in a process group
 * of its own. A program that is the session leader itself is in an orphaned group, whose Ctrl-Z the kernel throws away (setpgid(2)).
 *
 *   NSH_LEADER=TEXT bash --norc --noprofile -c LEADER NAME DRIVER TOKEN
 *
 * Its text is in the environment, which its job does not get: in the command line it would fill the screen of everybody who types `ps -ef`.
 * When the job stops, the leader says so on the terminal (stop-notice.ts) and stops itself until SIGCONT: then the job is continued in the
 * foreground, which is said too, or, where SIGUSR1 came with it, in the background. SIGUSR2 brings a job from there to the foreground. While it
 * is not in the foreground a real-time signal stands for one that the job is to get (`jobSignal`). The leader ends with the job's status;
 * what was typed and nobody has read the shim takes from the terminal.
 */
import { createHash } from 'node:crypto';
import { constants } from 'node:os';

/** Status of a wait that SIGUSR2 has broken off. */
export const calledBack = 128 + constants.signals.SIGUSR2;

const firstRealtime = 34;

/** What to send to a leader whose job is stopped or in the background, so that the job gets `signal` (1 to 31). */
export function jobSignal(signal: number): number {
  return firstRealtime - 1 + signal;
}

/** While its job is stopped or in the background a leader also passes on what would end it alone. */
const passedOn = ['TERM', 'HUP', 'INT'] as const;
const takeTraps = [
  ...passedOn.map((name) => `\\builtin trap 'f ${name}' ${name}`),
  `for i in {1..31}; do \\builtin trap "f $i" $((i + ${jobSignal(0)})); done`,
].join('; ');
const dropTraps = [
  `\\builtin trap - ${passedOn.join(' ')}`,
  // One that comes too late is for a job that has the terminal, and passes.
  `for i in {1..31}; do \\builtin trap : $((i + ${jobSignal(0)})); done`,
].join('; ');

/** What came while the job was stopped, oldest first. */
const passWhatCame = 'q=; g $t; t=';

const notice = (status: string): string => `\\builtin printf '\\e]7717;%s;%s\\a' "$1" ${status} >/dev/tty`;
/** It may have ended in the background, just when it was called. A key that comes before it has the terminal would be for nobody. */
const inForeground = [
  passWhatCame,
  dropTraps,
  `if \\builtin kill -0 %1 2>/dev/null; then ${notice('0')}; \\builtin fg %1 >/dev/null; else \\builtin wait %1; fi`,
  's=$?',
].join('; ');
/** What bash says of a job meanwhile is for nobody. A signal comes behind bg: bash forgets the status of what ends before it. */
const inBackground = `{ \\builtin bg %1; ${passWhatCame}; w; } >/dev/null 2>&1; ${dropTraps}`;

/**
 * A key that sends a signal makes the terminal throw away what is on its way, and the notice must come through (NOFLSH in termios(3)). In a
 * substitution: it is no job.
 */
const setFlush = (sign: '' | '-'): string => `: "$(\\command stty ${sign}noflsh </dev/tty 2>/dev/null)"`;

/** Says that the job has stopped, and is stopped until it is to go on. */
const stop = [
  // Where nsh does not take bash's own line away it is erased. Stdout may be a pipe.
  `[[ $m = bg ]] || \\builtin printf '\\e[A\\e[2K' >/dev/tty`,
  setFlush(''),
  'm=fg c= q=1',
  takeTraps,
  notice('$s'),
  // What it says may be answered before it has come to stop.
  '[[ -n $c ]] || \\builtin kill -STOP $$',
  setFlush('-'),
].join('; ');

const stopSignals = (['SIGSTOP', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU'] as const).map((name) => constants.signals[name]);
const isStopSignal = `[[ $1 = @(${stopSignals.join('|')}) ]]`;
const isStopped = `[[ $s = @(${stopSignals.map((signal) => 128 + signal).join('|')}) ]]`;

/** No loops: bash leaves every loop in which a job stops. */
const afterJob = [
  'f() { if [[ -n $q ]]; then t+=" $1"; else p=1; \\builtin kill -$1 %1; fi; }',
  // It may have stopped again by itself, which bash does not know yet: bash would continue what it is to terminate.
  `g() { [[ -z $1 ]] || { p=1; \\builtin kill -$1 %1; ${isStopSignal} || \\builtin kill -CONT %1; \\builtin shift; g "$@"; }; }`,
  // Waits until the job stops or has ended, or is called to the foreground. A signal that is passed on breaks a wait off: it is taken up again,
  // until the job has been waited for and there is none (`jobs -p` leaves the status of one that has ended alone). One that was stopped before a
  // signal reached it may be about to end.
  [
    'w() { \\builtin wait %1; s=$?',
    `[[ $s != ${calledBack} ]] || \\builtin return 0`,
    `if ${isStopped}; then [[ -n $p ]] || \\builtin return 0; p=; : "$(\\command sleep 0.1)"; fi`,
    '! \\builtin jobs -p %1 || w; }',
  ].join('; '),
  'k() { \\builtin kill -0 %1 2>/dev/null || \\builtin return 0',
  `if [[ $s = ${calledBack} ]]; then m=fg; else ${stop}; fi`,
  `if [[ $m = fg ]]; then ${inForeground}; else ${inBackground}; fi`,
  'k "$1"; }',
].join('; ');

/** @param run runs the job and leaves its status in `s`. */
const leaderText = (run: string): string =>
  [
    '\\builtin set -m',
    "\\builtin trap 'm=bg' USR1",
    '\\builtin trap : USR2',
    '\\builtin trap c=1 CONT',
    dropTraps,
    afterJob,
    run,
    'k "$2"',
    '\\builtin exit $s',
  ].join('; ');

/** Another text is another version: its leader is not asked for what it might not know. */
const version = createHash('sha256').update(leaderText('')).digest('hex').slice(0, 8);
const textName = 'NSH_LEADER';
/** Takes the text out of an environment and runs it. In the words of sh(1). */
export const runText = `eval "unset -v ${textName}; $${textName}"`;
const leader = `: ${version}; \\builtin ${runText}`;

/** What to run, and what it is to have in its environment besides. */
export interface LeaderCommand {
  readonly argv: string[];
  readonly env: Readonly<Record<string, string>>;
}

export const withText = (argv: string[], text: string): LeaderCommand => ({ argv, env: { [textName]: text } });

export interface LeaderOptions {
  /** `background`: of what ends in `&`. Default `foreground`. */
  readonly startsIn?: 'foreground' | 'background';
  /** What `bash -c` is given. */
  readonly driver: string;
  /** What `$0` is. */
  readonly name: string;
  /** By which the notice is known. */
  readonly token: string;
  /** Of the job alone: `2>&1`. */
  readonly redirections?: string;
}

export function leaderCommand({
  driver,
  name,
  token,
  redirections = '',
  startsIn = 'foreground',
}: LeaderOptions): LeaderCommand {
  const job = `bash --norc --noprofile -c "$1" "$0" ${redirections}`.trimEnd();
  const run =
    startsIn === 'foreground' ? `${job}; s=$?` : `m=bg; ${takeTraps}; ${job} & w >/dev/null 2>&1; ${dropTraps}`;
  return withText(['bash', '--norc', '--noprofile', '-c', leader, name, driver, token], leaderText(run));
}

/** The token of a leader, from its command line; undefined where that is no leader's, or another version's. */
export function leaderToken(argv: readonly string[]): string | undefined {
  return argv[4] === leader ? argv[7] : undefined;
}
