/**
 * A session: lines in, bashes started one after the other, and between them the state that makes them one shell (shell-state.ts).
 * Steps come from language/cut.ts; one text in one bash is bash-step.ts's; who runs a bash is a BashRunner's matter; pipelines with nodes and builtins are pipeline.ts's.
 */
import { writeSync } from 'node:fs';
import { constants } from 'node:os';
import { toNshError } from '../../src/protocol/errors.ts';
import { escapeLines } from '../escape.ts';
import { signalStatus } from '../signal-status.ts';
import type { ByteText } from '../language/byte-text.ts';
import { hasCommandWord } from '../language/call-back.ts';
import { asWritten } from '../language/compounds.ts';
import { cutScript } from '../language/cut.ts';
import type { Surroundings } from '../language/nsh-words.ts';
import { readScript } from '../language/script-tree.ts';
import type { BashStep, JobStep, ListStep, Step } from '../language/steps.ts';
import { describeFault } from '../language/syntax-error.ts';
import { runBashStep } from './bash-step.ts';
import { noBuiltins, type SessionBuiltins } from './builtins.ts';
import { isCallBack } from './call-backs.ts';
import { jobBuiltins } from './job-builtins.ts';
import { JobTable } from './jobs.ts';
import { withHelp } from './builtin-help.ts';
import { addCpu, type CpuTimes, noCpu, ownCpu } from './cpu-times.ts';
import { withMoving } from './move.ts';
import { plainNotice } from './plain-step.ts';
import { runPipeline } from './pipeline.ts';
import { readReport } from './read-report.ts';
import type { BashEnd, BashRunner, RunningBash } from './runner.ts';
import type { StageGroup } from './stage-group.ts';
import type { SessionOptions, StepPlace, StepResult } from './session-options.ts';
import { absorb, freshState, type ShellState } from './shell-state.ts';
import type { Snapshot } from './snapshot.ts';
import { startJob } from './start-job.ts';
import type { StepStreams } from './streams.ts';
import { takeReport } from './take-report.ts';

export type { SessionOptions, StepPlace, StepResult } from './session-options.ts';

/** 128 + SIGINT. */
const interruptedStatus = 128 + constants.signals.SIGINT;

export class Session {
  state: ShellState;
  /** Lines that were run before, so that LINENO goes on. */
  line = 0;
  /** The machine that steps without `@` run on. */
  current: BashRunner;
  readonly options: SessionOptions;
  readonly jobs = new JobTable();
  readonly builtins: SessionBuiltins;
  /** What a bash starts with, by the node it runs on. */
  readonly fresh = new Map<string, Snapshot>();
  private readonly told = new Set<string>();
  /** What runs in the foreground; signals go there. */
  private readonly running = new Set<RunningBash>();
  /** Builtins in the foreground, to be broken off. */
  readonly breakOffs = new Set<() => void>();
  /** Pipelines in the foreground. */
  readonly groups = new Set<StageGroup>();
  /** The shell has ended inside a pipeline. */
  isOver = false;
  /** A bash has run the EXIT trap, or there is nothing left to run. */
  trapsRan = false;
  private isInterrupted = false;
  /** A Ctrl-C came when nothing ran that could have ended by it. */
  private isCalledOff = false;
  /** `$0`, which stands before what bash says of an error. */
  name: string | undefined;
  /** `$$` */
  shellId = process.pid;
  /** `time` stands before the pipeline that runs. */
  isTimed = false;
  /** A bash was started for it. */
  hasBegun = false;
  /** What ran on nodes has taken there, as far as they told. */
  farCpu: CpuTimes = noCpu;
  /** Told of each bash that starts. */
  onStart: ((running: RunningBash) => void) | undefined;

  constructor(options: SessionOptions) {
    this.options = options;
    this.name = options.name;
    this.current = options.runner;
    const fresh = { ...freshState(options.positional ?? []), secondsFrom: Math.floor(Date.now() / 1000) };
    this.state = options.isInteractive === true ? { ...fresh, shopts: new Map([['expand_aliases', true]]) } : fresh;
    this.builtins = withHelp(withMoving(this, jobBuiltins(this.jobs, options.builtins ?? noBuiltins)));
  }

  /** All that the session has taken until now, here and on nodes. */
  get cpu(): CpuTimes {
    return addCpu(ownCpu(), this.farCpu);
  }

  get surroundings(): Surroundings {
    const { functions, aliases } = this.state;
    return {
      builtins: this.builtins.names,
      isDefined: (name) => functions.get(name) !== undefined || aliases.get(name) !== undefined,
      hasJobs: !this.jobs.isEmpty,
      isInteractive: this.options.isInteractive === true,
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
    this.isCalledOff = false;
    for (const [i, step] of steps.entries()) {
      if (i > 0 && (await this.#hasBeenCalledOff())) return this.#callOff();
      const place = { streams, isLast: isLast && i === steps.length - 1, isCondition: false };
      const result = await this.runStep(step, place);
      if (result.isOver) return result;
      if ((this.isInterrupted && result.status > 128) || this.#isBrokenOff(result))
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

  async #hasBeenCalledOff(): Promise<boolean> {
    return this.isCalledOff || (await this.options.takeInterrupt?.()) === true;
  }

  /** As where a signal has ended what ran. */
  #callOff(): StepResult {
    this.setStatus(interruptedStatus);
    return { status: interruptedStatus, isOver: this.options.isInteractive !== true };
  }

  /** A person's Ctrl-C has reached a step by its own terminal: what was to come after it does not. */
  #isBrokenOff({ status }: StepResult): boolean {
    return this.options.isInteractive === true && status === interruptedStatus;
  }

  /** Ctrl-Z that reached nothing but this process: the pipelines in the foreground are stopped. */
  suspend(): void {
    for (const group of this.groups) group.suspend();
  }

  /** A signal of the terminal's keys: to what it does not reach by itself; what was to come after does not. */
  interrupt(signal: string): void {
    this.isInterrupted = true;
    if (signal === 'INT' && this.running.size === 0 && this.breakOffs.size === 0) this.isCalledOff = true;
    for (const each of this.running) if (each.isInOwnGroup !== true) each.kill(signal);
    if (signal === 'INT') for (const breakOff of this.breakOffs) breakOff();
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
    if (running.plainOn !== undefined) this.tellOnce(plainNotice(running.plainOn));
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
    const { text, tree, written, fault } = readScript(source);
    if (fault === undefined) {
      return cutScript(text, around, tree).map((step) =>
        step.kind === 'job' ? { ...step, text: asWritten(step.text, written) } : step,
      );
    }
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
      if (i > 0 && (this.#isBrokenOff(result) || (await this.#hasBeenCalledOff()))) return this.#callOff();
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
    const started = await startJob(this, step);
    const job = this.jobs.add(step.text, started);
    this.jobs.onStarted?.(job);
    this.jobs.lastId = started.id;
    this.setStatus(0);
    return { status: 0, isOver: false };
  }

  /** Another session that begins as this one is now. */
  fork(options: Partial<SessionOptions>): Session {
    const copy = new Session({ ...this.options, runner: this.current, ...options });
    copy.state = this.subshellState();
    copy.line = this.line;
    copy.shellId = this.shellId;
    copy.hasBegun = true;
    return copy;
  }

  private checkErrexit(result: StepResult, { isCondition }: StepPlace, isNegated: boolean): StepResult {
    const ends = result.status !== 0 && !isCondition && !isNegated && this.state.options.get('errexit') === true;
    return ends ? { ...result, isOver: true } : result;
  }

  addFarCpu(taken: CpuTimes): void {
    this.farCpu = addCpu(this.farCpu, taken);
  }

  setStatus(status: number, pipeStatus: readonly number[] = [status]): void {
    this.state = { ...this.state, status, pipeStatus };
  }

  /** One text in one bash, and what it changed back into the session. @param runner default: the session's current node. */
  async runBash(step: BashStep, place: StepPlace, runner = this.current): Promise<StepResult> {
    try {
      return await runBashStep(this, step, place, runner);
    } catch (error) {
      const status = this.tellFailure(error);
      this.setStatus(status);
      return { status, isOver: false };
    }
  }

  /** Says what has failed, unless a person's signal was the reason. @returns its status. */
  tellFailure(error: unknown): number {
    const known = toNshError(error);
    const broken = signalStatus(known);
    if (broken === undefined) this.options.tell(escapeLines(known.message));
    return broken ?? known.exitStatus;
  }

  /** Whether a bash on the session's node is to report first what it starts with. */
  get wantsFresh(): boolean {
    return !this.fresh.has(this.current.node);
  }

  /** Takes over what a bash on the session's node reports. @returns false where it came to no end of its own: then the shell has ended. */
  takeFrom({ report, status }: BashEnd, wantsFresh: boolean): boolean {
    if (takeReport(this, report, { runner: this.current, wantsFresh, hidden: new Set() }) !== undefined) return true;
    this.setStatus(status);
    this.trapsRan = true;
    return false;
  }

  tellOnce(message: string): void {
    if (this.told.has(message)) return;
    this.told.add(message);
    this.options.tell(message);
  }
}
