/** What a user of a process stream gives and gets. The work is in process-stream.ts. */
import type { Duplex, Writable } from 'node:stream';
import type { NshError } from '../../protocol/errors.ts';
import type { OpenedFrame, OpenFrame } from '../../protocol/frames.ts';
import type { ExitStatus, ProcessRef } from '../../protocol/process.ts';
import type { StartOffset } from './output-position.ts';
import type { OutputSink } from './sink.ts';

export type OutputName = 'stdout' | 'stderr';

export interface TerminalSize {
  readonly cols: number;
  readonly rows: number;
}

export interface OutputGap {
  readonly stream: OutputName;
  /** First offset that is missing, and the offset that comes next. */
  readonly from: number;
  readonly to: number;
}

export interface ProcessStreamOptions {
  /** Opens a connection to the shim that serves the process; called again whenever the last one was lost. */
  readonly dial: (signal: AbortSignal) => Promise<Duplex>;
  /**
   * Opens a better connection to the same shim, for a stream that stays or carries much: the stream moves there, unnoticed. Where it
   * fails the stream stays as it is.
   */
  readonly shortcut?: (signal: AbortSignal) => Promise<Duplex>;
  readonly process: ProcessRef;
  readonly role: OpenFrame['role'];
  /** Default: a random one. A foreground client must use the id that it gave to `run`. */
  readonly client?: string;
  /** Where to begin. Default: offset 0. */
  readonly from?: { readonly stdout: StartOffset; readonly stderr?: StartOffset };
  /** Output goes here; with a terminal all of it to stdout. Default: dropped. */
  readonly stdout?: OutputSink;
  readonly stderr?: OutputSink;
  /** Bytes of each output that may be on their way or untaken. Default 4 MiB; 256 KiB suits a terminal. */
  readonly windowBytes?: number;
  /** Size of the client's terminal; absent: the process keeps the one it has. */
  readonly size?: TerminalSize;
  /** `read` only: false stops at what is there now. Default true. */
  readonly follow?: boolean;
  /** `attach` only: false gets every byte that is kept, for who has no screen to be drawn anew. Default true. */
  readonly skips?: boolean;
  /** `feed` only: what is fed comes behind so many bytes of others, and its end ends nothing. */
  readonly behind?: number;
  /** ms in which a lost connection must be made again. Default 60,000; 0: it is not made again. */
  readonly retryForMs?: number;
  /** The connection is lost and is being made again: `attempt` counts from 0. */
  readonly onLost?: (error: NshError, attempt: number) => void;
  /** Called at each successful open; `again` after a lost connection. */
  readonly onOpened?: (opened: OpenedFrame, again: boolean) => void;
  /**
   * Output is missing, because it is no longer kept or this client was too far behind. What follows waits for the answer: the
   * offset at which to go on (a screen was drawn that is valid there), or undefined to go on at `gap.to`.
   */
  readonly onGap?: (gap: OutputGap) => void | Promise<number | undefined>;
  /** Another client has resized the terminal. */
  readonly onResize?: (size: TerminalSize) => void;
  /** The process takes no more input. */
  readonly onInputClosed?: () => void;
  /** Firing breaks off: `ended` rejects with `cancelled`, and the shim sees a lost client. */
  readonly signal?: AbortSignal;
}

/** How a stream ended. */
export type StreamEnd =
  /** The process has ended, and all its output was taken. */
  | {
      readonly kind: 'exit';
      readonly status: ExitStatus;
      /** What it left on the channel that its `run` gave it. */
      readonly report?: Buffer;
      /** What was typed on its terminal and nobody has read, for its foreground client; `untaken` comes behind it. */
      readonly unread: Buffer;
    }
  /** `detach` was called. */
  | { readonly kind: 'detached' }
  /** `follow: false`: everything that was there was taken; the process may run on. */
  | { readonly kind: 'outputEnd' }
  /** A sink can take nothing any more (EPIPE, ENOSPC). */
  | { readonly kind: 'outputClosed'; readonly stream: OutputName; readonly error: Error };

export interface ProcessStream {
  /** Input of the process. Ending it closes the process's stdin. Writes after the process has ended are dropped. */
  readonly stdin: Writable;
  /** @throws NshError (rejects) where the process cannot be reached or is unknown; never settles before the first open else. */
  readonly opened: Promise<OpenedFrame>;
  /** @throws NshError (rejects): the link was lost for good, or the shim refused. */
  readonly ended: Promise<StreamEnd>;
  /** What was written to `stdin` and is not known to have reached the process. */
  readonly untaken: Buffer;
  /** True while a connection is open. */
  readonly connected: boolean;
  /** Remembered and sent at the next open where there is no connection. */
  resize(size: TerminalSize): void;
  /** `foreground`: to the foreground process group of the terminal, else to the process's own group. */
  sendSignal(signal: number, foreground: boolean): void;
  /** Leaves. `final`: the client itself ends, and on-disconnect applies at once; else the process runs on. */
  detach(final: boolean): void;
}
