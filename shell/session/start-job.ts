/** Starts what ends in `&`. */
import { toNshError } from '../../src/protocol/errors.ts';
import { escapeLines } from '../escape.ts';
import type { ByteText } from '../language/byte-text.ts';
import { replaceLastJob } from '../language/last-job.ts';
import type { JobStep } from '../language/steps.ts';
import { finalDriver } from './driver.ts';
import type { StartedJob } from './jobs.ts';
import { resolveStages } from './resolve-stages.ts';
import { renderRestore } from './restore.ts';
import type { BashEnd, BashRunner } from './runner.ts';
import type { Session } from './session.ts';
import { callBacksFor } from './step-call-backs.ts';
import type { StepStreams } from './streams.ts';

export async function startJob(session: Session, step: JobStep): Promise<StartedJob> {
  return session.options.isInteractive === true ? await startLasting(session, step) : await startWithin(session, step);
}

/**
 * One process that goes on when the session ends: a bash with the state of the session. What is nsh's in it, and is not all of it, that bash
 * calls back.
 */
async function startLasting(session: Session, step: JobStep): Promise<StartedJob> {
  const { runner, text, line } = await placeJob(session, step);
  const { lastId } = session.jobs;
  const running = await runner.start({
    driver: finalDriver,
    name: session.name ?? 'bash',
    restore: renderRestore(session.subshellState(), runner.node, {
      text: lastId === undefined ? text : replaceLastJob(text, lastId),
      line: session.line + line,
      isClosed: false,
      isCondition: false,
      wantsFresh: false,
      isFinal: true,
      prelude: callBacksFor(session, text, runner).text,
    }),
    ...session.options.streams,
    text: step.text,
    reports: 0,
    isBackground: true,
    outlives: true,
  });
  return {
    id: running.pid ?? 0,
    running: running.ended,
    kill: (signal) => running.kill(signal),
    settle: ({ status }) => status,
    ...(running.control === undefined ? {} : { control: running.control }),
  };
}

interface PlacedJob {
  readonly runner: BashRunner;
  readonly text: ByteText;
  readonly line: number;
}

/** `@web1 cmd` runs on web1 itself; anything else on the session's node, or where call-backs are understood. */
async function placeJob(session: Session, { body, text, line }: JobStep): Promise<PlacedJob> {
  if (body.kind === 'bash') return { runner: session.current, text: body.text, line: body.line };
  const stages = body.kind === 'pipeline' && !body.isNegated && body.timed === undefined ? body.stages : [];
  const [only] = stages;
  if (stages.length === 1 && only?.kind === 'node') {
    const [resolved] = await resolveStages(session, [only]);
    const [runner, ...more] = resolved?.kind === 'bash' ? resolved.runners : [];
    if (runner !== undefined && more.length === 0) return { runner, text: only.text, line: only.line };
  }
  return { runner: session.options.runner, text, line };
}

/** A session of its own within this process, with the state of the one that starts it and no input. Resolves when its first bash runs. */
async function startWithin(session: Session, step: JobStep): Promise<StartedJob> {
  const streams: StepStreams = { ...session.options.streams, stdin: 'null' };
  const copy = session.fork({ streams, isBackground: true });
  const first = new Promise<number>((resolve) => {
    copy.onStart = ({ pid }) => {
      resolve(pid ?? 0);
    };
  });
  const ended = copy.runStep(step.body, { streams, isLast: true, isCondition: false }).then(
    ({ status }): BashEnd => ({ status, report: '' }),
    (error: unknown): BashEnd => {
      const known = toNshError(error);
      session.options.tell(escapeLines(known.message));
      return { status: known.exitStatus, report: '' };
    },
  );
  return {
    id: await Promise.race([first, ended.then(() => 0)]),
    running: ended,
    settle: ({ status }) => status,
    kill: (signal) => {
      copy.kill(signal);
    },
  };
}
