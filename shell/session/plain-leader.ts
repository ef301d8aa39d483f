/**
 * The job-control leader (leader.ts) of a step on a machine without bash, in what sh(1) has of it: POSIX, as dash carries it out.
 *
 *   sh -c LEADER sh TOKEN WORDS…        runs `sh WORDS…` as its job
 *
 * The same signals and the same notice. Nobody takes it over from a shell that has gone.
 */
import { findSignal } from '../../src/ids/signals.ts';
import { calledBack, jobSignal, runText, withText, type LeaderCommand } from './leader.ts';

const stopStatuses = ['SIGSTOP', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU'].map((name) => 128 + (findSignal(name) ?? 0));
const signals = Array.from({ length: 31 }, (_, i) => i + 1);
const passedOn = ['TERM', 'HUP', 'INT'] as const;
const takeTraps = [
  ...passedOn.map((name) => `trap 'f ${name}' ${name}`),
  `for i in ${signals.join(' ')}; do trap "f $i" $((i + ${jobSignal(0)})); done`,
].join('; ');
const dropTraps = [
  `trap - ${passedOn.join(' ')}`,
  `for i in ${signals.join(' ')}; do trap : $((i + ${jobSignal(0)})); done`,
].join('; ');

const notice = (status: string): string => `printf '\\033]7717;%s;%s\\007' "$1" ${status} >/dev/tty`;
const inForeground = `${dropTraps}; if kill -0 %1 2>/dev/null; then ${notice('0')}; fg %1 >/dev/null; else wait %1; fi; s=$?`;
const wait = 's=127; w';
const inBackground = `{ bg %1; ${wait}; } >/dev/null 2>&1; ${dropTraps}`;

const setFlush = (sign: '' | '-'): string => `: "$(stty ${sign}noflsh </dev/tty 2>/dev/null)"`;

/** Behind the ^Z, where bash would begin a line. */
const stop = [
  setFlush(''),
  `[ "$m" = bg ] || printf '\\n' >/dev/tty`,
  'm=fg c=',
  takeTraps,
  notice('$s'),
  '[ -n "$c" ] || kill -STOP $$',
  setFlush('-'),
].join('; ');

/** Whether a job with status `s` may still be there. `kill -0` alone does not tell: its group lasts until all of it have been reaped. */
const mayRemain = `case $s in ${[calledBack, ...stopStatuses].join(' | ')}) kill -0 %1 2>/dev/null ;; *) false ;; esac`;

const afterJob = [
  // As bash's kill has it: what is stopped could not end.
  'f() { t=1; kill -$1 %1; case $1 in 1 | 15 | HUP | TERM) kill -CONT %1 ;; esac; }',
  // A signal that is passed on breaks a wait off.
  'w() { t=; wait %1; r=$?; [ $r = 127 ] || s=$r; [ -z "$t" ] || [ $r = 127 ] || w; }',
  `k() { ${mayRemain} || return 0`,
  `if [ $s = ${calledBack} ]; then m=fg; else ${stop}; fi`,
  `if [ $m = fg ]; then ${inForeground}; else ${inBackground}; fi`,
  'k "$1"; }',
].join('; ');

export interface PlainLeaderOptions {
  readonly startsIn: 'foreground' | 'background';
  /** `sh` and its words. */
  readonly argv: readonly string[];
  readonly token: string;
  /** Of the job alone. */
  readonly redirections: string;
}

export function plainLeaderCommand({ startsIn, argv, token, redirections }: PlainLeaderOptions): LeaderCommand {
  const job = `sh "$@" ${redirections}`.trimEnd();
  const run =
    startsIn === 'foreground'
      ? `${job}; s=$?`
      : `m=bg; ${takeTraps}; ${job} & { ${wait}; } >/dev/null 2>&1; ${dropTraps}`;
  const leader = [
    'set -m 2>/dev/null',
    'm=fg token=$1; shift',
    "trap 'm=bg' USR1",
    'trap : USR2',
    'trap c=1 CONT',
    dropTraps,
    afterJob,
    run,
    'k "$token"',
    'exit $s',
  ].join('\n');
  return withText(['sh', '-c', runText, 'sh', token, ...argv.slice(1)], leader);
}
