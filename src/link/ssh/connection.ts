/** One ssh2 connection that has logged in: opens channels on it, and tells each stream the truth when it breaks. */
import type { Duplex, Readable } from 'node:stream';
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

export interface Session {
  /** stdin and stdout of the command. */
  readonly stream: ChannelStream;
  readonly stderr: Readable;
  /** Exit status; null where a signal ended it or the host did not say. Rejects where the connection was lost. */
  readonly exit: Promise<number | null>;
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
  async openSession(command: string, signal: AbortSignal): Promise<Session> {
    let stderr: Readable | undefined;
    let exit: Promise<number | null> | undefined;
    const stream = await this.#open(
      (done) =>
        this.#client.exec(command, (error, channel) => {
          done(error, channel);
          if (channel === undefined) return;
          stderr = channel.stderr;
          // At once: the command may have ended in the very packets that we are reading.
          exit = this.#exitOf(channel);
        }),
      signal,
    );
    if (stderr === undefined || exit === undefined) throw new Error('a session without a channel');
    return { stream, stderr, exit };
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

  #exitOf(channel: ClientChannel): Promise<number | null> {
    const exit = new Promise<number | null>((resolve, reject) => {
      let code: number | null = null;
      let hasExited = false;
      channel.on('exit', (status: number | null) => {
        code = status;
        hasExited = true;
      });
      // The status may come before the last output: the channel's close comes after both.
      channel.on('close', () => {
        if (hasExited || this.isOpen) resolve(code);
        else reject(this.lost());
      });
    });
    exit.catch(() => undefined); // Whoever waits for it sees the reason.
    return exit;
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
      // Where the connection breaks meanwhile ssh2 fails the request.
      return await withSignal(opening, signal, `${this.label}: opening a channel`);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }
}

function refusal(error: Error): ChannelRefused {
  const { reason } = error as { reason?: unknown };
  return new ChannelRefused(printable(error.message), typeof reason === 'number' ? reason : undefined);
}

function describe(error: Error & { level?: string }): string {
  return error.level === 'client-timeout' ? 'the host does not answer any more' : printable(error.message);
}
