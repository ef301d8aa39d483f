/**
 * Runs a pipeline in which something is nsh's: stages on nodes, builtins in this process, bash between, joined by streams. Statuses are bash's: PIPESTATUS has one for
 * each stage as written, `pipefail`, `!` and `time` mean what they mean there.
 */
import { fromByteText } from '../language/byte-text.ts';
import type { PipelineStep } from '../language/steps.ts';
import { programOf } from '../language/program-of.ts';
import { mergeStages, type ResolvedStage, resolveStages } from './resolve-stages.ts';
import { cpuSince } from './cpu-times.ts';
import type { Session, StepPlace, StepResult } from './session.ts';
import { runStage, type StageEnd, type StoppedStage } from './run-stage.ts';
import { DirectLink } from './direct-feed.ts';
import type { BashEnd, BashRunner, PipelinePlace } from './runner.ts';
import { StageGroup } from './stage-group.ts';
import { openPipe, type StepStreams } from './streams.ts';
import { formatTimes } from './times.ts';

export async function runPipeline(session: Session, step: PipelineStep, place: StepPlace): Promise<StepResult> {
  const before = performance.now();
  const cpuBefore = session.cpu;
  session.isTimed = step.timed !== undefined;
  const statuses = await runStages(session, step, place);
  if (step.timed !== undefined) {
    const seconds = (performance.now() - before) / 1000;
    const format = session.state.variables.get('TIMEFORMAT')?.value;
    session.write(
      'stderr',
      formatTimes(
        seconds,
        cpuSince(cpuBefore, session.cpu),
        step.timed,
        typeof format === 'string' ? format : undefined,
      ),
    );
  }
  // A single bash has set everything itself.
  if (typeof statuses !== 'number') {
    const failed = statuses.findLast((each) => each !== 0) ?? 0;
    const last = statuses.at(-1) ?? 0;
    session.setStatus(session.state.options.get('pipefail') === true ? failed : last, statuses);
  }
  if (step.isNegated) session.setStatus(session.state.status === 0 ? 1 : 0, session.state.pipeStatus);
  return { status: session.state.status, isOver: session.isOver };
}

/** A number alone: one bash ran it all, and the session has taken over what it left. */
async function runStages(session: Session, step: PipelineStep, place: StepPlace): Promise<number | readonly number[]> {
  let stages: readonly ResolvedStage[];
  try {
    stages = mergeStages(await resolveStages(session, step.stages));
  } catch (error) {
    const status = session.tellFailure(error);
    return step.stages.map(() => status);
  }
  const [only] = stages;
  if (stages.length === 1 && only?.kind === 'bash' && only.runners.length === 1) {
    const [runner] = only.runners;
    const isClosed = !only.text.endsWith('\\');
    const text = { kind: 'bash', text: only.text, title: step.text, line: only.line, isClosed } as const;
    const isCondition = place.isCondition || step.isNegated;
    const result = await session.runBash(text, { ...place, isLast: false, isCondition }, runner);
    session.isOver = result.isOver;
    return result.status;
  }
  return await joinStages(session, stages, step, place.streams);
}

async function joinStages(
  session: Session,
  stages: readonly ResolvedStage[],
  step: PipelineStep,
  outer: StepStreams,
): Promise<readonly number[]> {
  const group = new StageGroup();
  const beginsAtTerminal = readsTerminal(stages[0], outer);
  const key = {};
  let input = outer.stdin;
  let direct: DirectLink | undefined;
  for (const [i, stage] of stages.entries()) {
    const isEnd = i === stages.length - 1;
    const pipe = isEnd ? undefined : openPipe();
    const stdout = pipe ?? outer.stdout;
    const stderr = stage.pipesStderr ? stdout : outer.stderr;
    const place =
      session.options.isInteractive === true ? placeOf(stage, { key, index: i, beginsAtTerminal }) : undefined;
    const source = input;
    const readsFrom = direct;
    const writesTo = linkBetween(stage, stages[i + 1]);
    direct = writesTo;
    group.add(
      (onStart) =>
        runStage(
          session,
          stage,
          { stdin: source, stdout, stderr },
          { onStart, readsFrom, writesTo, ...(place === undefined ? {} : { place }) },
        )
          .catch((error: unknown) => {
            const status = session.tellFailure(error);
            return { statuses: Array.from({ length: stage.width }, () => status) };
          })
          .finally(() => readsFrom?.announce(undefined)),
      () => {
        // Behind it nothing more comes; before it nobody reads any more.
        pipe?.end();
        if (typeof source === 'object' && source !== outer.stdin) source.destroy();
      },
    );
    input = pipe ?? 'null';
  }
  session.groups.add(group);
  const end = await group.settled().finally(() => session.groups.delete(group));
  if (end.stopped !== undefined) keepStopped(session, step, group, end.stopped);
  return end.statuses;
}

function placeOf(stage: ResolvedStage, place: Omit<PipelinePlace, 'program'>): PipelinePlace | undefined {
  return stage.kind === 'bash' ? { ...place, program: programOf(fromByteText(stage.text)) } : undefined;
}

/** Two bashes on two other nodes need not have this machine between them. */
function linkBetween(stage: ResolvedStage, next: ResolvedStage | undefined): DirectLink | undefined {
  const [from, to] = [farRunner(stage), next === undefined ? undefined : farRunner(next)];
  const isApart = from !== undefined && to !== undefined && from.node !== to.node;
  return isApart && !stage.pipesStderr ? new DirectLink() : undefined;
}

function farRunner(stage: ResolvedStage): BashRunner | undefined {
  if (stage.kind !== 'bash' || stage.runners.length !== 1) return undefined;
  const [only] = stage.runners;
  return only?.isFar === true ? only : undefined;
}

function readsTerminal(first: ResolvedStage | undefined, { stdin }: StepStreams): boolean {
  return stdin === 'inherit' && first?.kind === 'bash' && first.runners.length === 1;
}

/** Ctrl-Z has stopped it: it is a job now. */
function keepStopped(session: Session, step: PipelineStep, group: StageGroup, stopped: StoppedStage): void {
  const toBashEnd = ({ statuses, stopped: again }: StageEnd): BashEnd => ({
    status: statuses.at(-1) ?? 0,
    report: '',
    ...(again === undefined ? {} : { stopped: { resume: async (where) => toBashEnd(await again.resume(where)) } }),
  });
  session.jobs.add(step.text, {
    id: group.pid,
    control: { resume: async (where) => toBashEnd(await stopped.resume(where)) },
    kill: (signal) => group.kill(signal),
    settle: ({ status }) => status,
  });
}
