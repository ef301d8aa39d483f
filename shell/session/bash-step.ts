/** Runs one text in one bash, and takes what it changed back into the session. */
import { NshError } from '../../src/protocol/errors.ts';
import { escapeText } from '../escape.ts';
import { fromByteText } from '../language/byte-text.ts';
import type { BashStep } from '../language/steps.ts';
import { brokenRestore, driver, finalDriver } from './driver.ts';
import { givenText, givenTraps } from './given-text.ts';
import { keepStopped } from './keep-stopped.ts';
import { nodeText } from './naming.ts';
import { plainStep } from './plain-step.ts';
import type { Report } from './read-report.ts';
import { noDirectory, renderRestore, type Task } from './restore.ts';
import type { BashEnd, BashRunner } from './runner.ts';
import type { Session } from './session.ts';
import type { StepPlace, StepResult } from './session-options.ts';
import type { ShellState } from './shell-state.ts';
import { callBacksFor } from './step-call-backs.ts';
import { takeReport } from './take-report.ts';

/** Goes elsewhere, wherever it starts: what one types in a directory that has been removed. */
const leavesDirectory = /^\s*cd(?:\s*$|\s+[/~$"'])/;

/** What is known of a bash when it ends. */
interface EndedStep {
  readonly runner: BashRunner;
  readonly isOwn: boolean;
  readonly isFinal: boolean;
  readonly wantsFresh: boolean;
  /** Functions of nsh's own. */
  readonly hidden: ReadonlySet<string>;
  /** The session as it was given to it. */
  readonly given: ShellState;
}

/** @throws NshError where the bash cannot be started or its link is lost. */
export async function runBashStep(
  session: Session,
  step: BashStep,
  place: StepPlace,
  runner: BashRunner,
): Promise<StepResult> {
  const { options } = session;
  const isOwn = runner === session.current;
  const isFinal = place.isLast && isOwn;
  const wantsFresh = !isFinal && !session.fresh.has(runner.node);
  // One bash for all: it is the shell.
  const isOnly = isFinal && !session.hasBegun;
  session.hasBegun = true;
  const callBacks = callBacksFor(session, step.text, runner);
  const task: Task = {
    text: isOnly ? step.text : givenText(session, step.text, runner),
    line: session.line + step.line,
    isClosed: step.isClosed && !isFinal,
    isCondition: place.isCondition,
    wantsFresh,
    isFinal,
    reportsExit: options.isInteractive === true && !isFinal,
    prelude: callBacks.text,
  };
  const running = await runner.start({
    driver: isFinal ? finalDriver : driver,
    name: session.name ?? 'bash',
    restore: renderRestore({ ...session.state, traps: givenTraps(session, runner) }, runner.node, task),
    ...session.streamsFor(runner, place.streams),
    reports: isFinal ? 0 : wantsFresh ? 2 : 1,
    isBackground: options.isBackground === true,
    plain: () => plainStep(session.state, step.text, session.name ?? 'sh'),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  const given = session.state;
  const settle = (end: BashEnd): StepResult =>
    settleStep(session, end, { runner, isOwn, isFinal, wantsFresh, hidden: callBacks.names, given });
  const end = await session.follow(running);
  if (isOwn && end.report.endsWith(`${noDirectory}\0`) && leavesDirectory.test(step.text)) {
    session.state = { ...session.state, directory: undefined };
    return await runBashStep(session, step, place, runner);
  }
  if (running.plainOn !== undefined && end.stopped === undefined) {
    session.setStatus(end.status);
    return { status: end.status, isOver: isFinal };
  }
  if (end.stopped === undefined) return settle(end);
  const { stopped } = end;
  const text = step.title ?? step.text;
  keepStopped(session, { text, running, stopped, settle: (later) => settle(later).status });
  session.setStatus(end.status);
  return { status: end.status, isOver: false };
}

/** What a bash has left, into the session. */
function settleStep(
  session: Session,
  end: BashEnd,
  { runner, isOwn, isFinal, wantsFresh, hidden, given }: EndedStep,
): StepResult {
  if (end.report.endsWith(`${brokenRestore}\0`)) {
    throw new NshError('internal', `${nodeText(runner.node)}bash cannot read the session's state`);
  }
  if (end.report.endsWith(`${noDirectory}\0`)) return failDirectory(session, runner);
  if (isFinal) {
    session.trapsRan = true;
    session.setStatus(end.status);
    return { status: end.status, isOver: true };
  }
  const report = takeReport(session, end.report, { runner, wantsFresh, hidden, given });
  // A driver that comes to its end ends with 0: any other status tells what broke it off.
  if (report === undefined || end.status !== 0) session.setStatus(end.status);
  const { status } = session.state;
  if (!isOwn || !isEnd(session, report)) return { status, isOver: false };
  // Without a report bash has run the EXIT trap itself.
  session.trapsRan = report === undefined;
  return { status, isOver: true };
}

/** @param report undefined: the bash did not come to its end, nor say why. */
function isEnd({ options, state }: Session, report: Report | undefined): boolean {
  if (report === undefined) return options.isInteractive !== true || (state.traps.get('EXIT') ?? '') !== '';
  if (report.endedBy === undefined) return false;
  return report.endedBy === 'exit' || state.options.get('errexit') === true;
}

function failDirectory(session: Session, { node }: BashRunner): StepResult {
  // In one row, whatever a node has given back as its name.
  const directory = escapeText(fromByteText(session.state.directory ?? ''));
  session.options.tell(`${nodeText(node)}${directory}: no such directory; cd to another one`);
  // Elsewhere the session is as it was; here it could do nothing at all unless it starts anew.
  if (node === session.current.node) session.state = { ...session.state, directory: undefined };
  session.setStatus(126);
  return { status: 126, isOver: false };
}
