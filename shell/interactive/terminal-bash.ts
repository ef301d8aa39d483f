/**
 * The foreground of an interactive session: a bash that has stdin, stdout and stderr to itself is a managed process with a terminal of
 * its own, on whichever node, and the person's terminal is handed over to it. It can be stopped, detached from, attached to and seen by
 * ps. What has pipes goes to the runner beneath.
 */
import { randomUUID } from 'node:crypto';
import { processDialler } from '../../src/cluster/process-stream/dial-process.ts';
import { newClientId, openProcessStream } from '../../src/cluster/process-stream/process-stream.ts';
import { writableSink } from '../../src/cluster/process-stream/sink.ts';
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import type { NodeSpec } from '../../src/cluster/node-spec.ts';
import { currentStarter } from '../../src/cluster/starter.ts';
import { toGpid } from '../../src/ids/gpid.ts';
import { findSignal } from '../../src/ids/signals.ts';
import { toNshError, type ErrorCode } from '../../src/protocol/errors.ts';
import { defaultKeepBytes, maxNameLength, pipeWindowBytes, ptyWindowBytes } from '../../src/protocol/limits.ts';
import type { Params, RunResult } from '../../src/protocol/control.ts';
import type { ProcessRef } from '../../src/protocol/process.ts';
import { escapeLines } from '../escape.ts';
import { fromByteText } from '../language/byte-text.ts';
import { brokenPipeStatus } from '../output/write-errors.ts';
import { describeExit, exitStatusOf, linkFailedStatus } from '../run/exit-status.ts';
import { foreground } from '../run/foreground.ts';
import { foregroundFailure } from '../run/report.ts';
import { nameOfDirectory } from '../session/caller.ts';
import type { StartedJob } from '../session/jobs.ts';
import { leaderCommand } from '../session/leader.ts';
import { plainLeaderCommand } from '../session/plain-leader.ts';
import { announcing, plainProgram, withDirectFeed } from '../session/node-runner.ts';
import type { BashEnd, BashJob, BashRunner, PipelinePlace, RunningBash } from '../session/runner.ts';
import { streamTimeoutMs } from '../session/stream-timeout.ts';
import { defaultDetachKeys, parseDetachKeys } from '../terminal/detach-keys.ts';
import type { HandOverEnd } from '../terminal/hand-over.ts';
import { HeldTerminal } from '../terminal/held-terminal.ts';
import { feedProcess } from './feed-process.ts';
import { jobMark } from './job-mark.ts';
import { PipelineKeyboard } from './pipeline-keyboard.ts';
import { planTerminal, type TerminalPlan } from './terminal-plan.ts';
import type { LeftJob } from './left-jobs.ts';
import { TerminalStep, type SharedTerminal, type TerminalStepOptions } from './terminal-step.ts';
import { asEnters, TypedTail } from './typed-tail.ts';

export interface TerminalBashOptions {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly env: NodeJS.ProcessEnv;
  readonly cluster: () => Promise<ClusterClient>;
  /** Of the line that runs: fires when the shell is to end. */
  readonly signal: () => AbortSignal;
  /** What `ps` shows as the name of the process: the line. */
  readonly title: () => string;
  /** A line of nsh's own. */
  readonly tell: (message: string) => void;
  /** Told of each: who ends must leave those that are stopped or in the background. */
  readonly onStart: (step: TerminalStep) => void;
  /**
   * Typed while a step had the terminal, and read by nobody: the next reader of stdin is to have it. From another machine it comes as text to
   * be looked at first, and only where it was really typed: a node must not be able to run something here.
   */
  readonly giveBack: (typed: Buffer) => void;
  readonly giveBackFromNode: (typed: Buffer | undefined) => void;
  /** Output of a step that was continued in the background. */
  readonly background: (bytes: Buffer) => void;
  /** Told how each ended, before the session hears of it. */
  readonly onEnd: (end: 'exit' | 'signal' | 'detached' | 'lost') => void;
}

const scrollbackLines = 1000;
/** The screen is computed anew from the log, which takes a while for a long one. */
const screenDeadlineMs = 15_000;

/** Why nothing can be asked of this machine's agent. */
const withoutAgent: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'clusterFile',
  'noAgent',
  'agentFailed',
  'unsafeSocket',
  'unreachable',
  'timeout',
  'wrongNode',
  'protocolMismatch',
]);

/** @param node undefined: this machine, as the session was started on it. @param base runs what has pipes. */
export function terminalBash(base: BashRunner, node: NodeSpec | undefined, options: TerminalBashOptions): BashRunner {
  return {
    node: base.node,
    ...(base.isFar === undefined ? {} : { isFar: base.isFar }),
    start: async (given) => {
      const job = await withDirectFeed(given, options.env);
      const plan = planTerminal(job);
      if (plan === undefined) return await base.start(job);
      const { pipeline, outlives } = job;
      // Of a pipeline it is held for whoever gets the keyboard.
      const keyboard = pipeline === undefined ? undefined : keyboardOf(pipeline, options);
      const held = keyboard === undefined && outlives !== true ? hold(options) : undefined;
      try {
        const client = await options.cluster();
        const begin = await startStep(job, plan, client, node ?? client.self, node === undefined, options);
        held?.release(true);
        return begin();
      } catch (error) {
        held?.release(false);
        if (pipeline !== undefined) keyboard?.missing(pipeline.index);
        const known = toNshError(error);
        if (node !== undefined || !withoutAgent.has(known.code)) throw error;
        // A shell whose cluster file is broken, or whose agent does not start, is needed to mend that.
        options.tell(`${known.message}; running it without the cluster`);
        return await base.start(job);
      }
    },
  };
}

/** @returns what lets it have the terminal. */
async function startStep(
  bash: BashJob,
  plan: TerminalPlan,
  client: ClusterClient,
  node: NodeSpec,
  isOwn: boolean,
  options: TerminalBashOptions,
): Promise<() => RunningBash> {
  const clientId = newClientId();
  const token = randomUUID().replaceAll('-', '');
  const { redirections, pipes, source, target: output } = plan;
  const where = bash.outlives === true ? 'background' : 'foreground';
  const leader = leaderCommand({ driver: bash.driver, name: bash.name, token, redirections, startsIn: where });
  const job = jobMark(titleOf(bash, options), token);
  const feedTimeoutMs = bash.readsFrom === undefined ? {} : { feedTimeoutMs: streamTimeoutMs(options.env) };
  const { env, ...common } = runParams(bash, client, isOwn, options);
  const params = {
    ...common,
    ...pipes,
    ...feedTimeoutMs,
    argv: leader.argv,
    env: { ...env, ...leader.env },
    job,
    foreground: clientId,
  };
  let plainOn: string | undefined;
  const start = async (): Promise<RunResult> =>
    await client.call(node, 'run', params, { signal: options.signal() }).catch(async (error: unknown) => {
      const plain = plainProgram(bash, error);
      if (plain === undefined) throw error;
      plainOn = node.name;
      const { channel: _channel, job: _job, ...others } = params;
      const led = plainLeaderCommand({ argv: plain.argv, token, redirections, startsIn: where });
      return await client.call(
        node,
        'run',
        { ...others, ...plain, argv: led.argv, env: { ...plain.env, ...led.env } },
        { signal: options.signal() },
      );
    });
  const started = await announcing(bash, client, node, start);
  const gpid = toGpid(node.id, started.pid);
  const target = foreground(client, node, started, clientId, output === undefined ? ptyWindowBytes : pipeWindowBytes);
  if (source !== undefined) feedProcess(source, target, streamTimeoutMs(options.env));
  const shared = bash.pipeline === undefined ? undefined : sharedTerminal(bash.pipeline, plan, options);
  const identity = { gpid, node, token, shared, isOwn, client, process: target.process };
  const step = makeStep(identity, options, (parts) =>
    openProcessStream({ ...target, ...(output === undefined ? {} : { stderr: writableSink(output) }), ...parts }),
  );
  options.onStart(step);
  return () => (plainOn === undefined ? step.start(where) : { ...step.start(where), plainOn });
}

/** Takes over what an earlier shell has left, and shows what it prints from now on. */
export function adoptStep(
  client: ClusterClient,
  { node, record, mark, state }: LeftJob,
  options: TerminalBashOptions,
): StartedJob {
  const gpid = toGpid(node.id, record.pid);
  const process = { pid: record.pid, start: record.start, boot: record.boot };
  const target = { ...processDialler(client, node, process, record.shim), process };
  const identity = { gpid, node, token: mark.token, isOwn: false, client, process, isOld: true };
  const step = makeStep(identity, options, (parts) =>
    openProcessStream({ ...target, role: 'attach', from: { stdout: 'newest' }, windowBytes: ptyWindowBytes, ...parts }),
  );
  options.onStart(step);
  const common = { id: gpid, settle: ({ status }: BashEnd): number => status, control: step.control };
  if (state === 'stopped') {
    step.found();
    return { ...common, kill: (signal) => step.kill(signal) };
  }
  const running = step.start(state);
  return { ...common, kill: (signal) => running.kill(signal), running: running.ended };
}

interface StepIdentity {
  readonly gpid: number;
  readonly node: NodeSpec;
  readonly client: ClusterClient;
  readonly process: ProcessRef;
  readonly token: string;
  /** On this machine, and of this shell. */
  readonly isOwn: boolean;
  readonly isOld?: boolean;
  readonly shared?: SharedTerminal | undefined;
}

function makeStep(
  { gpid, node, client, process, token, shared, isOwn, isOld }: StepIdentity,
  options: TerminalBashOptions,
  open: TerminalStepOptions['open'],
): TerminalStep {
  const typed = new TypedTail();
  const step: TerminalStep = new TerminalStep({
    gpid,
    token,
    handOver: () => ({
      stdin: options.stdin,
      stdout: options.stdout,
      // Of one stage alone nobody could say what becomes of the others.
      detachKeys: shared === undefined ? parseDetachKeys(defaultDetachKeys) : [],
      readOnly: false,
      nodeName: node.name,
      passInputEnd: true,
      tellsEnd: false,
      signal: options.signal(),
      onTyped: (bytes) => {
        typed.push(bytes);
        shared?.keyboard.typed(bytes);
      },
    }),
    open,
    screen: () =>
      client.call(node, 'screen', { process, scrollback: scrollbackLines }, { deadlineMs: screenDeadlineMs }),
    onLeft: () => {
      options.onEnd('detached');
      options.tell(`detached from ${gpid}; 'fg' or 'attach ${gpid}' takes it back`);
    },
    toEnd: (end) => {
      const bashEnd = toBashEnd(end, node.name, gpid, options);
      const unread = asEnters(unreadInput(end, step.untaken).toString('latin1'));
      if (isOwn) options.giveBack(Buffer.from(unread, 'latin1'));
      else options.giveBackFromNode(typed.find(unread));
      const isInterrupted = end.kind === 'outputClosed' && shared?.keyboard.isInterrupted === true;
      return { ...bashEnd, ...(isInterrupted ? interrupted : {}) };
    },
    toFailure: (error) => {
      options.onEnd('lost');
      options.tell(foregroundFailure(error, node.name, gpid).message);
      return { status: linkFailedStatus, report: '' };
    },
    background: options.background,
    ...(shared === undefined ? {} : { shared }),
    ...(isOld === undefined ? {} : { isOld }),
  });
  return step;
}

const interrupted = { status: 130, signal: 'SIGINT' } as const;

/** One for each pipeline that runs: its stages find each other by its key. */
const keyboards = new WeakMap<object, PipelineKeyboard>();

function keyboardOf({ key, beginsAtTerminal }: PipelinePlace, options: TerminalBashOptions): PipelineKeyboard {
  const keyboard = keyboards.get(key) ?? new PipelineKeyboard(beginsAtTerminal, hold(options));
  keyboards.set(key, keyboard);
  return keyboard;
}

/** Whoever heeds a Ctrl-C of the terminal heeds this one. */
function hold({ stdin, stdout }: TerminalBashOptions): HeldTerminal {
  return new HeldTerminal(stdin, () => {
    stdout.write('^C');
    process.kill(process.pid, 'SIGINT');
  });
}

function sharedTerminal(place: PipelinePlace, { source }: TerminalPlan, options: TerminalBashOptions): SharedTerminal {
  const { index, program } = place;
  const member = { index, program, readsTerminal: source === undefined };
  return { keyboard: keyboardOf(place, options), member, screen: writableSink(options.stdout) };
}

function titleOf({ text }: BashJob, { title }: Pick<TerminalBashOptions, 'title'>): string {
  return text === undefined ? title() : fromByteText(text);
}

function runParams(
  bash: BashJob,
  client: ClusterClient,
  isOwn: boolean,
  { stdout, env, title }: TerminalBashOptions,
): Omit<Params<'run'>, 'argv'> {
  const { columns, rows } = stdout;
  const name = titleOf(bash, { title }).replaceAll(/\s+/g, ' ').trim();
  const isNode = client.nodes.some(({ id }) => id === client.self.id);
  return {
    io: 'pty',
    pty: {
      cols: columns > 0 ? columns : 80,
      rows: rows > 0 ? rows : 24,
      ...(env['TERM'] === undefined || env['TERM'] === '' ? {} : { term: env['TERM'] }),
    },
    keepBytes: defaultKeepBytes,
    onDisconnect: 'keep',
    starter: currentStarter(env, client.self, isNode),
    channel: bash.restore,
    ...(name === '' ? {} : { name: name.slice(0, maxNameLength) }),
    ...(isOwn ? { cwd: process.cwd() } : {}),
    // A file that bash would source at the start of every step is the session's to source once.
    env: {
      ...(isOwn ? { ...ownEnvironment(env), PWD: nameOfDirectory(env, process.cwd()) } : {}),
      BASH_ENV: '',
      ENV: '',
      ...defined(bash.env ?? {}),
    },
  };
}

/** On this machine a session goes on with the environment that it was started in, but for what names a managed process. */
function ownEnvironment(env: NodeJS.ProcessEnv): Record<string, string> {
  const owned: ReadonlySet<string> = new Set(['NSH_GPID', 'NSH_SOCKET', 'NSH_NODE', 'TERM', 'COLUMNS', 'LINES']);
  return Object.fromEntries(Object.entries(defined(env)).filter(([name]) => name !== '' && !owned.has(name)));
}

function defined(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** What was typed for a process and not read. Only a shim that has seen its end knows that to the byte: else all of it may have been read. */
function unreadInput(end: HandOverEnd, untaken: Buffer): Buffer {
  if (end.kind !== 'exit' || (end.status.code === null && end.status.signal === null)) return Buffer.alloc(0);
  return Buffer.concat([end.unread, untaken]);
}

function toBashEnd(end: HandOverEnd, node: string, gpid: number, { onEnd, tell }: TerminalBashOptions): BashEnd {
  switch (end.kind) {
    case 'exit': {
      const { status, report } = end;
      onEnd(status.signal === null ? (status.code === null ? 'lost' : 'exit') : 'signal');
      if (status.code === null && status.signal === null)
        tell(`${node}: process ${gpid} ${describeExit(status, gpid)}`);
      return {
        status: exitStatusOf(status),
        report: report?.toString('latin1') ?? '',
        ...(status.signal === null ? {} : { signal: status.signal }),
      };
    }
    case 'detached':
      onEnd('detached');
      return { status: 0, report: '' };
    case 'signal':
      onEnd('detached');
      return { status: 128 + (findSignal(end.name) ?? 1), report: '' };
    // The next stage reads no further: what SIGPIPE makes of a process.
    case 'outputClosed':
      return { status: brokenPipeStatus, report: '', signal: 'SIGPIPE' };
    case 'outputEnd':
  }
  onEnd('lost');
  return { status: linkFailedStatus, report: '' };
}

/** For messages of the session. */
export function describeFailure(error: unknown): { readonly status: number; readonly message: string } {
  const known = toNshError(error);
  return { status: known.exitStatus, message: escapeLines(known.message) };
}
