/** Runs one stage of a pipeline, in subshells that give nothing back but their statuses. */
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { NshError } from '../../src/protocol/errors.ts';
import { ptyWindowBytes } from '../../src/protocol/limits.ts';
import { fromByteText } from '../language/byte-text.ts';
import type { DirectLink } from './direct-feed.ts';
import { finalDriver } from './driver.ts';
import { readStageReport, stageDriver } from './stage-report.ts';
import { callBacksFor } from './step-call-backs.ts';
import type { ResolvedBash, ResolvedBuiltin, ResolvedStage } from './resolve-stages.ts';
import { givenText } from './given-text.ts';
import { plainStep } from './plain-step.ts';
import { renderRestore } from './restore.ts';
import type { BashEnd, BashRunner, InputSource, OutputTarget, PipelinePlace, RunningBash } from './runner.ts';
import type { Session } from './session.ts';
import { environmentOf } from './environment.ts';
import { copyTo, openBranch, type StepStreams, writerOf } from './streams.ts';

/** A frame or two. */
const minWindowBytes = 64 * 1024;

/** How a stage ended, or that it was stopped. */
export interface StageEnd {
  /** One for each stage as written. */
  readonly statuses: readonly number[];
  readonly stopped?: StoppedStage;
}

export interface StoppedStage {
  resume(where: 'foreground' | 'background'): Promise<StageEnd>;
}

/** A stage that runs. */
export interface StageHandle {
  /** Told of each bash of it that starts. */
  readonly onStart: (running: RunningBash) => void;
  /** Absent: it is alone, or nobody watches. */
  readonly place?: PipelinePlace;
  readonly readsFrom?: DirectLink | undefined;
  readonly writesTo?: DirectLink | undefined;
}

export async function runStage(
  session: Session,
  stage: ResolvedStage,
  streams: StepStreams,
  handle: StageHandle,
): Promise<StageEnd> {
  if (stage.kind === 'failed') return { statuses: [stage.status] };
  if (stage.kind === 'builtin') return { statuses: [await runBuiltin(session, stage, streams, handle)] };
  const [only] = stage.runners;
  if (only === undefined) return { statuses: [0] };
  if (stage.runners.length === 1) return await runSubshell(session, stage, only, streams, handle);
  return { statuses: await runMany(session, stage, streams, handle) };
}

async function runSubshell(
  session: Session,
  { text, line, width }: ResolvedBash,
  runner: BashRunner,
  streams: StepStreams,
  { onStart, place, readsFrom, writesTo, windowBytes }: StageHandle & { readonly windowBytes?: number },
): Promise<StageEnd> {
  const callBacks = callBacksFor(session, text, runner);
  // One stage alone says all by its status, and bash makes way for its program.
  const reports = (width > 1 || (session.isTimed && runner.node !== '')) && !text.endsWith('\\');
  const running = await runner.start({
    driver: reports ? stageDriver : finalDriver,
    name: session.name ?? 'bash',
    restore: renderRestore(session.subshellState(), runner.node, {
      text: givenText(session, text, runner),
      line: session.line + line,
      isClosed: false,
      isCondition: false,
      wantsFresh: false,
      isFinal: !reports,
      isStage: reports,
      prelude: callBacks.text,
    }),
    ...session.streamsFor(runner, streams),
    reports: reports ? 1 : 0,
    isBackground: session.options.isBackground === true,
    plain: () => plainStep(session.state, text, session.name ?? 'sh'),
    ...(place === undefined ? {} : { pipeline: place }),
    ...(readsFrom === undefined ? {} : { readsFrom }),
    ...(writesTo === undefined ? {} : { writesTo }),
    ...(windowBytes === undefined ? {} : { windowBytes }),
    ...(session.options.signal === undefined ? {} : { signal: session.options.signal }),
  });
  onStart(running);
  const toEnd = ({ status, stopped, report }: BashEnd): StageEnd => {
    const found = readStageReport(report, width);
    if (found !== undefined && runner.node !== '') session.addFarCpu(found.cpu);
    // Without a report the bash was broken off or stopped, and all that ran in it.
    const statuses = found?.statuses ?? Array.from({ length: width }, () => status);
    if (stopped === undefined) return { statuses };
    return { statuses, stopped: { resume: async (where) => toEnd(await stopped.resume(where)) } };
  };
  return toEnd(await session.follow(running));
}

/** Every node gets all of the input; the largest status counts, as for `nsh run`. */
async function runMany(
  session: Session,
  stage: ResolvedBash,
  streams: StepStreams,
  { onStart }: StageHandle,
): Promise<readonly number[]> {
  const { runners } = stage;
  const target = writerOf(streams.stdout, process.stdout);
  const folded = stage.folds === true ? session.options.nodes?.folded?.(target, runners) : undefined;
  const inputs: readonly InputSource[] =
    typeof streams.stdin === 'object' ? copyTo(streams.stdin, runners.length) : runners.map(() => 'null' as const);
  const statuses = await Promise.all(
    runners.map(async (runner, i) => {
      const stdout = folded?.writer(runner) ?? labelled(session, streams.stdout, process.stdout, runner, 'stdout');
      const stderr = labelled(session, streams.stderr, process.stderr, runner, 'stderr');
      const ends = { stdin: inputs[i] ?? 'null', stdout, stderr };
      try {
        const each = await runSubshell(session, stage, runner, ends, {
          onStart,
          ...shownWindow(session, streams, runners.length),
        });
        return each.statuses.at(-1) ?? 0;
      } catch (error) {
        // One node that fails does not keep the others' answers back.
        return session.tellFailure(error);
      } finally {
        await Promise.all([flush(stdout), flush(stderr)]);
      }
    }),
  );
  await folded?.finish();
  return [...Array.from({ length: stage.width - 1 }, () => 0), Math.max(...statuses)];
}

/** What many send to a terminal is no more in all than what one may: it is drawn slowly, and every line has its prefix besides. */
function shownWindow(session: Session, { stdout }: StepStreams, count: number): { readonly windowBytes?: number } {
  const isShown = session.options.isInteractive === true && stdout === 'inherit' && process.stdout.isTTY;
  return isShown ? { windowBytes: Math.max(minWindowBytes, Math.floor(ptyWindowBytes / count)) } : {};
}

/** Several writers on one stream: the first that ends must not end it for the others. */
function labelled(
  session: Session,
  target: OutputTarget,
  own: NodeJS.WriteStream,
  runner: BashRunner,
  stream: 'stdout' | 'stderr',
): Writable {
  const writer = writerOf(target, own);
  return session.options.nodes?.labelled?.(writer, runner, stream) ?? openBranch(writer);
}

/** Ends what one of several wrote through, and waits until it has been passed on. */
async function flush(branch: Writable): Promise<void> {
  if (branch.destroyed) return;
  branch.end();
  // Where its reader has gone there is nothing to wait for.
  await finished(branch).catch(() => undefined);
}

/** Signals that would end a program which does not expect them. */
const endSignals: ReadonlySet<string> = new Set(['INT', 'QUIT', 'TERM', 'HUP', 'KILL', 'PIPE']);

async function runBuiltin(
  session: Session,
  { name, args }: ResolvedBuiltin,
  streams: StepStreams,
  { onStart }: StageHandle,
): Promise<number> {
  const own = { stdout: writerOf(streams.stdout, process.stdout), stderr: writerOf(streams.stderr, process.stderr) };
  const abort = new AbortController();
  const end = (signal: string): void => {
    abort.abort(new NshError('cancelled', `ended by ${signal}`, { data: { signal } }));
  };
  const stop = (): void => end('SIGINT');
  session.options.signal?.addEventListener('abort', stop, { once: true });
  session.breakOffs.add(stop);
  try {
    const status = session.builtins.run(
      name,
      args.map(fromByteText),
      { stdin: readerOf(session.streamsFor(undefined, streams).stdin), ...own },
      { cwd: fromByteText(session.state.directory ?? ''), env: environmentOf(session.state), signal: abort.signal },
    );
    onStart({
      pid: undefined,
      ended: status.then((known) => ({ status: known, report: '' })),
      kill: (signal) => {
        if (endSignals.has(signal)) end(`SIG${signal}`);
      },
    });
    return await status;
  } finally {
    session.options.signal?.removeEventListener('abort', stop);
    session.breakOffs.delete(stop);
  }
}

function readerOf(source: InputSource): Readable {
  if (typeof source === 'object') return source;
  if (source === 'inherit') return process.stdin;
  const empty = new PassThrough();
  empty.end();
  return empty;
}
