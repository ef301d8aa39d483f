/** One ssh2 connection that has logged in: opens channels on it, and tells each stream the truth when it breaks. */
import type { Duplex } from 'node:stream';
import type { Client, ClientChannel } from 'ssh2';
import { NshError } from '../../protocol/errors.ts';
import { printable } from '../printable.ts';
import { withSignal } from '../wait.ts';
import { ChannelStream } from './channel-stream.ts';

/** A host that does not answer our goodbye is left all the same. */
const goodbyeMs = 1_000;

/** Why a channel was not opened: the SSH reason code (RFC 4254, 5.1), absent where the request did not reach the host. */
export class ChannelRefused extends Error {
  readonly reason: number | undefined;

  constructor(message: string, reason: number | undefined) {
    super(message);
    this.reason = reason;
  }
}

export interface ConnectionOptions {
  readonly client: Client;
  readonly label: string;
  readonly address: string;
  /** The stream below the connection. */
  readonly stream: Duplex;
  /** Gives back what the way to the host held (a jump host's connection). */
  readonly onClosed: () => void;
}

export class SshConnection {
  readonly label: string;
  readonly address: string;
  readonly closed: Promise<Error | undefined>;
  readonly #client: Client;
  readonly #below: Duplex;
  readonly #streams = new Set<ChannelStream>();
  #error: Error | undefined;
  #isClosed = false;
  #closing = false;

  constructor(options: ConnectionOptions) {
    this.label = options.label;
    this.address = options.address;
    this.#client = options.client;
    this.#below = options.stream;
    this.closed = new Promise((resolve) => {
      const onGone = (): void => {
        if (this.#isClosed) return;
        this.#isClosed = true;
        const reason = this.#closing ? undefined : this.lost();
        // ssh2 ends its streams as if the host had closed them: say first that it did not.
        for (const stream of this.#streams) stream.lose(reason ?? this.lost());
        this.#below.destroy();
        options.onClosed();
        resolve(reason);
      };
      this.#client.on('error', (error) => {
        this.#error ??= error;
      });
      this.#client.on('end', onGone).on('close', onGone);
    });
  }

  get isOpen(): boolean {
    return !this.#isClosed && !this.#closing;
  }

  /** An error for what was under way when the connection broke. */
  lost(): NshError {
    const why = this.#error === undefined ? '' : `: ${describe(this.#error)}`;
    return new NshError('linkLost', `${this.label}: the connection to ${this.address} was lost${why}`, {
      cause: this.#error,
    });
  }

  /** @throws ChannelRefused. */
  openStreamLocal(path: string, signal: AbortSignal): Promise<ChannelStream> {
    return this.#open((done) => this.#client.openssh_forwardOutStreamLocal(path, done), signal);
  }

  /** A TCP connection from the host on. @throws ChannelRefused. */
  openTcp(host: string, port: number, signal: AbortSignal): Promise<ChannelStream> {
    return this.#open((done) => this.#client.forwardOut('127.0.0.1', 0, host, port, done), signal);
  }

  /** A command of the login shell there. @throws ChannelRefused where no further session is permitted. */
  async openSession(command: string, signal: AbortSignal): Promise<{ stream: ChannelStream; channel: ClientChannel }> {
    let raw: ClientChannel | undefined;
    const stream = await this.#open(
      (done) =>
        this.#client.exec(command, (error, channel) => {
          raw = channel;
          done(error, channel);
        }),
      signal,
    );
    if (raw === undefined) throw new Error('a session without a channel');
    return { stream, channel: raw };
  }

  /**
   * sshd switches Nagle's algorithm off only when a session asks for a command; before that every small packet may wait 40 ms. Not
   * waited for: what is sent after it is answered after it.
   */
  async warmUp(): Promise<void> {
    try {
      const { stream } = await this.openSession('true', AbortSignal.timeout(60_000));
      stream
        .on('error', () => undefined)
        .resume()
        .end();
    } catch {
      // A host that permits no commands still forwards sockets, only slower.
    }
  }

  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    for (const stream of this.#streams) stream.lose(new NshError('linkLost', `${this.label}: the link was closed`));
    this.#client.end();
    const timer = setTimeout(() => this.#below.destroy(), goodbyeMs);
    void this.closed.then(() => clearTimeout(timer));
  }

  async #open(
    request: (done: (error: Error | undefined, channel: ClientChannel) => void) => void,
    signal: AbortSignal,
  ): Promise<ChannelStream> {
    if (!this.isOpen) throw this.lost();
    const opening = new Promise<ChannelStream>((resolve, reject) => {
      request((error, channel) => {
        if (error !== undefined && error !== null) {
          reject(this.isOpen ? refusal(error) : this.lost());
          return;
        }
        const stream = new ChannelStream(channel);
        this.#streams.add(stream);
        stream.once('close', () => this.#streams.delete(stream));
        resolve(stream);
      });
    });
    // Whoever no longer waits for the stream must not leave it open.
    const onAbort = (): void =>
      void opening.then(
        (stream) => stream.destroy(),
        () => undefined,
      );
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await Promise.race([
        withSignal(opening, signal, `${this.label}: opening a channel`),
        this.#brokenWhileOpening(),
      ]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async #brokenWhileOpening(): Promise<never> {
    await this.closed;
    throw this.lost();
  }
}

function refusal(error: Error): ChannelRefused {
  const { reason } = error as { reason?: unknown };
  return new ChannelRefused(printable(error.message), typeof reason === 'number' ? reason : undefined);
}

function describe(error: Error & { level?: string }): string {
  return error.level === 'client-timeout' ? 'the host does not answer any more' : printable(error.message);
}
