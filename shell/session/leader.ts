/**
 * The job-control leader of a foreground step: the session leader on its terminal, which runs the step's own bash as a job in a process group
 * of its own. A program that is the session leader itself is in an orphaned group, whose Ctrl-Z the kernel throws away (setpgid(2)).
 *
 *   bash --norc --noprofile -c LEADER NAME DRIVER TOKEN
 *
 * When the job stops, the leader says so on the terminal (stop-notice.ts) and stops itself until SIGCONT: then the job is continued in the
 * foreground, or, where SIGUSR1 came with it, in the background. SIGUSR2 makes it say and do the same while its job runs in the background. It
 * ends with the job's status.
 */

/** While its job is stopped or in the background a leader passes on what would end it alone. */
const passOn = (name: string): string => `\\builtin trap 'f ${name}' ${name}`;
const passedOn = ['TERM', 'HUP', 'INT'] as const;
const dropTraps = `\\builtin trap - ${passedOn.join(' ')}`;

const inForeground = `${dropTraps}; \\builtin fg %1 >/dev/null; s=$?`;
/** A wait that a signal interrupted is taken up again. */
const awaitJob = [
  't=',
  '\\builtin wait %1',
  's=$?',
  'if [[ -n $t ]]; then \\builtin wait %1; s=$?; fi',
  dropTraps,
].join('; ');
const inBackground = `\\builtin bg %1 >/dev/null 2>&1; ${awaitJob}`;

/** A real-time signal that a leader takes for its job, whatever its own is for: SIGRTMIN (34, signal(7)) + the number of the other. */
const forJob = 34;

/** What to send to the leader of a job in the background, that its job may get `signal`. */
export function signalForJob(signal: number): number {
  return signal <= 30 ? forJob + signal : signal;
}

/** No loop: bash leaves every loop in which a job stops. */
const afterJob = [
  'f() { t=1; \\builtin kill -$1 %1; }',
  'k() { \\builtin kill -0 %1 2>/dev/null || \\builtin return 0',
  // Its stdout may be a pipe.
  `\\builtin printf '\\e]7717;%s;%s\\a' "$1" $s >/dev/tty`,
  'm=fg',
  ...passedOn.map(passOn),
  '\\builtin kill -STOP $$',
  `if [[ $m = fg ]]; then ${inForeground}; else ${inBackground}; fi`,
  'k "$1"; }',
].join('; ');

/** @param run runs the job and leaves its status in `s`. */
const leader = (run: string): string =>
  [
    '\\builtin set -m',
    "\\builtin trap 'm=bg' USR1",
    '\\builtin trap : USR2',
    `for n in {1..30}; do \\builtin trap "f $n" $((${forJob}+n)); done`,
    afterJob,
    run,
    'k "$2"',
    '\\builtin exit $s',
  ].join('; ');

export interface LeaderOptions {
  /** Of what ends in `&`. Default `foreground`. */
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
  const run = startsIn === 'foreground' ? `${job}; s=$?` : `${passedOn.map(passOn).join('; ')}; ${job} & ${awaitJob}`;
  return ['bash', '--norc', '--noprofile', '-c', leader(run), name, driver, token];
}
