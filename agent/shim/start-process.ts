/** Starts a process on pipes or a terminal, through the trampoline. Effects alone; what happens to it then is live-process.ts. */
import { spawn, type IOType } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { SpawnParams } from '../../src/protocol/shim-control.ts';
import { NshError } from '../../src/protocol/errors.ts';
import { readStart } from '../../src/cluster/this-machine.ts';
import { watchExec, type ExecWatch } from './exec-watch.ts';
import type { Facilities } from './facilities.ts';
import { closePipe, type FifoPool, type Pipe } from './fifo-pool.ts';
import { PipeSink, TerminalSink } from './input-sink.ts';
import { withoutHoles } from './inherited-descriptors.ts';
import { forkTerminal, type ForkedTerminal } from './native-pty.ts';
import { SessionChannel } from './session-channel.ts';
import { signalName } from './signals.ts';
import type { Started } from './started.ts';
import { buildTrampoline, type Trampoline } from './trampoline.ts';

/** Longest wait for an exec: a program on a slow network disk is then taken as running. */
const execDeadlineMs = 5_000;

/** Of a process on a terminal, which opens its own ends. */
interface TerminalPipes {
  readonly report: Pipe;
  /** Stdin that is not the terminal. */
  readonly input: Pipe | undefined;
  /** Stdout that is not the terminal. */
  readonly output: Pipe | undefined;
}

export class ProcessStarter {
  readonly #facilities: Facilities;
  readonly #pipes: FifoPool;
  /** Masters of living terminals: node-pty makes them without close-on-exec. */
  readonly #masters = new Set<number>();

  readonly #openFiles: number | undefined;

  /** @param openFiles soft limit of open files for processes. */
  constructor(facilities: Facilities, pipes: FifoPool, openFiles: number | undefined) {
    this.#facilities = facilities;
    this.#pipes = pipes;
    this.#openFiles = openFiles;
  }

  /** @throws NshError `spawnFailed` */
  async start(params: SpawnParams): Promise<Started> {
    const size = terminalSize(params);
    return params.io === 'pty' ? await this.#startTerminal(params, size) : await this.#startPipes(params);
  }

  /** The master is about to be closed. */
  forgetTerminal(fd: number): void {
    this.#masters.delete(fd);
  }

  async #startPipes(params: SpawnParams): Promise<Started> {
    const hasInput = params.stdin !== 'null';
    const [out, err, report, input] = await this.#pipes.take(hasInput ? 4 : 3);
    if (out === undefined || err === undefined || report === undefined) throw new Error('the pool gave too few pipes');
    const stdin = input?.read ?? openSync('/dev/null', 'r');
    const ours = [out.read, err.read, report.read, ...(input === undefined ? [] : [input.write])];
    const theirs = [stdin, out.write, err.write, report.write];
    let channel: SessionChannel | undefined;
    try {
      channel = openChannel(params);
      const { file, args, env, throughEnv } = this.#trampoline(params, channel);
      const child = spawn(file, args, {
        cwd: params.cwd,
        env,
        detached: true,
        stdio: this.#facilities.bash === undefined ? this.cover(theirs, stdin) : theirs,
      });
      const exit = new Promise<Awaited<Started['exit']>>((resolve) => {
        child.once('exit', (code, signal) => resolve({ code, signal }));
      });
      const failed = new Promise<Error>((resolve) => child.once('error', resolve));
      if (child.pid === undefined) throw await failed;
      const watch = watchExec(report.read);
      void watch.outcome.then(() => channel?.opened());
      return {
        pid: child.pid,
        outputs: [out.read, err.read],
        input: input === undefined ? undefined : new PipeSink(input.write),
        terminal: undefined,
        channel,
        size: undefined,
        exec: this.#outcome(watch, exit, child.pid, readStart(child.pid), throughEnv),
        exit,
      };
    } catch (error) {
      for (const fd of ours) closeSync(fd);
      channel?.close();
      throw new NshError('spawnFailed', `${params.argv[0]}: no process can be made: ${(error as Error).message}`, {
        cause: error,
      });
    } finally {
      for (const fd of theirs) closeSync(fd);
    }
  }

  async #startTerminal(params: SpawnParams, size: { cols: number; rows: number }): Promise<Started> {
    const pipes = await this.#takeTerminalPipes(params);
    const { report, input, output } = pipes;
    let channel: SessionChannel | undefined;
    let onExit: (exit: Awaited<Started['exit']>) => void = () => undefined;
    const exit = new Promise<Awaited<Started['exit']>>((resolve) => {
      onExit = resolve;
    });
    let terminal: ForkedTerminal;
    let throughEnv = false;
    try {
      channel = openChannel(params);
      const trampoline = this.#trampoline(params, channel, pipes);
      const { file, args, env } = trampoline;
      throughEnv = trampoline.throughEnv;
      terminal = withoutHoles(Math.max(-1, ...this.#masters), () =>
        forkTerminal({
          file,
          args,
          env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
          cwd: params.cwd,
          ...size,
          onExit: (code, signal) => {
            onExit(signal === 0 ? { code, signal: null } : { code: null, signal: signalName(signal) });
          },
        }),
      );
    } catch (error) {
      for (const pipe of [report, input, output]) if (pipe !== undefined) closePipe(pipe);
      channel?.close();
      throw error;
    }
    this.#masters.add(terminal.fd);
    let isOpen = true;
    const letGo = (): void => {
      if (!isOpen) return;
      isOpen = false;
      closeSync(report.write);
      if (input !== undefined) closeSync(input.read);
      if (output !== undefined) closeSync(output.write);
      channel?.opened();
    };
    const watch = watchExec(report.read, letGo);
    return {
      pid: terminal.pid,
      outputs: [terminal.fd, ...(output === undefined ? [] : [output.read])],
      input: new TerminalSink(terminal.fd),
      ...(input === undefined ? {} : { pipe: new PipeSink(input.write) }),
      terminal: terminal.fd,
      terminalPath: terminal.pty,
      channel,
      size,
      exec: this.#outcome(watch, exit, terminal.pid, readStart(terminal.pid), throughEnv).finally(letGo),
      exit,
    };
  }

  async #takeTerminalPipes({ stdin, stdout }: SpawnParams): Promise<TerminalPipes> {
    const [hasInput, hasOutput] = [stdin === 'pipe', stdout === 'pipe'];
    const [report, first, second] = await this.#pipes.take(1 + Number(hasInput) + Number(hasOutput));
    if (report === undefined) throw new Error('the pool gave no pipe');
    return {
      report,
      input: hasInput ? first : undefined,
      output: hasInput && hasOutput ? second : hasOutput ? first : undefined,
    };
  }

  /** For a child that does not close masters of terminals itself: they are covered with what is harmless, its own /dev/null or input. */
  cover<T extends IOType | number>(descriptors: readonly T[], harmless: number): (T | 'ignore' | number)[] {
    const stdio: (T | 'ignore' | number)[] = [...descriptors];
    // `ignore` leaves a descriptor from 3 on as it is.
    for (let fd = stdio.length; fd <= Math.max(-1, ...this.#masters); fd++)
      stdio.push(this.#masters.has(fd) ? harmless : 'ignore');
    return stdio;
  }

  /** @param ends of a terminal's child: descriptors of ours that it opens for itself. */
  #trampoline(params: SpawnParams, channel: SessionChannel | undefined, ends?: TerminalPipes): Trampoline {
    const { argv, environment, gpidBase, cwd, umask, limits, cgroup } = params;
    const { shell, bash, envPath } = this.#facilities;
    // A terminal's child has every other descriptor closed by node-pty; a pipe's child has only libuv's own closed.
    const leaks = ends === undefined && this.#masters.size > 0;
    const openFiles = this.#openFiles;
    const channelPaths = channel?.descriptors.map(pathOf) ?? [];
    const reportPath = ends === undefined ? undefined : pathOf(ends.report.write);
    const inputPath = ends?.input === undefined ? undefined : pathOf(ends.input.read);
    const outputPath = ends?.output === undefined ? undefined : pathOf(ends.output.write);
    const common = {
      argv,
      environment,
      gpidBase,
      cwd,
      umask,
      limits,
      cgroup,
      openFiles,
      envPath,
      reportPath,
      inputPath,
      outputPath,
      channelPaths,
    };
    return leaks && bash !== undefined
      ? buildTrampoline({ ...common, shell: bash, close: [...this.#masters] })
      : buildTrampoline({ ...common, shell });
  }

  async #outcome(
    watch: ExecWatch,
    exit: Started['exit'],
    pid: number,
    seenStart: number | undefined,
    throughEnv: boolean,
  ): Started['exec'] {
    const timer = setTimeout(() => watch.end(), execDeadlineMs);
    // A trampoline that was killed has nothing to report; its report pipe may be held by nobody that ends.
    void exit.then(() => setImmediate(() => watch.end()));
    const { status, stat } = await watch.outcome;
    clearTimeout(timer);
    const start = seenStart ?? (stat === undefined ? undefined : startIn(stat));
    if (start === undefined) {
      throw new NshError('spawnFailed', `process ${pid} was gone before it could be recorded`);
    }
    if (status === 'running' && throughEnv) await untilExecuted(pid, this.#facilities.envPath ?? '');
    return { start, failure: status === 'running' ? undefined : status };
  }
}

/** Field 22 of a stat line; the name before it may hold blanks. */
function startIn(stat: string): number | undefined {
  const start = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
  return Number.isSafeInteger(start) ? start : undefined;
}

function openChannel({ channel }: SpawnParams): SessionChannel | undefined {
  return channel === undefined ? undefined : new SessionChannel(channel);
}

/** Where a child opens a descriptor of ours. */
function pathOf(fd: number): string {
  return `/proc/${process.pid}/fd/${fd}`;
}

const defaultSize = { cols: 80, rows: 24 };

function terminalSize({ pty }: SpawnParams): { cols: number; rows: number } {
  return pty === undefined ? defaultSize : clampSize(pty);
}

/** A size that a terminal can have; beyond 1,000 × 1,000 nobody looks, and an emulator would need gigabytes. */
export function clampSize({ cols, rows }: { readonly cols: number; readonly rows: number }): {
  cols: number;
  rows: number;
} {
  const clamp = (value: number): number => Math.min(1000, Math.max(1, Math.trunc(value)));
  return { cols: clamp(cols), rows: clamp(rows) };
}

const envPollMs = 1;
const envDeadlineMs = 100;

/** env(1) is on its way from its own exec to the program's: a moment, unless the program is not there. */
async function untilExecuted(pid: number, envPath: string): Promise<void> {
  const prefix = `${envPath}\0-i\0-S\0`;
  for (let waited = 0; waited < envDeadlineMs; waited += envPollMs) {
    if (!commandLine(pid).startsWith(prefix)) return;
    await delay(envPollMs);
  }
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    // It has ended: it is env no more.
    return '';
  }
}
