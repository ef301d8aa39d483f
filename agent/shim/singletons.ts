/**
 * Processes that are killed at a time which their agent moves on while it may: by the shim itself, and by the guard beside it where the shim
 * cannot. When one has ended, what is left of it is killed, too: from then on it may run elsewhere.
 */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { KillTimes } from './kill-times.ts';
import type { LiveProcess } from './live-process.ts';
import { log } from './shim-log.ts';
import { markVariable, SingletonGuard, type SingletonGuardOptions } from './singleton-guard.ts';

/** From before it is started. */
export interface Singleton {
  /** To be in its environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly killAtBootMs: number;
  readonly mark: string;
}

export class Singletons {
  readonly #guard: SingletonGuard;
  readonly #marks = new Map<LiveProcess, string>();
  readonly #times = new KillTimes<LiveProcess>({
    kill: (process) => {
      log('killed, for it was not renewed in time', { pid: process.pid, name: process.record.name });
      process.leader.kill();
    },
  });

  constructor(options: Pick<SingletonGuardOptions, 'shell' | 'cover'>) {
    this.#guard = new SingletonGuard({ ...options, onLog: log });
  }

  /** It is about to be started. */
  expect(killAtBootMs: number): Singleton {
    const mark = randomBytes(16).toString('hex');
    this.#guard.set(mark, killAtBootMs);
    return { environment: { [markVariable]: mark }, killAtBootMs, mark };
  }

  /** There is none. */
  dismiss({ mark }: Singleton): void {
    this.#guard.end(mark);
  }

  begin({ mark, killAtBootMs }: Singleton, process: LiveProcess): void {
    this.#marks.set(process, mark);
    this.#guard.leads(mark, process.record.pid, process.record.start);
    this.#times.set(process, killAtBootMs);
  }

  /** Of others, and of what has ended, nothing. */
  prolong(process: LiveProcess, killAtBootMs: number): void {
    const mark = this.#marks.get(process);
    if (mark === undefined || process.exit !== undefined) return;
    this.#guard.set(mark, killAtBootMs);
    this.#times.set(process, killAtBootMs);
  }

  /** Before anybody is told. */
  ended(process: LiveProcess): void {
    const mark = this.#marks.get(process);
    if (mark === undefined) return;
    this.#marks.delete(process);
    this.#times.delete(process);
    process.leader.kill();
    killMarked(mark);
    this.#guard.end(mark);
  }
}

/** Those that have begun sessions of their own, and what they have started meanwhile. */
function killMarked(mark: string): void {
  const killed = new Set<number>();
  for (let before = -1; killed.size > before; ) {
    before = killed.size;
    for (const name of readdirSync('/proc')) {
      const pid = Number(name);
      if (!Number.isInteger(pid) || killed.has(pid) || !hasMark(pid, mark)) continue;
      killed.add(pid);
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended since.
      }
    }
  }
}

function hasMark(pid: number, mark: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(mark);
  } catch {
    // It has ended, or is another user's.
    return false;
  }
}
