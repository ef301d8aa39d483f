/**
 * One end of a JSON-RPC 2.0 connection over any byte stream. Both ends may ask. Requests are cancelled with the notification
 * `cancel {id}`; when the connection ends every open request on either side ends with it.
 */
import type { Duplex } from 'node:stream';
import { maxLineBytes } from '../protocol/limits.ts';
import { fromWireError, NshError, toNshError } from '../protocol/errors.ts';
import { LineSplitter } from './line-splitter.ts';
import {
  decodeMessage,
  encodeError,
  encodeNotification,
  encodeRequest,
  encodeResult,
  rawResult,
  type Message,
  type MessageId,
} from './message.ts';

export interface RequestContext {
  /** Fires when the other end cancels the request or is gone. */
  readonly signal: AbortSignal;
  readonly peer: RpcPeer;
}

/** A connection that has become a byte stream. */
export interface Upgraded {
  /** Paused until its new owner reads it. */
  readonly stream: Duplex;
  /** Bytes that came right behind the last message. */
  readonly head: Buffer;
}

/** What a request handler returns to turn the connection into a byte stream once the (empty) result is written. */
export class Upgrade {
  readonly take: (upgraded: Upgraded) => void;

  constructor(take: (upgraded: Upgraded) => void) {
    this.take = take;
  }
}

export interface PeerOptions {
  /** Who the other end is, for error messages: `web3`, `the agent of this machine`. */
  readonly name: string;
  /** Answers a request: a result, or what it throws as the error. Absent: every method is unknown. */
  readonly onRequest?: (method: string, params: unknown, context: RequestContext) => Promise<unknown>;
  readonly onNotification?: (method: string, params: unknown) => void;
  /** A line that could not be read; true: it was dealt with, the connection goes on. */
  readonly onBadLine?: (line: Buffer, error: NshError) => boolean;
  /** Longest line from the other end, bytes. Default 64 MiB. */
  readonly maxLineBytes?: number;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** From now, ms. Default none. @throws NshError `timeout` from the call. */
  readonly deadlineMs?: number;
  /** Resolve with the result's text as a `RawJson` where it allows, unparsed. */
  readonly raw?: boolean;
}

interface Pending {
  readonly mode: 'value' | 'raw' | 'upgrade';
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: NshError) => void;
}

export class RpcPeer {
  readonly name: string;
  /** The reason why the connection ended; undefined where it just closed. */
  readonly closed: Promise<NshError | undefined>;
  readonly #stream: Duplex;
  readonly #options: PeerOptions;
  readonly #splitter: LineSplitter;
  readonly #pending = new Map<MessageId, Pending>();
  readonly #serving = new Map<MessageId, AbortController>();
  readonly #settleClosed: (error: NshError | undefined) => void;
  #nextId = 1;
  #heard = 0;
  #ended: NshError | undefined;

  constructor(stream: Duplex, options: PeerOptions) {
    this.#stream = stream;
    this.#options = options;
    this.name = options.name;
    this.#splitter = new LineSplitter(options.maxLineBytes ?? maxLineBytes);
    const { promise, resolve } = withResolvers<NshError | undefined>();
    this.closed = promise;
    this.#settleClosed = resolve;
    stream.on('data', this.#onData);
    stream.on('end', this.#onEnd);
    stream.on('close', this.#onEnd);
    stream.on('error', this.#onError);
  }

  /** @throws NshError: what the other end answered, `linkLost` where the connection ended first, `cancelled`, `timeout`. */
  request(method: string, params: unknown, options: CallOptions = {}): Promise<unknown> {
    return this.#request(method, params, options, options.raw === true ? 'raw' : 'value');
  }

  /**
   * A request whose result turns this connection into a byte stream: no message is read after it.
   * @throws NshError as `request`; the connection stays one of messages then.
   */
  async requestUpgrade(method: string, params: unknown, options: CallOptions = {}): Promise<Upgraded> {
    return (await this.#request(method, params, options, 'upgrade')) as Upgraded;
  }

  #request(method: string, params: unknown, options: CallOptions, mode: Pending['mode']): Promise<unknown> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    if (options.signal?.aborted === true) return Promise.reject(cancelled(this.name, options.signal));
    const id = this.#nextId++;
    const { promise, resolve, reject } = withResolvers<unknown>();
    const timer =
      options.deadlineMs === undefined
        ? undefined
        : setTimeout(() => {
            this.#giveUp(id, new NshError('timeout', `${this.name} did not answer within ${options.deadlineMs} ms`));
          }, options.deadlineMs);
    const onAbort = (): void => this.#giveUp(id, cancelled(this.name, options.signal));
    options.signal?.addEventListener('abort', onAbort, { once: true });
    const settle = (): void => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', onAbort);
    };
    this.#pending.set(id, {
      mode,
      resolve: (value) => {
        settle();
        resolve(value);
      },
      reject: (error) => {
        settle();
        reject(error);
      },
    });
    this.#stream.write(encodeRequest(id, method, params));
    return promise;
  }

  notify(method: string, params: unknown): void {
    this.writeLine(encodeNotification(method, params));
  }

  /** A line that is encoded already; false where the other end should be given time to read. */
  writeLine(line: string | Buffer): boolean {
    return this.#ended === undefined && this.#stream.write(line);
  }

  /** How often something has come: it grows while the other end is there. */
  get heard(): number {
    return this.#heard;
  }

  /** It has not ended, as far as this end knows: what is asked now goes out. */
  get isOpen(): boolean {
    return this.#ended === undefined;
  }

  /** A request of ours is open. */
  get isWaiting(): boolean {
    return this.#pending.size > 0;
  }

  /** Holds reading while the other end does not read us. */
  get stream(): Duplex {
    return this.#stream;
  }

  /** Ends the connection; every open request fails with `error`. */
  close(error?: NshError): void {
    this.#finish(error);
    this.#stream.destroy();
  }

  /** As `close`, of an end that stands still: what it was asked for must not be done when it goes on. */
  abandon(error: NshError): void {
    for (const id of this.#pending.keys()) this.#giveUp(id, error);
    this.#finish(error);
    this.#stream.end(() => this.#stream.destroy());
    setTimeout(() => this.#stream.destroy(), 1_000).unref();
  }

  /** Closes when what was written has gone out. */
  end(): void {
    this.#stream.end();
  }

  /** Gives the byte stream away, paused. */
  #upgrade(): Upgraded {
    this.#stream.pause();
    this.#stream.off('data', this.#onData);
    this.#stream.off('end', this.#onEnd);
    this.#stream.off('close', this.#onEnd);
    this.#stream.off('error', this.#onError);
    const head = this.#splitter.takeRest();
    this.#finish(undefined);
    return { stream: this.#stream, head };
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#heard++;
    try {
      this.#splitter.push(chunk);
      for (let line = this.#splitter.next(); line !== undefined; line = this.#splitter.next()) {
        this.#onLine(line);
        if (this.#ended !== undefined) return;
      }
    } catch (error) {
      this.#failBy(error);
    }
  };

  readonly #onEnd = (): void => this.close();
  readonly #onError = (error: Error): void => {
    this.close(new NshError('linkLost', `the connection to ${this.name} broke: ${error.message}`, { cause: error }));
  };

  #onLine(line: Buffer): void {
    if (line.length === 0) return;
    if (this.#pending.size > 0 && this.#takeRaw(line)) return;
    let message: Message;
    try {
      message = decodeMessage(line);
    } catch (error) {
      const known = toNshError(error, 'invalidMessage');
      if (this.#options.onBadLine?.(line, known) !== true) this.#failBy(known);
      return;
    }
    this.#dispatch(message);
  }

  /** Settles the request that asked for raw text, where this is its answer. */
  #takeRaw(line: Buffer): boolean {
    const match = /^\{"jsonrpc":"2\.0","id":(\d+),"result":/.exec(line.toString('latin1', 0, 60));
    if (match === null) return false;
    const id = Number(match[1]);
    const pending = this.#pending.get(id);
    if (pending?.mode !== 'raw') return false;
    const raw = rawResult(line, id);
    if (raw === undefined) return false;
    this.#pending.delete(id);
    pending.resolve(raw);
    return true;
  }

  #dispatch(message: Message): void {
    switch (message.kind) {
      case 'request':
        void this.#serve(message.id, message.method, message.params);
        return;
      case 'notification':
        if (message.method === 'cancel') this.#onCancel(message.params);
        else this.#options.onNotification?.(message.method, message.params);
        return;
      case 'result':
        this.#settle(message.id, (pending) => {
          pending.resolve(pending.mode === 'upgrade' ? this.#upgrade() : message.result);
        });
        return;
      case 'error':
        if (message.id === null) this.close(fromWireError(message.error));
        else this.#settle(message.id, (pending) => pending.reject(fromWireError(message.error)));
        return;
    }
  }

  #settle(id: MessageId, settle: (pending: Pending) => void): void {
    const pending = this.#pending.get(id);
    // An answer to a request that was given up is no fault.
    if (pending === undefined) return;
    this.#pending.delete(id);
    settle(pending);
  }

  #giveUp(id: MessageId, error: NshError): void {
    this.#settle(id, (pending) => {
      this.notify('cancel', { id });
      pending.reject(error);
    });
  }

  async #serve(id: MessageId, method: string, params: unknown): Promise<void> {
    const controller = new AbortController();
    this.#serving.set(id, controller);
    let line: string;
    try {
      const handler = this.#options.onRequest;
      if (handler === undefined) throw new NshError('unknownMethod', `${method} is no method here`);
      const result = await handler(method, params, { signal: controller.signal, peer: this });
      if (result instanceof Upgrade) {
        this.#serving.delete(id);
        this.writeLine(encodeResult(id, {}));
        result.take(this.#upgrade());
        return;
      }
      line = encodeResult(id, result);
    } catch (error) {
      line = encodeError(id, error);
    }
    this.#serving.delete(id);
    this.writeLine(line);
  }

  #onCancel(params: unknown): void {
    const id = (params as { id?: MessageId } | null)?.id;
    if (id !== undefined) this.#serving.get(id)?.abort(new NshError('cancelled', 'the request was cancelled'));
  }

  /** Tells the other end why before closing: it sent something that has no meaning. */
  #failBy(error: unknown): void {
    const known = toNshError(error, 'invalidMessage');
    if (this.#ended === undefined) this.#stream.write(encodeError(null, known));
    this.#finish(new NshError(known.code, `${this.name}: ${known.message}`, { cause: known }));
    this.#stream.end();
    // What else it sends is not read, and it need not read us either.
    this.#stream.resume();
    setTimeout(() => this.#stream.destroy(), 1_000).unref();
  }

  #finish(error: NshError | undefined): void {
    if (this.#ended !== undefined) return;
    this.#ended = error ?? new NshError('linkLost', `the connection to ${this.name} has ended`);
    for (const pending of this.#pending.values()) pending.reject(this.#ended);
    this.#pending.clear();
    for (const controller of this.#serving.values()) controller.abort(this.#ended);
    this.#serving.clear();
    this.#settleClosed(error);
  }
}

function cancelled(name: string, signal: AbortSignal | undefined): NshError {
  const reason: unknown = signal?.reason;
  return reason instanceof NshError ? reason : new NshError('cancelled', `the request to ${name} was cancelled`);
}

/** Promise.withResolvers, which Node 20 has not. */
export function withResolvers<T>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: NshError) => void;
} {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: NshError) => void = () => undefined;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
