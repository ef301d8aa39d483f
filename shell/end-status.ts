/**
 * How this process ends. What a person's Ctrl-C has broken off ends by SIGINT itself, not with 130: a bash that waits for it leaves its loop
 * then, and only then.
 */
import { constants } from 'node:os';

let isInterrupted = false;

/** Ctrl-C has come for what runs. */
export function noteInterrupt(): void {
  isInterrupted = true;
}

/** Once nothing is left to do. */
export function endWith(status: number): void {
  process.exitCode = status;
  if (!isInterrupted || status !== 128 + constants.signals.SIGINT) return;
  process.once('exit', () => {
    process.removeAllListeners('SIGINT');
    process.kill(process.pid, 'SIGINT');
  });
}
