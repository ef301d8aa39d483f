/** The shim's socket: tells control from streams by the first byte, and knows when nobody is connected. */
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { bindIn } from '../../src/cluster/paths.ts';
import type { OpenFrame } from '../../src/protocol/frames.ts';
import { NshError } from '../../src/protocol/errors.ts';
import { StreamConnection } from './stream-connection.ts';
import type { StreamTarget } from './stream-target.ts';

export interface ServerHandlers {
  readonly onControl: (socket: Socket) => void;
  readonly openStream: (open: OpenFrame) => StreamTarget;
  /** A connection has come or gone. */
  readonly onChange: () => void;
}

const openBrace = 0x7b;
/** A connection that says nothing is not kept. */
const firstByteMs = 10_000;
const maxConnections = 4096;

export class ShimServer {
  readonly #server: Server;
  readonly #handlers: ServerHandlers;
  readonly #sockets = new Set<Socket>();

  constructor(handlers: ServerHandlers) {
    this.#handlers = handlers;
    this.#server = createServer((socket) => this.#accept(socket));
    this.#server.maxConnections = maxConnections;
  }

  get connectionCount(): number {
    return this.#sockets.size;
  }

  /** Bursts of hundreds of clients overflow the default backlog of 511. */
  async listen(path: string): Promise<void> {
    rmSync(path, { force: true });
    await bindIn(dirname(path), () => this.#bind(path));
    chmodSync(path, 0o600);
  }

  async #bind(path: string): Promise<void> {
    // A socket is made with the mode that the umask leaves: nobody else may come even for a moment.
    const umask = process.umask(0o177);
    try {
      await new Promise<void>((resolve, reject) => {
        this.#server.once('error', reject);
        this.#server.listen({ path, backlog: 4096 }, () => {
          this.#server.off('error', reject);
          resolve();
        });
      });
    } finally {
      process.umask(umask);
    }
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroySoon();
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    const timer = setTimeout(() => socket.destroy(), firstByteMs);
    const onEarlyError = (): void => {
      socket.destroy();
    };
    socket.on('error', onEarlyError);
    socket.once('close', () => {
      clearTimeout(timer);
      this.#sockets.delete(socket);
      this.#handlers.onChange();
    });
    socket.once('data', (chunk: Buffer) => {
      clearTimeout(timer);
      socket.pause();
      if (chunk[0] === openBrace) this.#handlers.onControl(socket);
      else this.#serveStream(socket);
      // The new owner's listener gets the first bytes again.
      socket.unshift(chunk);
      socket.resume();
    });
    this.#handlers.onChange();
  }

  #serveStream(socket: Socket): void {
    const connection = new StreamConnection(socket, (open) => {
      clearTimeout(openTimer);
      return this.#handlers.openStream(open);
    });
    const openTimer = setTimeout(() => {
      connection.close(new NshError('timeout', `no open frame came within ${firstByteMs} ms`));
    }, firstByteMs);
    socket.once('close', () => clearTimeout(openTimer));
  }
}
