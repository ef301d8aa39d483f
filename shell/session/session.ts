/**
 * A session: lines in, bashes started one after the other, and between them the state that makes them one shell (shell-state.ts).
 * Steps come from language/cut.ts; who runs a bash is a BashRunner's matter; pipelines with nodes and builtins are pipeline.ts's.
 */
import { writeSync } from 'node:fs';
import { NshError, toNshError } from '../../src/protocol/errors.ts';
import { escapeLines } from '../escape.ts';
import { type ByteText, fromByteText } from '../language/byte-text.ts';
import { hasCommandWord } from '../language/call-back.ts';
import { cutScript } from '../language/cut.ts';
import { replaceLastJob } from '../language/last-job.ts';
import type { Surroundings } from '../language/nsh-words.ts';
import { faultOf, parseScript } from '../language/script-tree.ts';
import type { BashStep, JobStep, ListStep, Step } from '../language/steps.ts';
import { describeFault } from '../language/syntax-error.ts';
import { MalformedState } from './byte-cursor.ts';
import { noBuiltins, type SessionBuiltins } from './builtins.ts';
import { type CallBackProgram, isCallBack } from './call-backs.ts';
import { callBacksFor } from './step-call-backs.ts';
import { brokenRestore, driver, exitTrap, finalDriver } from './driver.ts';
import { startJob } from './start-job.ts';
import { JobTable } from './jobs.ts';
import { nodeText, without } from './naming.ts';
import { withMoving } from './move.ts';
import { jobBuiltins } from './job-builtins.ts';
import { runPipeline } from './pipeline.ts';
import { readReport, type Report } from './read-report.ts';
import { noDirectory, renderRestore, type Task } from './restore.ts';
import type { BashEnd, BashRunner, NodeRunners, RunningBash } from './runner.ts';
import { absorb, freshState, type ShellState } from './shell-state.ts';
import type { Snapshot } from './snapshot.ts';
import type { StepStreams } from './streams.ts';

export interface SessionOptions {
  /** The machine the session starts on. */
  readonly runner: BashRunner;
  /** Absent: nodeset words are refused. */
  readonly nodes?: NodeRunners;
  readonly builtins?: SessionBuiltins;
  /** `$0`, which bash puts before its messages; default `bash`. */
  readonly name?: string;
  readonly positional?: readonly ByteText[];
  readonly streams: StepStreams;
  /** How bash calls nsh back. Absent: what is nested in compound commands is bash's alone. */
  readonly callBack?: CallBackProgram;
  /** A line of nsh's own on stderr. */
  tell(message: string): void;
  /** Who keeps what ends in `&`; default nsh. */
  readonly jobsAre?: 'nsh' | 'bash';
  /** A person is at it: aliases are expanded, and of what ends a bash only `exit` and `set -e` end the session. */
  readonly isInteractive?: boolean;
  /** The script itself comes by stdin: nodes and builtins get none of it, or the first would swallow the rest. Bash reads with care. */
  readonly inputIsScript?: boolean;
  /** It is a job of another session: its processes are in groups of their own. */
  readonly isBackground?: boolean;
  /** Fires when the session is to break off. */
  readonly signal?: AbortSignal;
}

export interface StepResult {
  readonly status: number;
  /** The shell has ended: `exit`, `set -e`, a fatal error. */
  readonly isOver: boolean;
}

/** What is known of a bash when it ends. */
interface EndedStep {
  readonly runner: BashRunner;
  readonly isOwn: boolean;
  readonly isFinal: boolean;
  readonly wantsFresh: boolean;
  /** Functions of nsh's own. */
  readonly hidden: ReadonlySet<string>;
}

/** How a step stands in the script. */
export interface StepPlace {
  readonly streams: StepStreams;
  /** Nothing comes after it in this session. */
  readonly isLast: boolean;
  /** A failure is asked for, by `&&`, `||` or `!`, and ends nothing. */
  readonly isCondition: boolean;
}

export class Session {
  state: ShellState;
  /** Lines that were run before, so that LINENO goes on. */
  line = 0;
  /** The machine that steps without `@` run on. */
  current: BashRunner;
  readonly options: SessionOptions;
  readonly jobs = new JobTable();
  readonly builtins: SessionBuiltins;
  private readonly fresh = new Map<string, Snapshot>();
  private readonly told = new Set<string>();
  /** What runs in the foreground; signals go there. */
  private readonly running = new Set<RunningBash>();
  /** The shell has ended inside a pipeline. */
  isOver = false;
  /** A bash has run the EXIT trap, or there is nothing left to run. */
  private trapsRan = false;
  private isInterrupted = false;
  /** Told of each bash that starts. */
  onStart: ((running: RunningBash) => void) | undefined;

  constructor(options: SessionOptions) {
    this.options = options;
    this.current = options.runner;
    const fresh = freshState(options.positional ?? []);
    this.state = options.isInteractive === true ? { ...fresh, shopts: new Map([['expand_aliases', true]]) } : fresh;
    this.builtins = withMoving(this, jobBuiltins(this.jobs, options.builtins ?? noBuiltins));
  }

  get surroundings(): Surroundings {
    const { functions, aliases } = this.state;
    return {
      builtins: this.builtins.names,
      isDefined: (name) => functions.get(name) !== undefined || aliases.get(name) !== undefined,
      hasJobs: !this.jobs.isEmpty,
      jobsAre: this.options.jobsAre ?? 'nsh',
    };
  }

  /** Runs complete commands. @param isLast the session ends with them; then `close` is called nevertheless. */
  async run(source: ByteText, isLast = false): Promise<StepResult> {
    const steps = this.plan(source);
    const lines = source.split('\n').length - (source.endsWith('\n') ? 1 : 0);
    if (steps === undefined) return { status: this.state.status, isOver: false };
    const { streams } = this.options;
    this.isInterrupted = false;
    for (const [i, step] of steps.entries()) {
      const place = { streams, isLast: isLast && i === steps.length - 1, isCondition: false };
      const result = await this.runStep(step, place);
      if (result.isOver) return result;
      if (this.isInterrupted && result.status > 128)
        return { status: result.status, isOver: this.options.isInteractive !== true };
    }
    this.line += lines;
    return { status: this.state.status, isOver: false };
  }

  /** Runs the EXIT trap where none has. @returns the status of the session. */
  async close(): Promise<number> {
    const { status, traps } = this.state;
    if (this.trapsRan || (traps.get('EXIT') ?? '') === '') return status;
    const step: BashStep = { kind: 'bash', text: `\\builtin exit ${status}`, line: 0, isClosed: false };
    const result = await this.runBash(step, { streams: this.options.streams, isLast: true, isCondition: false });
    return result.status;
  }

  /** Signals what runs in the foreground. */
  kill(signal: string): void {
    for (const each of this.running) each.kill(signal);
  }

  /** A signal of the terminal's keys: to what it does not reach by itself; what was to come after does not. */
  interrupt(signal: string): void {
    this.isInterrupted = true;
    for (const each of this.running) if (each.isInOwnGroup !== true) each.kill(signal);
  }

  /** Begins as another bash is: `report` is what that printed of its state. */
  async adopt(report: ByteText): Promise<void> {
    await this.run(':');
    const found = readReport(report, false);
    const fresh = this.fresh.get(this.current.node);
    if (found === undefined || fresh === undefined) return;
    const functions = new Map([...found.after.functions].filter(([name, each]) => !isCallBack(name, each)));
    const after = { ...found.after, functions, traps: new Map(), positional: [] };
    this.state = absorb(this.state, after, { node: this.current.node, isCurrent: true, fresh });
    this.line = 0;
  }

  /** Counts a bash among what runs in the foreground until it ends. */
  async follow(running: RunningBash): Promise<BashEnd> {
    this.running.add(running);
    this.onStart?.(running);
    return await running.ended.finally(() => this.running.delete(running));
  }

  /** Subshells run no trap but those that ignore, and their shell has no EXIT of its own. */
  subshellState(): ShellState {
    return { ...this.state, traps: new Map([...this.state.traps].filter(([, action]) => action === '')) };
  }

  /** @param runner undefined: this process. */
  streamsFor(runner: BashRunner | undefined, streams: StepStreams): StepStreams {
    const isBash = runner === this.options.runner;
    const isScript = this.options.inputIsScript === true && streams.stdin === 'inherit';
    return isScript && !isBash ? { ...streams, stdin: 'null' } : streams;
  }

  write(stream: 'stdout' | 'stderr', text: string): void {
    const target = this.options.streams[stream];
    if (target === 'inherit') process[stream].write(text);
    else if (typeof target === 'number') writeSync(target, text);
    else if (target !== 'null') target.write(text);
  }

  /** Undefined: a syntax error, which was told. */
  plan(source: ByteText, around = this.surroundings): readonly Step[] | undefined {
    const tree = parseScript(source);
    const fault = faultOf(tree);
    if (fault === undefined) return cutScript(source, around, tree);
    if (hasCommandWord(source, this.builtins.names)) {
      this.options.tell(describeFault(source, fault, this.line));
      this.setStatus(2);
      return undefined;
    }
    // Bash may read what our parser does not, and says better what is wrong with its own.
    return [{ kind: 'bash', text: source, line: 0, isClosed: false }];
  }

  async runStep(step: Step, place: StepPlace): Promise<StepResult> {
    if (step.kind === 'bash') return await this.runBash(step, place);
    if (step.kind === 'list') return await this.runList(step, place);
    if (step.kind === 'job') return await this.runJob(step);
    return this.checkErrexit(await runPipeline(this, step, place), place, step.isNegated);
  }

  private async runList({ items }: ListStep, place: StepPlace): Promise<StepResult> {
    let result: StepResult = { status: this.state.status, isOver: false };
    for (const [i, { operator, step }] of items.entries()) {
      const wanted = operator === undefined || (operator === '&&') === (result.status === 0);
      if (!wanted) continue;
      const isEnd = i === items.length - 1;
      result = await this.runStep(step, {
        ...place,
        isLast: place.isLast && isEnd,
        isCondition: place.isCondition || !isEnd,
      });
      if (result.isOver) return result;
    }
    return result;
  }

  /** What ends in `&` gives nothing back but its status, later. */
  private async runJob(step: JobStep): Promise<StepResult> {
    this.jobs.add(step.text, await startJob(this, step));
    this.setStatus(0);
    return { status: 0, isOver: false };
  }

  /** Another session that begins as this one is now. */
  fork(options: Partial<SessionOptions>): Session {
    const copy = new Session({ ...this.options, runner: this.current, ...options });
    copy.state = this.subshellState();
    copy.line = this.line;
    return copy;
  }

  private checkErrexit(result: StepResult, { isCondition }: StepPlace, isNegated: boolean): StepResult {
    const ends = result.status !== 0 && !isCondition && !isNegated && this.state.options.get('errexit') === true;
    return ends ? { ...result, isOver: true } : result;
  }

  setStatus(status: number, pipeStatus: readonly number[] = [status]): void {
    this.state = { ...this.state, status, pipeStatus };
  }

  /** One text in one bash, and what it changed back into the session. @param runner default: the session's current node. */
  async runBash(step: BashStep, place: StepPlace, runner = this.current): Promise<StepResult> {
    try {
      return await this.tryBash(step, place, runner);
    } catch (error) {
      const known = toNshError(error);
      this.options.tell(escapeLines(known.message));
      this.setStatus(known.exitStatus);
      return { status: known.exitStatus, isOver: false };
    }
  }

  private async tryBash(step: BashStep, place: StepPlace, runner: BashRunner): Promise<StepResult> {
    const isOwn = runner === this.current;
    const isFinal = place.isLast && isOwn;
    const wantsFresh = !isFinal && !this.fresh.has(runner.node);
    const callBacks = callBacksFor(this, step.text);
    const task: Task = {
      text: this.jobs.lastId === undefined ? step.text : replaceLastJob(step.text, this.jobs.lastId),
      line: this.line + step.line,
      isClosed: step.isClosed && !isFinal,
      isCondition: place.isCondition,
      wantsFresh,
      isFinal,
      reportsExit: this.options.isInteractive === true && !isFinal,
      prelude: callBacks.text,
    };
    const running = await runner.start({
      driver: isFinal ? finalDriver : driver,
      name: this.options.name ?? 'bash',
      restore: renderRestore(this.state, runner.node, task),
      ...this.streamsFor(runner, place.streams),
      reports: isFinal ? 0 : wantsFresh ? 2 : 1,
      isBackground: this.options.isBackground === true,
      ...(this.options.signal === undefined ? {} : { signal: this.options.signal }),
    });
    const settle = (end: BashEnd): StepResult =>
      this.settle(end, { runner, isOwn, isFinal, wantsFresh, hidden: callBacks.names });
    const end = await this.follow(running);
    if (end.stopped === undefined) return settle(end);
    this.jobs.addStopped(step.text, {
      id: running.pid ?? 0,
      stopped: end.stopped,
      kill: (signal) => {
        running.kill(signal);
      },
      settle: (later) => settle(later).status,
    });
    this.setStatus(end.status);
    return { status: end.status, isOver: false };
  }

  /** What a bash has left, into the session. */
  private settle(end: BashEnd, { runner, isOwn, isFinal, wantsFresh, hidden }: EndedStep): StepResult {
    if (end.report.endsWith(`${brokenRestore}\0`)) {
      throw new NshError('internal', `${nodeText(runner.node)}bash cannot read the session's state`);
    }
    if (end.report.endsWith(`${noDirectory}\0`)) return this.failDirectory(runner);
    if (isFinal) {
      this.trapsRan = true;
      this.setStatus(end.status);
      return { status: end.status, isOver: true };
    }
    const report = this.takeReport(end.report, wantsFresh, runner, hidden);
    // A driver that comes to its end ends with 0: any other status tells what broke it off.
    if (report === undefined || end.status !== 0) this.setStatus(end.status);
    if (!isOwn || !this.isEnd(report)) return { status: this.state.status, isOver: false };
    // Without a report bash has run the EXIT trap itself.
    this.trapsRan = report === undefined;
    return { status: this.state.status, isOver: true };
  }

  /** @param report undefined: the bash did not come to its end, nor say why. */
  private isEnd(report: Report | undefined): boolean {
    if (report === undefined) return this.options.isInteractive !== true || (this.state.traps.get('EXIT') ?? '') !== '';
    if (report.endedBy === undefined) return false;
    return report.endedBy === 'exit' || this.state.options.get('errexit') === true;
  }

  /** Whether a bash on the session's node is to report first what it starts with. */
  get wantsFresh(): boolean {
    return !this.fresh.has(this.current.node);
  }

  /** Takes over what a bash on the session's node reports. @returns false where it came to no end of its own: then the shell has ended. */
  takeFrom({ report, status }: BashEnd, wantsFresh: boolean): boolean {
    if (this.takeReport(report, wantsFresh, this.current, new Set()) !== undefined) return true;
    this.setStatus(status);
    this.trapsRan = true;
    return false;
  }

  /** @returns undefined where there is none: the bash did not come to its end. */
  private takeReport(
    text: ByteText,
    wantsFresh: boolean,
    runner: BashRunner,
    hidden: ReadonlySet<string>,
  ): Report | undefined {
    const { node } = runner;
    try {
      const report = readReport(text, wantsFresh);
      if (report === undefined) return undefined;
      if (report.fresh !== undefined) this.fresh.set(node, report.fresh);
      const fresh = this.fresh.get(node);
      if (fresh === undefined) return undefined;
      for (const reason of report.refused)
        this.tellOnce(`${nodeText(node)}dropped from the session's state: ${reason}`);
      const { functions, traps } = report.after;
      const ownTraps = new Map([...traps].filter(([, action]) => action !== exitTrap));
      const after = { ...report.after, functions: without(functions, hidden), traps: ownTraps };
      this.state = absorb(this.state, after, { node, isCurrent: runner === this.current, fresh });
      return report;
    } catch (error) {
      if (!(error instanceof MalformedState)) throw error;
      this.tellOnce(`${nodeText(node)}the session's state was not taken back: ${error.message}`);
      return undefined;
    }
  }

  private failDirectory({ node }: BashRunner): StepResult {
    const directory = fromByteText(this.state.directory ?? '');
    this.options.tell(`${nodeText(node)}${directory}: no such directory; cd to another one`);
    // Elsewhere the session is as it was; here it could do nothing at all unless it starts anew.
    if (node === this.current.node) this.state = { ...this.state, directory: undefined };
    this.setStatus(126);
    return { status: 126, isOver: false };
  }

  tellOnce(message: string): void {
    if (this.told.has(message)) return;
    this.told.add(message);
    this.options.tell(message);
  }
}
