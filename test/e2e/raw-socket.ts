/** A client that keeps to no protocol: sends what it likes to the socket of an agent or a shim, and reads what comes back. */
import { connect, type Socket } from 'node:net';
import { encodeJson, FrameDecoder, type Frame, type OpenFrame } from '../../src/protocol/frames.ts';
import { streamVersion } from '../../src/protocol/version.ts';
import { waitUntil } from './wait-until.ts';

export class RawSocket {
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  isEnded = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
    });
    socket.on('end', () => {
      this.isEnded = true;
    });
    // A far end that has had enough resets the connection: that is what is looked for.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.isEnded = true;
    });
  }

  static open(path: string): Promise<RawSocket> {
    return new Promise((resolve, reject) => {
      const socket = connect({ path, allowHalfOpen: true });
      socket.once('error', reject);
      socket.once('connect', () => resolve(new RawSocket(socket)));
    });
  }

  send(bytes: string | Buffer): void {
    this.#socket.write(bytes);
  }

  request(id: number, method: string, params: unknown): void {
    this.send(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
  }

  /** Lines received so far, parsed. */
  get messages(): {
    id?: number | null;
    result?: unknown;
    error?: { code: number; message: string; data?: { code?: string } };
  }[] {
    const text = this.#received.toString('utf8');
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as object);
  }

  /** Frames received so far. */
  get frames(): Frame[] {
    return [...new FrameDecoder().push(this.#received)];
  }

  async message(count = 1): Promise<ReturnType<RawSocket['lastMessage']>> {
    await waitUntil(() => this.messages.length >= count, `message ${count}`);
    return this.lastMessage();
  }

  lastMessage(): RawSocket['messages'][number] {
    return this.messages.at(-1) ?? {};
  }

  /** The error frame that it was sent. */
  async errorFrame(): Promise<{ message: string; data?: { code?: string } }> {
    await waitUntil(() => this.frames.some(({ type }) => type === 'error'), 'an error frame');
    const found = this.frames.find(({ type }) => type === 'error');
    return (found !== undefined && 'json' in found ? found.json : {}) as { message: string; data?: { code?: string } };
  }

  async untilEnded(timeoutMs?: number): Promise<void> {
    await waitUntil(() => this.isEnded, 'the end of the connection', timeoutMs);
  }

  close(): void {
    this.#socket.destroy();
  }
}

export function openStream(open: Partial<OpenFrame> & Pick<OpenFrame, 'process'>): Buffer {
  return encodeJson('open', {
    version: streamVersion,
    client: 'a-raw-client',
    role: 'attach',
    from: { stdout: 'oldest', stderr: 'oldest' },
    window: 65_536,
    ...open,
  });
}

/** A frame whose header says what it likes. */
export function frame(type: number, length: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(5);
  header[0] = type;
  header.writeUInt32BE(length, 1);
  return Buffer.concat([header, payload]);
}

/** Payload of a data, ack or eof frame. */
export function atOffset(stream: number, offset: bigint, bytes = ''): Buffer {
  const head = Buffer.alloc(9);
  head[0] = stream;
  head.writeBigUInt64BE(offset, 1);
  return Buffer.concat([head, Buffer.from(bytes)]);
}
