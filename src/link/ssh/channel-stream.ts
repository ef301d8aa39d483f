/**
 * An ssh2 channel as an ordinary Duplex. ssh2's own stream has three habits that this one hides: after a lost connection it ends as if
 * the other side had closed it; a write after the other side's close never calls back; and destroy() waits for the server's answer.
 */
import { Duplex } from 'node:stream';
import type { ClientChannel } from 'ssh2';

type Callback = (error?: Error | null) => void;

/** ssh2's channel buffers 2 MiB by itself (its window), so little is needed here. */
const bufferBytes = 64 * 1024;

export class ChannelStream extends Duplex {
  readonly #channel: ClientChannel;
  /** A write that waits for the channel's window. */
  #pending: Callback | undefined;
  #remoteClosed = false;

  constructor(channel: ClientChannel) {
    super({ readableHighWaterMark: bufferBytes, writableHighWaterMark: bufferBytes, allowHalfOpen: true });
    this.#channel = channel;
    channel.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) channel.pause();
    });
    channel.on('end', () => {
      if (!this.destroyed) this.push(null);
    });
    channel.on('close', () => this.#onRemoteClose());
    channel.on('error', (error: Error) => this.destroy(error));
    // A lost link ends its streams with an error; one that nobody listens to at that moment must not end the whole process.
    this.on('error', () => undefined);
    this.on('end', () => {
      if (this.#remoteClosed) this.#endWriting();
    });
  }

  /** The connection below is gone: what was not received is lost, so this is no end of file. */
  lose(error: Error): void {
    this.destroy(error);
  }

  override _read(): void {
    this.#channel.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    this.#send(chunk, callback);
  }

  /** Small writes that wait together go as one packet: each packet is encrypted and framed by itself. */
  override _writev(chunks: { chunk: Buffer }[], callback: Callback): void {
    this.#send(Buffer.concat(chunks.map(({ chunk }) => chunk)), callback);
  }

  override _final(callback: Callback): void {
    this.#channel.end();
    callback();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.(error ?? closed());
    // What still comes before the server's close is read and dropped, so that the channel can be forgotten.
    this.#channel.removeAllListeners('data');
    this.#channel.resume();
    this.#channel.close();
    callback(error);
  }

  #send(chunk: Buffer, callback: Callback): void {
    if (this.#remoteClosed && this.readableEnded) {
      callback(closed());
      return;
    }
    this.#pending = callback;
    if (this.#remoteClosed) return;
    this.#channel.write(chunk, (error) => {
      if (this.#pending !== callback) return;
      this.#pending = undefined;
      callback(error);
    });
  }

  /** Nobody takes our bytes any more; but first the reader gets all that has come. */
  #onRemoteClose(): void {
    this.#remoteClosed = true;
    if (this.destroyed) return;
    if (this.readableEnded) this.#endWriting();
  }

  #endWriting(): void {
    if (this.#pending !== undefined) this.destroy(closed());
    else this.destroy();
  }
}

function closed(): Error {
  return Object.assign(new Error('the other side has closed the stream'), { code: 'EPIPE' });
}
