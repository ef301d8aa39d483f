/** Starts what ends in `&`: a session of its own with the state of the one that starts it, and no input. */
import { toNshError } from '../../src/protocol/errors.ts';
import { escapeLines } from '../escape.ts';
import type { JobStep } from '../language/steps.ts';
import type { StartedJob } from './jobs.ts';
import type { Session } from './session.ts';
import type { StepStreams } from './streams.ts';

/** Resolves when its first bash runs, whose id is the job's. */
export async function startJob(session: Session, step: JobStep): Promise<StartedJob> {
  const streams: StepStreams = { ...session.options.streams, stdin: 'null' };
  const copy = session.fork({ streams, isBackground: true });
  const first = new Promise<number>((resolve) => {
    copy.onStart = ({ pid }) => {
      resolve(pid ?? 0);
    };
  });
  const ended = copy.runStep(step.body, { streams, isLast: true, isCondition: false }).then(
    ({ status }) => status,
    (error: unknown) => {
      const known = toNshError(error);
      session.options.tell(escapeLines(known.message));
      return known.exitStatus;
    },
  );
  return {
    id: await Promise.race([first, ended.then(() => 0)]),
    ended,
    kill: (signal) => {
      copy.kill(signal);
    },
  };
}
