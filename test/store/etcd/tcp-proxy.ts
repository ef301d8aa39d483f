/**
 * A TCP proxy on the loopback that misbehaves on command: it refuses, swallows, delays, and cuts a connection at the moment an answer
 * begins, so that a request was carried out and its client never learns of it.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { AnswerScanner } from './answer-scanner.ts';

export type ProxyMode =
  | 'pass'
  /** New connections are closed at once, and those that stood are cut. */
  | 'refuse'
  /** Nothing goes through either way; connections stay, as with a cable that was pulled. */
  | 'swallow'
  /** Requests go through, and answers are lost. */
  | 'swallow-answers';

export interface Address {
  readonly host: string;
  readonly port: number;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  /** Bytes of it are gone: it can only be cut when all is well again. */
  isLossy: boolean;
}

export class TcpProxy {
  /** Every piece waits so many ms, in order. */
  delayMs = 0;
  /** Of a client alone. */
  requestDelayMs = 0;
  /** Told of what a client has sent, when that is passed on. */
  onRequest: (piece: Buffer) => void = () => undefined;
  /** Asked when an HTTP/2 answer begins (clear text only); true: both sides are cut, before any of it is passed on. */
  cutsAnswer: () => boolean = () => false;
  /** First bytes of a client → whether it may go on; for a proxy that tells clients apart. */
  admits: (first: Buffer) => boolean = () => true;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #mode: ProxyMode = 'pass';

  private constructor(target: Address) {
    this.#server = createServer((client) => this.#accept(client, target));
  }

  static async listen(at: Address, target: Address): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    proxy.#server.listen(at.port, at.host);
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get mode(): ProxyMode {
    return this.#mode;
  }

  set mode(mode: ProxyMode) {
    this.#mode = mode;
    for (const pair of this.#pairs) if (mode === 'refuse' || (mode === 'pass' && pair.isLossy)) cut(pair);
  }

  /** Cuts what is connected now; new connections go by the mode. */
  cutAll(): void {
    for (const pair of this.#pairs) cut(pair);
  }

  async close(): Promise<void> {
    this.cutAll();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(client: Socket, target: Address): void {
    if (this.#mode === 'refuse') {
      client.on('error', ignore).destroy();
      return;
    }
    const server = connect({ ...target, noDelay: true });
    const pair: Pair = { client: client.setNoDelay(), server, isLossy: false };
    this.#pairs.add(pair);
    const scanner = new AnswerScanner();
    const [requests, answers] = [new Delays(), new Delays()];
    let isFirst = true;
    const forward = (to: Socket, piece: Buffer, isAnswer: boolean): void => {
      if (this.#mode === 'swallow' || (isAnswer && this.#mode === 'swallow-answers')) {
        pair.isLossy = true;
        return;
      }
      const passOn = (): void => {
        if (!to.writable) return;
        if (!isAnswer) this.onRequest(piece);
        to.write(piece);
      };
      (isAnswer ? answers : requests).add(this.delayMs + (isAnswer ? 0 : this.requestDelayMs), passOn);
    };
    client.on('data', (piece: Buffer) => {
      if (isFirst && !this.admits(piece)) return cut(pair);
      isFirst = false;
      forward(server, piece, false);
    });
    server.on('data', (piece: Buffer) => {
      if (scanner.answersIn(piece) > 0 && this.cutsAnswer()) return cut(pair);
      forward(client, piece, true);
    });
    for (const socket of [client, server]) {
      // How it ended does not matter: the other side is told by being cut as well, unless it is to notice nothing.
      socket.on('error', ignore);
      socket.on('close', () => {
        if (this.#mode === 'swallow') return;
        // What a client has sent is on its way, also when that has gone.
        (socket === client ? requests : answers).whenEmpty(() => {
          cut(pair);
          this.#pairs.delete(pair);
        });
      });
    }
  }
}

/** What is done later, in order, however the delays change. */
class Delays {
  readonly #queue: { readonly dueMs: number; readonly action: () => void }[] = [];

  add(delayMs: number, action: () => void): void {
    if (delayMs === 0 && this.#queue.length === 0) {
      action();
      return;
    }
    this.#queue.push({ dueMs: performance.now() + delayMs, action });
    if (this.#queue.length === 1) this.#wait();
  }

  /** At once, where nothing waits. */
  whenEmpty(action: () => void): void {
    const last = this.#queue.at(-1);
    if (last === undefined) action();
    else this.#queue.push({ dueMs: last.dueMs, action });
  }

  #wait(): void {
    const [first] = this.#queue;
    if (first === undefined) return;
    setTimeout(() => {
      this.#queue.shift();
      first.action();
      this.#wait();
    }, first.dueMs - performance.now());
  }
}

function cut({ client, server }: Pair): void {
  client.destroy();
  server.destroy();
}

function ignore(): void {
  // `close` follows.
}
