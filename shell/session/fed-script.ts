/**
 * A script that arrives on standard input. While nothing in it is nsh's one bash runs it, fed command by command; where something is, that bash hands its state over, the session
 * does its step, and another bash goes on.
 */
import type { ByteText } from '../language/byte-text.ts';
import type { Surroundings } from '../language/nsh-words.ts';
import { writeShellId } from '../language/shell-id.ts';
import { definedIn } from '../language/own-functions.ts';
import { parseScript } from '../language/script-tree.ts';
import type { BashStep } from '../language/steps.ts';
import type { FedBash } from './fed-bash.ts';
import { type Last, renderFedRestore, renderFedText } from './restore.ts';
import type { Session, StepResult } from './session.ts';
import { callBacksFor } from './step-call-backs.ts';

/** fed-bash.ts, with the session's environment. */
export type StartFedBash = (restore: ByteText) => Promise<FedBash>;

interface Running {
  readonly bash: FedBash;
  readonly wantsFresh: boolean;
  /** Functions and aliases that it was given to define: the session does not know them yet. */
  readonly defined: Set<string>;
}

export class FedScript {
  private readonly session: Session;
  private readonly start: StartFedBash;
  private running: Running | undefined;

  constructor(session: Session, start: StartFedBash) {
    this.session = session;
    this.start = start;
  }

  /** Runs complete commands. */
  async run(source: ByteText): Promise<StepResult> {
    const { session } = this;
    const { surroundings } = this;
    const steps = session.plan(source, surroundings);
    if (steps === undefined || steps.length === 0) {
      session.line += countLines(source);
      return { status: session.state.status, isOver: false };
    }
    const [only] = steps;
    if (
      steps.length === 1 &&
      only?.kind === 'bash' &&
      !callBacksFor(session, only.text, session.current, surroundings).isOwn
    ) {
      return await this.feed(only, source);
    }
    return (await this.handOver()) ? await session.run(source) : { status: session.state.status, isOver: true };
  }

  /** The end of the script. @returns the status of the session; traps have run. */
  async close(): Promise<number> {
    const { session, running } = this;
    if (running === undefined) return await session.close();
    running.bash.feed(renderFedText({ text: '\\builtin exit', line: session.line, isClosed: false }, session.state));
    const { status } = await running.bash.ended;
    return status;
  }

  private get surroundings(): Surroundings {
    const { surroundings } = this.session;
    const defined = this.running?.defined;
    // Its jobs are its own as long as it lives.
    return {
      ...surroundings,
      jobsAre: surroundings.hasJobs ? 'nsh' : 'bash',
      isDefined: (name) => defined?.has(name) === true || surroundings.isDefined(name),
    };
  }

  private async feed(step: BashStep, source: ByteText): Promise<StepResult> {
    const { session } = this;
    const running = (this.running ??= await this.begin());
    for (const name of definedIn(parseScript(source))) running.defined.add(name);
    const last: Last = session.state;
    running.bash.feed(renderFedText({ ...step, text: this.textOf(step), line: session.line + step.line }, last));
    const ready = await running.bash.ready();
    if (ready === undefined) {
      this.running = undefined;
      session.takeFrom({ ...(await running.bash.ended), report: '' }, false);
      return { status: session.state.status, isOver: true };
    }
    const { flags, ...how } = ready;
    session.state = { ...session.state, ...how };
    session.line += countLines(source);
    // What shows commands would show those that feed it, too.
    const isOver = /[xv]/.test(flags) && !(await this.handOver());
    return { status: session.state.status, isOver };
  }

  private textOf({ text }: BashStep): ByteText {
    const { session, running } = this;
    return running?.bash.pid === session.shellId ? text : writeShellId(text, session.shellId);
  }

  private async begin(): Promise<Running> {
    const { session } = this;
    const { wantsFresh } = session;
    const bash = await this.start(renderFedRestore(session.state, session.current.node, wantsFresh));
    void session.follow(bash);
    // The shell is the first bash that runs the script; what comes after keeps its number.
    if (!session.hasBegun) session.shellId = bash.pid ?? process.pid;
    session.hasBegun = true;
    // It tells once that it is there.
    await bash.ready();
    return { bash, wantsFresh, defined: new Set() };
  }

  /** @returns false where the shell has ended. */
  private async handOver(): Promise<boolean> {
    const { session, running } = this;
    if (running === undefined) return true;
    this.running = undefined;
    const { status, lastArgument, pipeStatus } = session.state;
    running.bash.finish();
    if (!session.takeFrom(await running.bash.ended, running.wantsFresh)) return false;
    session.state = { ...session.state, status, lastArgument, pipeStatus };
    return true;
  }
}

function countLines(source: ByteText): number {
  return source.split('\n').length - (source.endsWith('\n') ? 1 : 0);
}
