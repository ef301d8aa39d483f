/** Signals to processes, their groups and their sessions. ESRCH is no error where the aim was to end something. */
import { readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { NshError } from '../../src/protocol/errors.ts';

const namesByNumber = new Map<number, string>(
  Object.entries(constants.signals).map(([name, number]) => [number, name] as const),
);
// Linux has two names for some numbers: these are the ones that kill(1) prints.
for (const name of ['SIGABRT', 'SIGCHLD', 'SIGIO', 'SIGSYS'] as const) namesByNumber.set(constants.signals[name], name);

const firstRealtime = 34;
const lastRealtime = 64;

/** `SIGTERM`; real-time signals as kill -l prints them. */
export function signalName(number: number): string {
  const name = namesByNumber.get(number);
  if (name !== undefined) return name;
  if (number >= firstRealtime && number <= lastRealtime) {
    const middle = 49;
    if (number === firstRealtime) return 'SIGRTMIN';
    if (number === lastRealtime) return 'SIGRTMAX';
    return number <= middle ? `SIGRTMIN+${number - firstRealtime}` : `SIGRTMAX-${lastRealtime - number}`;
  }
  return `SIG${number}`;
}

/** @throws NshError `noSuchProcess`, `notPermitted` */
export function sendSignal(target: number, signal: number): void {
  try {
    process.kill(target, signal);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EPERM') throw new NshError('notPermitted', 'Operation not permitted', { cause: error });
    if (code === 'EINVAL') throw new NshError('invalidParams', `signal ${signal}: Invalid argument`, { cause: error });
    throw new NshError('noSuchProcess', 'No such process', { cause: error });
  }
}

/** Every process group that is left of the session that `leader` began. */
function sessionGroups(leader: number): Set<number> {
  const groups = new Set<number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readStat(Number(name));
    if (stat !== undefined && stat.session === leader) groups.add(stat.group);
  }
  return groups;
}

/** Signals all of a session, one after the other; those that have gone or may not be signalled are passed over. */
export function signalSession(leader: number, signals: readonly NodeJS.Signals[]): void {
  for (const group of sessionGroups(leader)) {
    for (const signal of signals) {
      try {
        process.kill(-group, signal);
      } catch {
        // ESRCH: it has ended meanwhile. EPERM: it is another user's now (sudo), and not ours to end.
      }
    }
  }
}

/** Foreground process group of the terminal that `pid` belongs to; undefined where it has none. */
export function foregroundGroup(pid: number): number | undefined {
  const group = readStat(pid)?.foreground;
  return group === undefined || group <= 0 ? undefined : group;
}

interface Stat {
  readonly group: number;
  readonly session: number;
  readonly foreground: number;
}

function readStat(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { group: Number(fields[2]), session: Number(fields[3]), foreground: Number(fields[5]) };
  } catch {
    // It has ended: the answer.
    return undefined;
  }
}
