/** Makes a job of a step that does not have the person's terminal any more: it was stopped, or left. */
import type { ByteText } from '../language/byte-text.ts';
import type { Job } from './jobs.ts';
import type { BashEnd, RunningBash, StoppedBash } from './runner.ts';
import type { Session } from './session.ts';

export interface LeftStep {
  readonly text: ByteText;
  readonly running: RunningBash;
  readonly stopped: StoppedBash;
  /** It has ended: takes over what it left. @returns its status. */
  readonly settle: (end: BashEnd) => number;
}

export function keepStopped(session: Session, { text, running, stopped, settle }: LeftStep): void {
  const job: Job = session.jobs.add(text, {
    id: running.pid ?? 0,
    control: stopped,
    kill: (signal) => running.kill(signal),
    settle: (end) => {
      const { status, pipeStatus, lastArgument } = session.state;
      const result = settle(end);
      // What ends in the background leaves `$?` alone.
      if (!job.isInForeground) session.state = { ...session.state, status, pipeStatus, lastArgument };
      return result;
    },
  });
}
