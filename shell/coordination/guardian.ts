/**
 * Ends what runs under a lock when nsh cannot: a small shell beside it, in a session of its own, that hears from nsh after each renewal how long
 * the command may still run. Where nothing comes in time (nsh was stopped, or stands still) it kills the command; where its input ends (nsh
 * was killed) it asks the command to end first. It finds what belongs to the command by a word in the environment, so daemons that the
 * command has left behind are found too, and no PID can be taken for another. Where sh, grep, dd or timeout is missing there is none.
 */
import { spawn, type ChildProcess } from 'node:child_process';

/** What it is told, a word a line: seconds left, `pid=N`, `term`, `kill`, `end`. */
const script = `
command -v timeout >/dev/null && command -v dd >/dev/null && command -v grep >/dev/null || exit 0
mark=$1 pid=
timeout 1.5 true 2>/dev/null && fractions=yes || fractions=
set_left() {
  left=$1
  [ -n "$fractions" ] && return
  left=\${left%.*}
  [ "$left" -gt 0 ] || left=1
}
set_left "$2"
find_all() {
  all=
  for file in $(grep -lF "$mark" /proc/[0-9]*/environ 2>/dev/null); do
    one=\${file#/proc/}
    all="$all \${one%/environ}"
  done
  [ -n "$all" ]
}
strike() {
  find_all
  [ -z "$all$pid" ] || kill -TERM $all $pid 2>/dev/null
  [ -z "$all$pid" ] || kill -CONT $all $pid 2>/dev/null
}
finish() {
  tries=0
  [ -z "$pid" ] || kill -KILL $pid 2>/dev/null
  while find_all && [ $tries -lt 50 ]; do
    kill -KILL $all 2>/dev/null
    tries=$((tries + 1))
    sleep 0.1 2>/dev/null || sleep 1
  done
  exit 0
}
while :; do
  words=$(timeout "$left" dd bs=4096 count=1 2>/dev/null)
  status=$?
  [ -n "$words" ] || break
  for word in $words; do
    case $word in
      end) exit 0 ;;
      term) strike ;;
      kill) finish ;;
      pid=*) pid=\${word#pid=} ;;
      *) set_left "$word" ;;
    esac
  done
done
if [ "$status" -ne 124 ]; then
  strike
  tries=0
  while find_all && [ $tries -lt 20 ]; do
    tries=$((tries + 1))
    sleep 0.1 2>/dev/null || sleep 1
  done
fi
finish
`;

/** Not on the command line, where it would fill every ps. */
const scriptVariable = 'NSH_GUARDIAN';

export class Guardian {
  readonly #shell: ChildProcess;

  /**
   * @param mark in the environment of the command and of nothing else.
   * @param msLeft until the command must have ended, unless `extend` is called.
   */
  constructor(mark: string, msLeft: number) {
    const { PATH } = process.env;
    this.#shell = spawn('/bin/sh', ['-c', `eval "$${scriptVariable}"`, 'nsh-guardian', mark, seconds(msLeft)], {
      detached: true,
      cwd: '/',
      stdio: ['pipe', 'ignore', 'ignore'],
      env: { LC_ALL: 'C', [scriptVariable]: script, ...(PATH === undefined ? {} : { PATH }) },
    });
    // No shell, or one that has ended: nsh itself still does what it can.
    this.#shell.on('error', () => undefined);
    this.#shell.stdin?.on('error', () => undefined);
    this.#shell.unref();
  }

  watch(pid: number): void {
    this.#tell(`pid=${pid}`);
  }

  extend(msLeft: number): void {
    this.#tell(seconds(msLeft));
  }

  /** Asks all that belongs to the command to end, and kills it after `msLeft`. */
  terminate(msLeft: number): void {
    this.#tell(`${seconds(msLeft)}\nterm`);
  }

  kill(): void {
    this.#tell('kill');
  }

  /** The command has ended as it should. */
  end(): void {
    this.#tell('end');
    this.#shell.stdin?.end();
  }

  #tell(words: string): void {
    if (this.#shell.stdin?.writable === true) this.#shell.stdin.write(`${words}\n`);
  }
}

/** What comes after it is too late, so it is rounded down, by the script too where timeout(1) knows no fractions; that takes 0 for "never". */
function seconds(ms: number): string {
  return Math.max(0.1, Math.floor(ms / 100) / 10).toFixed(1);
}
