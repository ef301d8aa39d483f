/**
 * The job-control leader of a foreground step: the session leader on its terminal, which runs the step's own bash as a job in a process group
 * of its own. A program that is the session leader itself is in an orphaned group, whose Ctrl-Z the kernel throws away (setpgid(2)).
 *
 *   bash --norc --noprofile -c LEADER NAME DRIVER TOKEN
 *
 * When the job stops, the leader says so on the terminal (stop-notice.ts) and stops itself until SIGCONT: then the job is continued in the
 * foreground, or, where SIGUSR1 came with it, in the background. SIGUSR2 brings a job from the background to the foreground. While the job
 * is not in the foreground a real-time signal stands for one that the job is to get (`jobSignal`). The leader ends with the job's status;
 * what was typed and nobody has read the shim takes from the terminal.
 */
import { constants } from 'node:os';

/** Status of a wait that SIGUSR2 has broken off. */
const calledBack = 128 + constants.signals.SIGUSR2;

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

/** It may have ended in the background, just when it was called. */
const inForeground = [
  dropTraps,
  'if \\builtin kill -0 %1 2>/dev/null; then \\builtin fg %1 >/dev/null; else \\builtin wait %1; fi',
  's=$?',
].join('; ');
/** A wait that a signal interrupted is taken up again. */
const wait = '\\builtin wait %1; s=$?; if [[ -n $t ]]; then \\builtin wait %1; s=$?; fi';
/** What bash says of a job meanwhile is for nobody. */
const inBackground = `t=; { \\builtin bg %1; ${wait}; } >/dev/null 2>&1; ${dropTraps}`;

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
  `\\builtin printf '\\e]7717;%s;%s\\a' "$1" $s >/dev/tty`,
  'm=fg',
  takeTraps,
  '\\builtin kill -STOP $$',
  setFlush('-'),
].join('; ');

/** No loop: bash leaves every loop in which a job stops. */
const afterJob = [
  'f() { t=1; \\builtin kill -$1 %1; }',
  'k() { \\builtin kill -0 %1 2>/dev/null || \\builtin return 0',
  `if [[ $s = ${calledBack} ]]; then m=fg; else ${stop}; fi`,
  `if [[ $m = fg ]]; then ${inForeground}; else ${inBackground}; fi`,
  'k "$1"; }',
].join('; ');

/** @param run runs the job and leaves its status in `s`. */
const leader = (run: string): string =>
  [
    '\\builtin set -m',
    "\\builtin trap 'm=bg' USR1",
    '\\builtin trap : USR2',
    dropTraps,
    afterJob,
    run,
    'k "$2"',
    '\\builtin exit $s',
  ].join('; ');

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
}: LeaderOptions): string[] {
  const job = `bash --norc --noprofile -c "$1" "$0" ${redirections}`.trimEnd();
  const run =
    startsIn === 'foreground'
      ? `${job}; s=$?`
      : `m=bg; ${takeTraps}; ${job} & t=; { ${wait}; } >/dev/null 2>&1; ${dropTraps}`;
  return ['bash', '--norc', '--noprofile', '-c', leader(run), name, driver, token];
}

/** The token of a leader, from its command line; undefined where that is no leader's, or another version's. */
export function leaderToken(argv: readonly string[]): string | undefined {
  return argv[4]?.includes(afterJob) === true ? argv[7] : undefined;
}
