/**
 * Has nsh-screen note a terminal's screen before the log loses its oldest part: one at a time, at low priority, and not again for the
 * same terminal within a while. Where it cannot keep up, the screen is computed from what is kept, and says that it is partial.
 */
import { spawn } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { programPath } from '../../src/cluster/programs.ts';
import { log } from './shim-log.ts';

const minIntervalMs = 2_000;
const deadlineMs = 30_000;

export class Checkpointer {
  /** Directories that wait, in order. */
  readonly #waiting = new Set<string>();
  readonly #lastAt = new Map<string, number>();
  #isRunning = false;

  request(directory: string): void {
    this.#waiting.add(directory);
    this.#next();
  }

  #next(): void {
    if (this.#isRunning) return;
    const now = Date.now();
    for (const directory of this.#waiting) {
      this.#waiting.delete(directory);
      if (now - (this.#lastAt.get(directory) ?? 0) < minIntervalMs) continue;
      this.#forgetOld(now);
      this.#lastAt.set(directory, now);
      this.#run(directory);
      return;
    }
  }

  #run(directory: string): void {
    this.#isRunning = true;
    const words = [programPath('nsh-screen'), '--dir', directory, '--checkpoint'];
    const child = spawn(process.execPath, words, {
      argv0: 'nsh-screen',
      cwd: '/',
      stdio: ['ignore', 'ignore', 'inherit'],
      timeout: deadlineMs,
      killSignal: 'SIGKILL',
    });
    lowerPriority(child.pid);
    let isDone = false;
    const done = (facts: Record<string, unknown> | undefined): void => {
      if (isDone) return;
      isDone = true;
      if (facts !== undefined) log('a checkpoint failed', { directory, ...facts });
      this.#isRunning = false;
      this.#next();
    };
    child.once('error', (error) => done({ error: error.message }));
    child.once('exit', (code, signal) => done(code === 0 ? undefined : { code, signal }));
  }

  #forgetOld(now: number): void {
    for (const [directory, at] of this.#lastAt) if (now - at >= minIntervalMs) this.#lastAt.delete(directory);
  }
}

function lowerPriority(pid: number | undefined): void {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_LOW);
  } catch {
    // It has ended already: nothing to slow down.
  }
}
