/** A process as one stream connection deals with it: living or ended. One object for each connection. */
import { streamNumbers, type OpenedFrame, type OpenFrame, type StreamNumber } from '../../src/protocol/frames.ts';
import type { ExitStatus } from '../../src/protocol/process.ts';
import { streamVersion } from '../../src/protocol/version.ts';
import { NshError } from '../../src/protocol/errors.ts';
import type { EndedProcess } from './ended-process.ts';
import type { InputListener, InputQueue } from './input-queue.ts';
import type { LiveProcess, ProcessClient } from './live-process.ts';
import type { OrderLog } from './order-log.ts';
import type { LiveReader } from './output-stream.ts';
import type { OutputView } from './output-view.ts';
import type { OwedReport } from './owed-report.ts';

export interface StreamInput {
  push(client: string, offset: number, bytes: Buffer): void;
  end(client: string, offset: number): void;
}

export interface StreamTarget {
  /** The exit status, once every byte of output is there. */
  readonly finalExit: ExitStatus | undefined;
  /** For its foreground client alone. */
  readonly report: OwedReport | undefined;
  /** Absent where input goes nowhere. */
  readonly input: StreamInput | undefined;
  attach(
    open: OpenFrame,
    client: ProcessClient,
    input: InputListener,
  ): { readonly opened: OpenedFrame; readonly views: readonly OutputView[]; readonly order: () => OrderLog };
  /** The client's positions, for as long as it is attached. */
  follow(cursors: readonly LiveReader[]): void;
  acked(stream: StreamNumber, offset: number): void;
  /** A position moved without an ack. */
  progressed(): void;
  resize(cols: number, rows: number, by: ProcessClient): void;
  signal(signal: number, isForeground: boolean): void;
  /** @param farewell undefined where the connection broke. */
  detach(farewell: 'keep' | 'final' | undefined): void;
}

export class EndedTarget implements StreamTarget {
  readonly input = undefined;
  readonly report = undefined;
  readonly #process: EndedProcess;

  constructor(process: EndedProcess) {
    this.#process = process;
  }

  get finalExit(): ExitStatus {
    return this.#process.exit;
  }

  attach(open: OpenFrame): ReturnType<StreamTarget['attach']> {
    checkVersion(open.version);
    const views = this.#process.streams();
    const { size } = this.#process.end;
    const opened = openedFrame(this.#process.record.io, views, { offset: 0, window: 0 }, size);
    return { opened, views: open.role === 'feed' ? [] : views, order: () => this.#process.order() };
  }

  // Nothing of an ended process waits for a client or listens to one.
  follow(): void {}
  acked(): void {}
  progressed(): void {}
  resize(): void {}
  detach(): void {}

  signal(): void {
    throw new NshError('noSuchProcess', `process ${this.#process.record.pid} has ended`);
  }
}

export class LiveTarget implements StreamTarget {
  readonly input: StreamInput;
  readonly #process: LiveProcess;
  #client: ProcessClient | undefined;
  #open: OpenFrame | undefined;
  #inputListener: InputListener | undefined;
  #cursors: readonly LiveReader[] = [];
  /** This connection is the foreground client's, and no newer one has taken over. */
  #isForeground = false;

  constructor(process: LiveProcess) {
    this.#process = process;
    this.input = {
      push: (client, offset, bytes) => {
        if (this.#client !== undefined) process.clientActive(this.#client);
        this.#queue.push(client, offset, bytes);
      },
      end: (client, offset) => this.#queue.end(client, offset),
    };
  }

  get finalExit(): ExitStatus | undefined {
    return this.#process.finalExit;
  }

  get report(): OwedReport | undefined {
    return this.#isForeground ? this.#process.report : undefined;
  }

  attach(open: OpenFrame, client: ProcessClient, input: InputListener): ReturnType<StreamTarget['attach']> {
    const process = this.#process;
    this.#checkRole(open);
    if (open.role === 'foreground') {
      process.takeForeground(() => {
        this.#isForeground = false;
        client.close(new NshError('cancelled', 'a newer connection of this client has taken over'));
      });
      this.#isForeground = true;
      process.foreground.connected(open.window);
      process.foregroundChanged('nothing');
    }
    this.#client = client;
    this.#open = open;
    process.addClient(client);
    this.#inputListener = input;
    if (open.role === 'feed') process.inputs.feederCame();
    const stdin =
      open.role === 'read' ? { offset: 0, window: 0 } : this.#queue.connect(open.client, input, open.behind);
    if (open.role !== 'read' && open.size !== undefined) process.resize(open.size.cols, open.size.rows, client);
    const opened = openedFrame(process.record.io, process.streams, stdin, process.size);
    return { opened, views: open.role === 'feed' ? [] : process.streams, order: () => process.order };
  }

  follow(cursors: readonly LiveReader[]): void {
    if (this.#isForeground) {
      // What it had before this connection it need not ack again.
      cursors.forEach((cursor, index) => {
        const stream = this.#process.streams[index];
        if (stream !== undefined) this.#process.acked(stream.number, Math.min(cursor.position, stream.end));
      });
      return;
    }
    this.#cursors = cursors;
    cursors.forEach((cursor, index) => this.#process.streams[index]?.readers.add(cursor));
  }

  acked(stream: StreamNumber, offset: number): void {
    if (stream === streamNumbers.report) this.#process.reportTaken();
    else if (this.#isForeground) this.#process.acked(stream, offset);
    else this.#process.streams[stream - 1]?.regulate();
  }

  progressed(): void {
    for (const stream of this.#process.streams) stream.regulate();
  }

  resize(cols: number, rows: number, by: ProcessClient): void {
    this.#process.resize(cols, rows, by);
  }

  signal(signal: number, isForeground: boolean): void {
    try {
      this.#process.leader.signal(signal, isForeground ? 'foreground' : 'group');
    } catch (error) {
      // It has ended while the signal was on its way: the exit status says so.
      if (!(error instanceof NshError) || error.code !== 'noSuchProcess') throw error;
    }
  }

  detach(farewell: 'keep' | 'final' | undefined): void {
    const process = this.#process;
    if (this.#client !== undefined) process.removeClient(this.#client, farewell !== undefined);
    if (this.#open !== undefined && this.#inputListener !== undefined) {
      this.#queue.disconnect(this.#open.client, this.#inputListener);
    }
    if (this.#open?.role === 'feed') process.inputs.feederLeft();
    this.#cursors.forEach((cursor, index) => process.streams[index]?.readers.delete(cursor));
    if (!this.#isForeground) {
      process.regulate();
      return;
    }
    this.#isForeground = false;
    process.foregroundChanged(
      farewell === undefined ? process.foreground.lost() : process.foreground.detached(farewell === 'final'),
    );
  }

  get #queue(): InputQueue {
    return this.#process.inputs.queueFor(this.#open?.role ?? 'read');
  }

  #checkRole({ version, role, client }: OpenFrame): void {
    checkVersion(version);
    if (role !== 'foreground' || this.#process.foreground.client === client) return;
    throw new NshError(
      'notPermitted',
      `process ${this.#process.pid} was not started by this client; attach to it instead`,
    );
  }
}

function checkVersion(version: number): void {
  if (version === streamVersion) return;
  throw new NshError('protocolMismatch', `streams of version ${version} are not spoken here, only ${streamVersion}`);
}

function openedFrame(
  io: OpenedFrame['io'],
  views: readonly OutputView[],
  stdin: OpenedFrame['stdin'],
  size: OpenedFrame['size'],
): OpenedFrame {
  const [out, err] = views.map(({ base, end, closed }) => ({ base, end, closed }));
  if (out === undefined) throw new Error('a process without an output stream');
  return {
    version: streamVersion,
    io,
    stdout: out,
    ...(err === undefined ? {} : { stderr: err }),
    stdin,
    ...(size === undefined ? {} : { size }),
  };
}
