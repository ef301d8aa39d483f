/**
 * One process of this shim, from its start until its last byte has been dealt with: output streams, input, the foreground client, its
 * end. Ends in two steps: `exit` when it is reaped, `finished` when its output has ended, is on disk, and nobody waits for it in memory.
 */
import type { ExitStatus, ManagedProcess } from '../../src/protocol/process.ts';
import type { StreamNumber } from '../../src/protocol/frames.ts';
import type { SpawnParams } from '../../src/protocol/shim-control.ts';
import { foregroundPipeKeepBytes } from '../../src/protocol/limits.ts';
import type { NshError } from '../../src/protocol/errors.ts';
import { ClientSizes } from './client-sizes.ts';
import { Deadlines } from './deadlines.ts';
import { Foreground, type ForegroundOutcome } from './foreground.ts';
import { Leader } from './leader.ts';
import { resizeTerminal } from './native-pty.ts';
import { streamNames } from './log-segments.ts';
import { OrderLog } from './order-log.ts';
import { OutputStream, type KeepMode } from './output-stream.ts';
import { OwedReport } from './owed-report.ts';
import { ProcessInputs } from './process-inputs.ts';
import { RecordKeeper } from './record-keeper.ts';
import type { ProcessEnd, ProcessRecord } from './record-files.ts';
import { clampSize } from './start-process.ts';
import type { Started } from './started.ts';
import { takeUnreadInput } from './unread-input.ts';

/** From TERM to KILL at `--timeout`. */
const killAfterMs = 10_000;
/** A terminal whose leader has ended is hung up when nothing has come for this long: others may hold it for ever. */
const hangUpAfterMs = 100;
/** … and at the latest after this. */
const hangUpAtLastMs = 2_000;
/** A client whose connection broke, or moves to another way, has so long to come back before its window size counts no more. */
const sizeGraceMs = 2_000;
/** How often the order of stdout and stderr goes to disk: what came since is lost where the shim is killed. */
const orderEveryMs = 1_000;
/** The file with what it still says of output that has gone; beyond, it is written anew. */
const maxOrderBytes = 1024 * 1024;
/** How long the end of a process waits for its last output to be on disk. */
const flushDeadlineMs = 2_000;

export interface ProcessEvents {
  /** Reaped; its own output has been read. */
  readonly onExit: (process: LiveProcess) => void;
  /** Nothing is left to be done for it in memory. */
  readonly onFinished: (process: LiveProcess) => void;
  /** Before long the oldest part of a log will go. */
  readonly onFilling: (process: LiveProcess) => void;
  /** The terminal's descriptor is about to be closed. */
  readonly onTerminalClosed: (fd: number) => void;
}

/** A client's connection as the process sees it. */
export interface ProcessClient {
  /** Output, the end of a stream, or the exit status may be sent. */
  pump(): void;
  resized(cols: number, rows: number): void;
  close(error: NshError): void;
}

export interface LiveProcessOptions {
  readonly started: Started;
  readonly params: SpawnParams;
  readonly record: ProcessRecord;
  readonly directory: string;
  /** A foreground client that has not come, or whose link broke, has so long. */
  readonly graceMs: number;
  readonly events: ProcessEvents;
}

export class LiveProcess {
  readonly record: ProcessRecord;
  readonly streams: readonly OutputStream[];
  readonly order = new OrderLog();
  readonly inputs: ProcessInputs;
  readonly foreground: Foreground;
  readonly leader: Leader;
  readonly #started: Started;
  readonly #graceMs: number;
  readonly #keep: KeepMode;
  readonly #events: ProcessEvents;
  readonly #clients = new Set<ProcessClient>();
  readonly #sizes = new ClientSizes<ProcessClient>();
  readonly #keeper: RecordKeeper;
  readonly #deadlines = new Deadlines<'grace' | 'timeout' | 'hangUp' | 'hangUpAtLast' | 'order' | 'size'>();
  #exit: ExitStatus | undefined;
  #size: { cols: number; rows: number } | undefined;
  #logError: string | undefined;
  /** Its time was up: how much it had. */
  #timedOutMs: number | undefined;
  #retireForeground: (() => void) | undefined;
  readonly report = new OwedReport();
  #isComplete = false;
  #isFinished = false;

  constructor({ started, params, record, directory, graceMs, events }: LiveProcessOptions) {
    this.#started = started;
    this.record = record;
    this.#events = events;
    this.#graceMs = graceMs;
    this.#keeper = new RecordKeeper(directory, record);
    this.#size = record.size;
    this.leader = new Leader(record.pid, record.start);
    this.foreground = new Foreground(params.foreground);
    this.inputs = new ProcessInputs({ typed: started.input, fed: started.pipe, feedTimeoutMs: params.feedTimeoutMs });
    const keep = keepMode(params);
    this.#keep = keep;
    this.streams = streamNames(params).map(
      (name, index) =>
        new OutputStream({
          number: index === 0 ? 1 : 2,
          name,
          fd: started.outputs[index] ?? -1,
          kind: name === 'output' ? 'pty' : 'pipe',
          keep,
          keepBytes: params.keepBytes,
          directory,
          onChange: (stream) => this.#changed(stream),
          onLogError: (error) => this.#loseLog(error),
          onFilling: () => events.onFilling(this),
          hold: (stream) => this.foreground.hold(stream),
        }),
    );
    if (started.terminal !== undefined) this.#noteSize();
    if (this.foreground.state === 'awaited') this.#startGrace();
    if (params.timeoutMs !== undefined) this.#startTimeout(params.timeoutMs);
  }

  get pid(): number {
    return this.record.pid;
  }

  get exit(): ExitStatus | undefined {
    return this.#exit;
  }

  get size(): { cols: number; rows: number } | undefined {
    return this.#size;
  }

  /** Every output stream has ended. */
  get isOutputClosed(): boolean {
    return this.streams.every((stream) => stream.closed);
  }

  /** What a client is told: exit follows the end of output, and what is kept of it is on disk by then. */
  get finalExit(): ExitStatus | undefined {
    return this.#isComplete ? this.#exit : undefined;
  }

  /** Its foreground client has the report. */
  reportTaken(): void {
    this.report.taken();
    if (this.#isComplete) this.#finishWhereSettled();
  }

  /** Makes the record and waits for the end. Call once, when the exec has succeeded. */
  begin(): void {
    this.#tryDisk(() => this.#keeper.writeRecord());
    void this.#started.exit.then(({ code, signal }) => this.#reaped(code, signal));
  }

  managed(): ManagedProcess {
    const { shimProcess: _, ...record } = this.record;
    const [out, err] = this.streams;
    if (out === undefined) throw new Error('a process without an output stream');
    return {
      ...record,
      out: { base: out.base, end: out.end, closed: out.closed },
      ...(err === undefined ? {} : { err: { base: err.base, end: err.end, closed: err.closed } }),
      ...(this.#size === undefined ? {} : { size: this.#size }),
      ...(this.#exit === undefined ? {} : { exit: this.#exit }),
      ...(this.#logError === undefined ? {} : { logError: this.#logError }),
      clients: this.#clients.size,
    };
  }

  addClient(client: ProcessClient): void {
    this.#clients.add(client);
  }

  /** @param hasLeft it said so: its window size is given back at once. */
  removeClient(client: ProcessClient, hasLeft: boolean): void {
    this.#clients.delete(client);
    this.#sizes.delete(client);
    if (!this.#sizes.isHolder(client) || this.#clients.size === 0) return;
    if (hasLeft) this.#giveSizeBack();
    else this.#deadlines.set('size', sizeGraceMs, () => this.#giveSizeBack());
  }

  /** It typed. */
  clientActive(client: ProcessClient): void {
    this.#sizes.active(client);
  }

  resize(cols: number, rows: number, by?: ProcessClient): void {
    const terminal = this.#started.terminal;
    if (terminal === undefined || this.isOutputClosed) return;
    const size = clampSize({ cols, rows });
    if (by !== undefined) this.#sizes.set(by, size);
    this.#deadlines.clear('size');
    if (size.cols === this.#size?.cols && size.rows === this.#size.rows) return;
    resizeTerminal(terminal, size.cols, size.rows);
    this.#size = size;
    this.#noteSize();
    for (const client of this.#clients) if (client !== by) client.resized(size.cols, size.rows);
  }

  /** Of those that are left, the client that was active last has its window's size again. */
  #giveSizeBack(): void {
    const size = this.#sizes.next();
    if (size !== undefined) this.resize(size.cols, size.rows);
  }

  /** The foreground client has connected; `retire` is called when a newer connection of it takes over. */
  takeForeground(retire: () => void): void {
    this.#retireForeground?.();
    this.#retireForeground = retire;
  }

  /** The foreground client came, left or was lost. */
  foregroundChanged(outcome: ForegroundOutcome): void {
    if (outcome === 'wait') this.#startGrace();
    else this.#deadlines.clear('grace');
    if (outcome === 'apply') this.#applyOnDisconnect();
    this.regulate();
  }

  acked(stream: StreamNumber, offset: number): void {
    this.foreground.acked(stream, offset);
    this.streams[stream - 1]?.regulate();
    if (this.#isComplete) this.#finishWhereSettled();
  }

  regulate(): void {
    for (const stream of this.streams) stream.regulate();
    if (this.#isComplete) this.#finishWhereSettled();
  }

  /** How it ended and what is kept of it, once that is known. */
  get end(): ProcessEnd | undefined {
    return this.#keeper.end;
  }

  /** Tries again what a full disk has refused; true where nothing is owed. */
  retryDisk(): boolean {
    return this.#keeper.retry();
  }

  #changed(stream: OutputStream): void {
    if (this.streams.length > 1) {
      this.order.add(stream.number, stream.end);
      this.order.trim({ 1: this.streams[0]?.base ?? 0, 2: this.streams[1]?.base ?? 0 });
      if (this.#keep === 'disk' && this.order.hasTurns && !this.#deadlines.has('order'))
        this.#deadlines.set('order', orderEveryMs, () => this.#noteOrder());
    }
    if (stream.closed && stream.number === 1 && this.#started.terminal !== undefined) {
      this.#events.onTerminalClosed(this.#started.terminal);
      this.inputs.closeTyped();
    }
    if (this.#deadlines.has('hangUp')) this.#hangUpSoon();
    for (const client of this.#clients) client.pump();
    if (stream.closed && this.#exit !== undefined && this.isOutputClosed) void this.#complete();
  }

  #reaped(code: number | null, signal: string | null): void {
    this.#deadlines.clear('timeout');
    this.leader.reaped();
    this.inputs.terminalLeft();
    const unread = this.foreground.state === 'none' ? undefined : takeUnreadInput(this.#started, this.streams[0]);
    for (const stream of this.streams) stream.drain();
    this.report.keep(this.#started.channel?.take(), unread);
    const timedOutMs = this.#timedOutMs;
    this.#exit = { code, signal, atMs: Date.now(), ...(timedOutMs === undefined ? {} : { timedOutMs }) };
    if (this.isOutputClosed) {
      void this.#complete();
      return;
    }
    // What a process of its own leaves running may still write; how this one ended is known now.
    this.#tryDisk(() => this.#writeEnd());
    this.#events.onExit(this);
    if (this.#started.terminal === undefined) return;
    this.#hangUpSoon();
    this.#deadlines.set('hangUpAtLast', hangUpAtLastMs, () => this.streams[0]?.close());
  }

  #hangUpSoon(): void {
    this.#deadlines.set('hangUp', hangUpAfterMs, () => this.streams[0]?.close());
  }

  /** Output has ended too: the files are made complete, then everybody is told. */
  async #complete(): Promise<void> {
    this.#deadlines.clear('hangUp', 'hangUpAtLast', 'order', 'size');
    this.inputs.destroy();
    if (this.streams.some((stream) => stream.isLogPending)) await this.#flushLogs();
    for (const stream of this.streams) stream.closeLog();
    const wasKnown = this.#keeper.end !== undefined;
    for (const stream of this.streams) this.#tryDisk(() => stream.finish());
    this.#tryDisk(() => {
      const order = this.#orderText();
      if (order !== '') this.#keeper.writeOrder(order);
    });
    this.#tryDisk(() => this.#writeEnd());
    this.#isComplete = true;
    if (!wasKnown) this.#events.onExit(this);
    for (const client of this.#clients) client.pump();
    this.regulate();
  }

  /** A disk that hangs must not keep the exit status from those who wait for it. */
  async #flushLogs(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, flushDeadlineMs);
    });
    await Promise.race([Promise.all(this.streams.map((stream) => stream.flushLog())), deadline]);
    clearTimeout(timer);
    if (this.streams.some((stream) => stream.isLogPending)) this.#loseLog(new Error('the disk did not answer in time'));
  }

  #finishWhereSettled(): void {
    if (this.#isFinished) return;
    const ends = new Map(this.streams.map((stream) => [stream.number, stream.end] as const));
    if (!this.foreground.isSettled(ends)) return;
    if (this.report.isOwed && this.foreground.state !== 'none') return;
    this.#isFinished = true;
    this.#deadlines.clear('grace');
    this.foreground.deadline();
    this.#events.onFinished(this);
  }

  #writeEnd(): void {
    const [out, err] = this.streams;
    if (this.#exit === undefined || out === undefined) return;
    this.#keeper.writeEnd({
      exit: this.#exit,
      out: out.kept,
      ...(err === undefined ? {} : { err: err.kept }),
      ...(this.#size === undefined ? {} : { size: this.#size }),
      ...(this.#logError === undefined ? {} : { logError: this.#logError }),
    });
  }

  #orderText(): string {
    return this.order.toText({ 1: this.streams[0]?.kept.base ?? 0, 2: this.streams[1]?.kept.base ?? 0 });
  }

  #noteOrder(): void {
    try {
      if (this.#keeper.addOrder(this.order.takeNew()) > maxOrderBytes) this.#keeper.writeOrder(this.#orderText());
    } catch {
      // A full disk, which the log tells of: order is a convenience, and bytes are not.
    }
  }

  #noteSize(): void {
    const size = this.#size;
    if (size === undefined) return;
    this.#tryDisk(() => this.#keeper.addSize(`${this.streams[0]?.end ?? 0} ${size.cols} ${size.rows}\n`));
  }

  /** A full disk costs the log, never the process. */
  #tryDisk(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#loseLog(error as Error);
    }
  }

  #loseLog(error: Error): void {
    this.#logError ??= `${error.message}: output from here on is not kept`;
  }

  #startGrace(): void {
    this.#deadlines.set('grace', this.#graceMs, () => this.foregroundChanged(this.foreground.deadline()));
  }

  #applyOnDisconnect(): void {
    if (this.#exit !== undefined) return;
    if (this.record.onDisconnect === 'hup') this.leader.hangUp();
    if (this.record.onDisconnect === 'kill') this.leader.kill();
  }

  #startTimeout(timeoutMs: number): void {
    this.#deadlines.set('timeout', timeoutMs, () => {
      this.#timedOutMs = timeoutMs;
      this.leader.terminate();
      this.#deadlines.set('timeout', killAfterMs, () => this.leader.kill());
    });
  }
}

function keepMode({ io, stdout, foreground, keepBytes }: SpawnParams): KeepMode {
  if (keepBytes === 0) return 'none';
  const isSmall = keepBytes <= foregroundPipeKeepBytes;
  return (io === 'pipes' || stdout === 'pipe') && foreground !== undefined && isSmall ? 'tail' : 'disk';
}
