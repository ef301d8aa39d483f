/**
 * Kills singletons at their times when the shim cannot: a small shell beside it, in a session of its own, that is told of each before it is
 * started and hears of every later time. Where its input ends (the shim was killed) all of them are killed at once; where nothing comes in
 * time (the shim stands still) each at its time. What belongs to a singleton is known by a word in the environment, and by the session that
 * it leads: so what has begun a session of its own is found too.
 *
 * Protocol, a line each: `at MARK CS` its time, in hundredths of a second of /proc/uptime (CLOCK_BOOTTIME); `leader MARK PID START` its
 * process, with the start ticks that tell it from another one with its number; `end MARK` it has ended: what is left of it is killed.
 */
import { spawn, type ChildProcess, type IOType } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Shell } from './trampoline.ts';

/** In the environment of a singleton: what belongs to it. */
export const markVariable = 'NSH_SINGLETON';

const script = `
marks=
trap : HUP INT TERM
command -v grep >/dev/null || exit 3
if [ -n "$BASH_VERSION" ]; then
  read_line() { read -r -t "$1" line; }
else
  command -v timeout >/dev/null || exit 3
  timeout 1.5 true 2>/dev/null && fractions=yes || fractions=
  read_line() {
    set -- "$1" "\${1%.*}"
    [ -n "$fractions" ] || { [ "$2" -gt 0 ] && set -- "$2" || set -- 1; }
    line=$(timeout "$1" sh -c 'read -r line || exit 1; echo "$line"')
  }
fi
look_at_clock() {
  read -r up rest </proc/uptime
  now=\${up%.*}\${up#*.}
}
# status 0: a line; 1: the end; other: it was time
hear() {
  next=
  for mark in $marks; do
    eval "at=\\$at_$mark"
    [ -n "$next" ] && [ "$next" -le "$at" ] || next=$at
  done
  if [ -z "$next" ]; then
    read -r line
    return
  fi
  look_at_clock
  left=$((next - now))
  [ "$left" -gt 0 ] || left=1
  hundredths=$((left % 100))
  [ "$hundredths" -gt 9 ] || hundredths=0$hundredths
  read_line "$((left / 100)).$hundredths"
}
obey() {
  case $1 in
    at)
      case " $marks " in *" $2 "*) ;; *) marks="$marks $2" ;; esac
      eval "at_$2=$3"
      ;;
    leader) eval "leader_$2=$3 start_$2=$4" ;;
    end) eval "at_$2=0 over_$2=yes" ;;
  esac
}
# Whether the number is still that process's, or that of its session alone.
is_same() {
  stat=
  read -r stat 2>/dev/null <"/proc/$1/stat"
  [ -n "$stat" ] || return 0
  wanted=$2
  set -- \${stat##*) }
  [ "\${20}" = "$wanted" ]
}
# Kills all that belongs to a mark; fails where nothing did.
strike() {
  eval "leader=\\$leader_$1 start=\\$start_$1"
  files=$(grep -lF "$1" /proc/[0-9]*/environ 2>/dev/null)
  if [ -n "$leader" ] && is_same "$leader" "$start"; then
    files="$files $(grep -lE "\\\\) [^ZX] [0-9]+ [0-9]+ $leader " /proc/[0-9]*/stat 2>/dev/null)"
  fi
  found=
  for file in $files; do
    one=\${file#/proc/}
    found="$found \${one%%/*}"
  done
  [ -n "$found" ] && kill -KILL $found 2>/dev/null
  [ -n "$found" ]
}
strike_due() {
  look_at_clock
  kept=
  for mark in $marks; do
    eval "at=\\$at_$mark over=\\$over_$mark"
    if [ "$at" -le "$now" ]; then
      if strike "$mark"; then
        at=$((now + 10))
      elif [ -n "$over" ]; then
        eval "unset at_$mark over_$mark leader_$mark start_$mark"
        continue
      else
        at=$((now + 100))
      fi
      eval "at_$mark=$at"
    fi
    kept="$kept $mark"
  done
  marks=$kept
}
for line; do obey $line; done
while :; do
  hear
  case $? in
    0) obey $line ;;
    1) break ;;
    *) strike_due ;;
  esac
done
for mark in $marks; do eval "at_$mark=0 over_$mark=yes"; done
tries=0
while strike_due; [ -n "$marks" ] && [ $tries -lt 600 ]; do
  tries=$((tries + 1))
  sleep 0.1 2>/dev/null || sleep 1
done
`;

/** Not on the command line, where it would fill every ps. */
const scriptVariable = 'NSH_GUARD';
/** Of a shell that lacks what the script needs: there is no guard then. */
const lacksTools = 3;
/** One that leaves more than this unread stands still itself. */
const maxUnreadBytes = 16 * 1024;
/** From the end of one to the start of the next. */
const againMs = 200;

interface Guarded {
  atBootMs: number;
  leader: { readonly pid: number; readonly start: number } | undefined;
}

export interface SingletonGuardOptions {
  readonly shell: Shell;
  /** Its descriptors, where whatever must not reach it is covered by a harmless one. */
  readonly cover: (stdio: readonly IOType[], harmless: number) => (IOType | number)[];
  readonly onLog?: (message: string, facts: Readonly<Record<string, unknown>>) => void;
}

export class SingletonGuard {
  readonly #options: SingletonGuardOptions;
  readonly #guarded = new Map<string, Guarded>();
  #shell: ChildProcess | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isImpossible = false;

  constructor(options: SingletonGuardOptions) {
    this.#options = options;
  }

  /** PID of the shell; undefined: none is needed, or none can be. */
  get pid(): number | undefined {
    return this.#shell?.pid;
  }

  /** @param mark letters, digits: it is found by that alone. @param atBootMs of CLOCK_BOOTTIME, in place of the time before. */
  set(mark: string, atBootMs: number): void {
    const known = this.#guarded.get(mark);
    if (known === undefined) this.#guarded.set(mark, { atBootMs, leader: undefined });
    else known.atBootMs = atBootMs;
    if (this.#shell === undefined) this.#begin();
    else this.#tell(timeLine(mark, atBootMs));
  }

  leads(mark: string, pid: number, start: number): void {
    const known = this.#guarded.get(mark);
    if (known === undefined) return;
    known.leader = { pid, start };
    this.#tell(leaderLine(mark, known));
  }

  /** It has ended, or was not started: what is left of it is killed. */
  end(mark: string): void {
    if (!this.#guarded.delete(mark)) return;
    this.#tell(`end ${mark}\n`);
    if (this.#guarded.size > 0) return;
    // It ends when all is done, and the next one is another's.
    this.#shell?.stdin?.end();
    this.#shell = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #begin(): void {
    if (this.#isImpossible || this.#timer !== undefined) return;
    const { shell, cover, onLog } = this.#options;
    const { PATH } = process.env;
    const options = shell.kind === 'bash' ? ['--norc', '--noprofile', '-p'] : [];
    const nothing = openSync('/dev/null', 'r+');
    // What is known already it has from the start: this process may be killed at any moment.
    const words = [...this.#guarded].flatMap(([mark, each]) => [timeLine(mark, each.atBootMs), leaderLine(mark, each)]);
    const lines = words.filter((line) => line !== '').map((line) => line.trimEnd());
    const child = spawn(shell.path, [...options, '-c', `eval "$${scriptVariable}"`, 'nsh-guard', ...lines], {
      detached: true,
      cwd: '/',
      stdio: cover(['pipe', 'ignore', 'ignore'], nothing),
      env: { LC_ALL: 'C', [scriptVariable]: script, ...(PATH === undefined ? {} : { PATH }) },
    });
    closeSync(nothing);
    this.#shell = child;
    child.unref();
    child.stdin?.on('error', () => undefined);
    const onGone = (status: number | null): void => {
      if (this.#shell !== child) return;
      this.#shell = undefined;
      this.#isImpossible = status === lacksTools;
      onLog?.('the guard of singletons has ended', { status });
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        if (this.#guarded.size > 0) this.#begin();
      }, againMs);
    };
    child.once('error', () => onGone(null));
    child.once('exit', (status) => onGone(status));
  }

  #tell(line: string): void {
    const stdin = this.#shell?.stdin;
    if (line === '' || stdin === null || stdin === undefined || !stdin.writable) return;
    stdin.write(line);
    if (stdin.writableLength > maxUnreadBytes) this.#shell?.kill('SIGKILL');
  }
}

/** Rounded down: what comes after it is too late. */
function timeLine(mark: string, atBootMs: number): string {
  return `at ${mark} ${Math.max(0, Math.floor(atBootMs / 10))}\n`;
}

function leaderLine(mark: string, { leader }: Guarded): string {
  return leader === undefined ? '' : `leader ${mark} ${leader.pid} ${leader.start}\n`;
}
