/**
 * Links inside one process, for tests of what lies above: sockets are functions, and the line between can be slow or be cut. Bytes
 * arrive in order, each direction ends by itself, and a writer waits where the reader does, as over a real link.
 */
import { Duplex } from 'node:stream';
import { NshError } from '../protocol/errors.ts';
import type { ExecResult, Link } from './link.ts';
import { delay, withSignal } from './wait.ts';

/** What listens on a path: it gets the other end of each stream. */
export type MemoryListener = (stream: Duplex) => void;

export interface MemoryLinkOptions {
  readonly address?: string;
  /** One way, ms; default 0. */
  readonly latencyMs?: number;
  /** Bytes on their way in one direction before a writer waits; default 64 KiB. */
  readonly windowBytes?: number;
  readonly exec?: (command: string) => Promise<ExecResult>;
}

export class MemoryLink implements Link {
  readonly address: string;
  readonly closed: Promise<Error | undefined>;
  /** Path → who listens there; may be changed at any time. */
  readonly listeners = new Map<string, MemoryListener>();
  readonly #options: MemoryLinkOptions;
  readonly #streams = new Set<Duplex>();
  #resolveClosed: (error: Error | undefined) => void = () => undefined;
  #down: Error | undefined;

  constructor(options: MemoryLinkOptions = {}) {
    this.#options = options;
    this.address = options.address ?? 'memory';
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  async openSocket(path: string, signal: AbortSignal): Promise<Duplex> {
    const what = `${this.address}: opening ${path}`;
    await this.#roundTrip(signal, what);
    const listener = this.listeners.get(path);
    if (listener === undefined) throw new NshError('noAgent', `${this.address}: nothing listens on ${path}`);
    const [near, far] = memoryPair(this.#options);
    for (const stream of [near, far]) {
      this.#streams.add(stream);
      stream.once('close', () => this.#streams.delete(stream));
    }
    listener(far);
    return near;
  }

  async exec(command: string, signal: AbortSignal): Promise<ExecResult> {
    const what = `${this.address}: a command`;
    await this.#roundTrip(signal, what);
    const { exec } = this.#options;
    if (exec === undefined) return { stdout: '', stderr: `${command}: not found\n`, code: 127 };
    return withSignal(exec(command), signal, what);
  }

  /** The connection breaks: every stream fails at both ends, nothing more arrives. */
  cut(reason: Error = new NshError('linkLost', `${this.address}: the connection was lost`)): void {
    this.#end(reason, reason);
  }

  close(): void {
    this.#end(new NshError('linkLost', `${this.address}: the link was closed`), undefined);
  }

  #end(toStreams: Error, toOwner: Error | undefined): void {
    if (this.#down !== undefined) return;
    this.#down = toStreams;
    for (const stream of this.#streams) stream.destroy(toStreams);
    this.#resolveClosed(toOwner);
  }

  async #roundTrip(signal: AbortSignal, what: string): Promise<void> {
    if (this.#down !== undefined) throw this.#down;
    await delay(2 * (this.#options.latencyMs ?? 0), signal, what);
    if (this.#down !== undefined) throw this.#down;
  }
}

/** Two ends of one stream. */
export function memoryPair(options: Pick<MemoryLinkOptions, 'latencyMs' | 'windowBytes'> = {}): [Duplex, Duplex] {
  const one = new MemoryEnd(options);
  const other = new MemoryEnd(options);
  one.join(other);
  other.join(one);
  return [one, other];
}

class MemoryEnd extends Duplex {
  readonly #latencyMs: number;
  #peer: MemoryEnd | undefined;
  /** The peer's writes that we have not had room for: called when we are read. */
  #waiting: (() => void)[] = [];
  #timers = new Set<NodeJS.Timeout>();

  constructor({ latencyMs = 0, windowBytes = 64 * 1024 }: Pick<MemoryLinkOptions, 'latencyMs' | 'windowBytes'>) {
    super({ readableHighWaterMark: windowBytes, writableHighWaterMark: windowBytes, allowHalfOpen: true });
    this.#latencyMs = latencyMs;
    // As ChannelStream: an error that nobody listens to must not end the process.
    this.on('error', () => undefined);
  }

  join(peer: MemoryEnd): void {
    this.#peer = peer;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    // A copy: the writer may use its buffer again at once, as with a socket.
    const bytes = Buffer.from(chunk);
    this.#deliver((peer) => {
      if (peer.destroyed) callback(Object.assign(new Error('the other side has closed the stream'), { code: 'EPIPE' }));
      else if (peer.push(bytes)) callback();
      else peer.#waiting.push(() => callback());
    });
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#deliver((peer) => {
      if (!peer.destroyed) peer.push(null);
      callback();
    });
  }

  override _read(): void {
    for (const resume of this.#waiting.splice(0)) resume();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const resume of this.#waiting.splice(0)) resume();
    // The other side sees an end of file, after what is on its way.
    const peer = this.#peer;
    if (peer !== undefined && error === null) {
      this.#later(() => {
        if (!peer.destroyed && !peer.readableEnded && !this.writableFinished) peer.push(null);
      });
    }
    callback(error);
  }

  #deliver(action: (peer: MemoryEnd) => void): void {
    const peer = this.#peer;
    if (peer !== undefined) this.#later(() => action(peer));
  }

  /** Equal delays keep the order: timers of one length fire as they were set. */
  #later(action: () => void): void {
    if (this.#latencyMs === 0) {
      queueMicrotask(action);
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, this.#latencyMs);
    this.#timers.add(timer);
  }
}
