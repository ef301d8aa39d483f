/**
 * `nsh attach`: the terminal of a managed process, wherever it runs. First its screen with what has scrolled off it, then what it
 * draws from that very byte on; what is typed goes there. With pipes, the process's or nsh's own, its kept output is shown and then what
 * follows.
 */
import { constants } from 'node:os';
import { ReadStream } from 'node:tty';
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import { processDialler } from '../../src/cluster/process-stream/dial-process.ts';
import { openProcessStream } from '../../src/cluster/process-stream/process-stream.ts';
import { writableSink } from '../../src/cluster/process-stream/sink.ts';
import type { ProcessStream, ProcessStreamOptions } from '../../src/cluster/process-stream/types.ts';
import { NshError } from '../../src/protocol/errors.ts';
import { pipeWindowBytes, ptyWindowBytes } from '../../src/protocol/limits.ts';
import type { ScreenResult } from '../../src/protocol/control.ts';
import type { ExitStatus } from '../../src/protocol/process.ts';
import type { Command, CommandContext, OptionSpec } from '../command.ts';
import { parseOptions } from '../getopt.ts';
import { describeExit, exitStatusOf, signalStatus } from '../run/exit-status.ts';
import { feedStdin } from '../run/feed-stdin.ts';
import { findManaged, type NamedProcess } from '../run/find-managed.ts';
import { leaderToken } from '../session/leader.ts';
import { finishStatus, makeReporter, streamFailure } from '../run/report.ts';
import { defaultDetachKeys, parseDetachKeys, type DetachKey } from '../terminal/detach-keys.ts';
import { handOverJob, signalOf, type StreamParts } from '../terminal/hand-over.ts';
import { endedScreen } from '../terminal/ended-screen.ts';
import { redraw, replay } from '../terminal/replay.ts';

const readOnly: OptionSpec = {
  short: 'r',
  long: 'read-only',
  summary: 'only look: nothing that is typed reaches the process',
};
const detachKeys: OptionSpec = {
  long: 'detach-keys',
  argument: 'KEYS',
  summary: `keys that detach (default '${defaultDetachKeys}'; none)`,
};
const noScrollback: OptionSpec = {
  long: 'no-scrollback',
  summary: 'show the screen only, not what has scrolled off it',
};
const scrollbackLines = 1000;
/** The screen is computed anew from the log, which takes a while for a long one. */
const screenDeadlineMs = 15_000;

export const attachCommand: Command = {
  name: 'attach',
  synopsis: ['[-r] [--detach-keys KEYS] [--no-scrollback] PID'],
  summary: 'take the terminal of a process',
  options: [readOnly, detachKeys, noScrollback],
  details: [
    'ctrl-\\ and then d leave it running. Those that can be attached to are shown by ps -a. web/2 is the second replica of the group web.',
  ],
  run: async (context, args) => {
    const wanted = parseAttachOptions(args);
    const client = await context.cluster();
    const named = await findManaged(client, wanted.word, context.signal);
    const attachment = new Attachment(context, client, named, wanted);
    return named.record.exit === undefined ? await attachment.attach() : await attachment.showEnded();
  },
};

interface AttachOptions {
  readonly word: string;
  readonly readOnly: boolean;
  readonly scrollback: number;
  readonly detachKeys: readonly DetachKey[];
}

function parseAttachOptions(args: readonly string[]): AttachOptions {
  const { options, operands } = parseOptions(attachCommand.options, args);
  const [word, ...more] = operands;
  if (word === undefined || more.length > 0) throw new NshError('usage', 'one process is to be given');
  const keys = options.findLast((parsed) => parsed.option === detachKeys)?.value;
  return {
    word,
    readOnly: options.some((parsed) => parsed.option === readOnly),
    scrollback: options.some((parsed) => parsed.option === noScrollback) ? 0 : scrollbackLines,
    detachKeys: parseDetachKeys(keys ?? defaultDetachKeys),
  };
}

class Attachment {
  readonly #context: CommandContext;
  readonly #client: ClusterClient;
  readonly #named: NamedProcess;
  readonly #wanted: AttachOptions;

  /** Of its job-control leader, where it is a line of a session. */
  readonly #token: string | undefined;
  #stream: ProcessStream | undefined;

  constructor(context: CommandContext, client: ClusterClient, named: NamedProcess, wanted: AttachOptions) {
    this.#token = leaderToken(named.record.argv);
    this.#context = context;
    this.#client = client;
    this.#named = named;
    this.#wanted = wanted;
  }

  async attach(): Promise<number> {
    const { node, gpid, record } = this.#named;
    if (record.io === 'pipes' && this.#context.stdin instanceof ReadStream) return await this.#attachToPipes();
    const { stdin, stdout, stderr, signal } = this.#context;
    const reporter = makeReporter(this.#context, 'attach');
    try {
      const end = await handOverJob({
        stdin,
        stdout,
        ...(this.#token === undefined ? {} : { stopToken: this.#token }),
        detachKeys: this.#wanted.detachKeys,
        readOnly: this.#wanted.readOnly,
        nodeName: node.name,
        passInputEnd: false,
        tellsEnd: true,
        signal,
        open: async (parts) => {
          this.#stream = await this.#open(parts);
          if (this.#token !== undefined && !this.#wanted.readOnly) this.#callForth(this.#stream);
          return this.#stream;
        },
      });
      if (end.kind === 'stopped') return this.#stopped(end.status);
      if (end.kind === 'left' || end.kind === 'released') {
        this.#stream?.detach(false);
        stderr.write(`[detached from ${gpid}; nsh attach ${gpid}]\n`);
        return 0;
      }
      if (end.kind === 'signal') return signalStatus(end.name);
      if (end.kind === 'detached') stderr.write(`[detached from ${gpid}; nsh attach ${gpid}]\n`);
      if (end.kind === 'exit' && stdout.isTTY === true) stderr.write(`[${gpid} ${this.#describe(end.status)}]\n`);
      return finishStatus(end, node.name, gpid, reporter);
    } catch (error) {
      throw streamFailure(error, node.name, gpid);
    }
  }

  /**
   * Without a terminal there keys mean what they mean here: a line goes to the process at Enter, and Ctrl-C leaves it running. The end of what is
   * typed is not the end of its stdin, which others may write to.
   */
  async #attachToPipes(): Promise<number> {
    const { node, gpid } = this.#named;
    const { stdin, stdout, stderr, signal } = this.#context;
    const reporter = makeReporter(this.#context, 'attach');
    const from = this.#wanted.scrollback === 0 ? 'newest' : 'oldest';
    const stream = openProcessStream({
      ...this.#target(),
      ...reporter.watch(node.name),
      role: 'attach',
      windowBytes: pipeWindowBytes,
      from: { stdout: from, stderr: from },
      skips: false,
      stdout: writableSink(stdout),
      stderr: writableSink(stderr),
    });
    const leave = (): void => stream.detach(false);
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
    const stopFeeding = this.#wanted.readOnly ? () => {} : feedStdin(stdin, [stream.stdin], { passesEnd: false });
    try {
      const end = await stream.ended;
      // Behind the ^C that the terminal shows.
      if (end.kind === 'detached') stderr.write(`\n[detached from ${gpid}; nsh attach ${gpid}]\n`);
      if (end.kind === 'exit' && stdout.isTTY === true) stderr.write(`[${gpid} ${this.#describe(end.status)}]\n`);
      return signal.aborted ? signalStatus(signalOf(signal)) : finishStatus(end, node.name, gpid, reporter);
    } catch (error) {
      throw streamFailure(error, node.name, gpid);
    } finally {
      signal.removeEventListener('abort', leave);
      stopFeeding();
    }
  }

  /** A line of a session, stopped or in the background, goes on here. */
  #callForth(stream: ProcessStream): void {
    stream.sendSignal(constants.signals.SIGCONT, false);
    stream.sendSignal(constants.signals.SIGUSR2, false);
  }

  #stopped(status: number): number {
    const { gpid } = this.#named;
    this.#stream?.detach(false);
    this.#context.stderr.write(`[${gpid} is stopped; nsh attach ${gpid} goes on with it]\n`);
    return status;
  }

  /** How a line of a session ended only that session has heard; its process says no more than that it came to its end. */
  #describe(exit: ExitStatus): string {
    return this.#token !== undefined && exit.code === 0 ? 'has ended' : describeExit(exit, this.#named.gpid);
  }

  /** The last screen, or all that is kept of pipes, and how it ended. */
  async showEnded(): Promise<number> {
    const { record, gpid, node } = this.#named;
    const { stdout, stderr, signal } = this.#context;
    const exit = record.exit;
    if (record.io === 'pty' && stdout.isTTY === true) {
      const screen = await this.#screen(this.#wanted.scrollback);
      const { columns } = this.#context.terminal;
      stdout.write(endedScreen(screen, { withHistory: this.#wanted.scrollback > 0, columns }));
    } else {
      const { ended } = openProcessStream({
        ...this.#target(),
        role: 'read',
        from: { stdout: 'oldest', stderr: 'oldest' },
        follow: false,
        stdout: writableSink(stdout),
        stderr: writableSink(stderr),
        signal,
      });
      const end = await ended;
      if (end.kind === 'outputClosed') return finishStatus(end, node.name, gpid, makeReporter(this.#context, 'attach'));
    }
    if (exit === undefined) return 0;
    stderr.write(`[${gpid} ${this.#describe(exit)}]\n`);
    return exitStatusOf(exit);
  }

  async #open({ nudge, ...parts }: StreamParts): Promise<ProcessStream> {
    const { record } = this.#named;
    const isTerminal = record.io === 'pty' && this.#context.stdout.isTTY === true;
    const common = { ...this.#target(), role: 'attach' as const, windowBytes: ptyWindowBytes, ...parts };
    if (!isTerminal) {
      // Nothing can be redrawn in a pipe or a file: what is kept is shown byte for byte, then what follows.
      const from = this.#wanted.scrollback === 0 ? 'newest' : 'oldest';
      const { onGap } = makeReporter(this.#context, 'attach').watch(this.#named.node.name);
      return openProcessStream({
        ...common,
        from: { stdout: from, stderr: from },
        skips: false,
        onGap,
        stderr: writableSink(this.#context.stderr),
      });
    }
    const screen = await this.#screen(this.#wanted.scrollback);
    await draw(parts, replay(screen, parts.size?.rows ?? screen.rows));
    let first = true;
    return openProcessStream({
      ...common,
      from: { stdout: screen.offset },
      onOpened: (opened, again) => {
        parts.onOpened(opened, again);
        // Programs draw anew when their size changes; where it does not, it is changed and changed back.
        if (first && isSameSize(screen, parts.size)) nudge();
        first = false;
      },
      onGap: async () => {
        const now = await this.#screen(0);
        await draw(parts, redraw(now));
        return now.offset;
      },
    });
  }

  async #screen(scrollback: number): Promise<ScreenResult> {
    const { pid, start, boot } = this.#named.record;
    return await this.#client.call(
      this.#named.node,
      'screen',
      { process: { pid, start, boot }, scrollback },
      { deadlineMs: screenDeadlineMs, signal: this.#context.signal },
    );
  }

  #target(): Pick<ProcessStreamOptions, 'dial' | 'shortcut' | 'process'> {
    const { node, record } = this.#named;
    const process = { pid: record.pid, start: record.start, boot: record.boot };
    return { ...processDialler(this.#client, node, process, record.shim), process };
  }
}

function draw(parts: Pick<StreamParts, 'stdout'>, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    parts.stdout.write(bytes, () => resolve());
  });
}

type Size = { readonly cols: number; readonly rows: number } | undefined;

function isSameSize(a: Size, b: Size): boolean {
  return a !== undefined && b !== undefined && a.cols === b.cols && a.rows === b.rows;
}
