/** A client program on a real terminal (a PTY under bash), with a far side that the test plays. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { spawn, type IPty } from 'node-pty';
import { expect, vi } from 'vitest';
import { FrameServer, type ServedProcess } from '../../cluster/process-stream/frame-server.ts';

let bundle: Promise<string> | undefined;
const directories: string[] = [];

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'nsh-terminal-'));
  directories.push(directory);
  return directory;
}

export function removeTemporaryDirectories(): void {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
  bundle = undefined;
}

async function bundleClient(): Promise<string> {
  const outfile = join(temporaryDirectory(), 'client.mjs');
  await build({
    entryPoints: [new URL('client-program.ts', import.meta.url).pathname],
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile,
    external: ['ssh2', 'node-pty'],
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'error',
  });
  return outfile;
}

export interface SessionOptions {
  readonly args: readonly string[];
  readonly process?: Partial<ServedProcess>;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Ended {
  readonly status: number;
  /** `stty -g` before and after. */
  readonly before: string;
  readonly after: string;
}

export class TerminalSession {
  readonly server: FrameServer;
  readonly #directory = temporaryDirectory();
  readonly #listener: ReturnType<typeof createServer>;
  readonly #sockets = new Set<Socket>();
  #pty: IPty | undefined;
  #exited = false;
  /** All that the terminal was sent. */
  shown = '';

  private constructor(process: Partial<ServedProcess>) {
    this.server = new FrameServer({ stdout: Buffer.alloc(0), stderr: undefined, ...process });
    this.#listener = createServer({ allowHalfOpen: true }, (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      this.server.serve(socket);
    });
  }

  static async start(options: SessionOptions): Promise<TerminalSession> {
    const session = new TerminalSession(options.process ?? {});
    await session.#start(await (bundle ??= bundleClient()), options);
    return session;
  }

  async #start(client: string, { args, env }: SessionOptions): Promise<void> {
    const socket = join(this.#directory, 'shim.sock');
    await new Promise<void>((resolve) => void this.#listener.listen(socket, resolve));
    const words = args.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(' ');
    const script = `cd ${this.#directory}; trap : INT HUP; stty -g >before; ${process.execPath} ${client} ${words} & pid=$!; echo $pid >pid; fg >/dev/null; echo $? >status; stty -g >after; touch done; if jobs -s | grep -q .; then fg >/dev/null; echo $? >status2; stty -g >after2; touch done2; fi`;
    this.#pty = spawn('bash', ['-mc', script], {
      name: 'xterm-256color',
      cols: 80,
      rows: 24,
      encoding: null,
      env: { ...process.env, FAR_SIDE: socket, ...env },
    });
    this.#pty.onData((data) => {
      this.shown += Buffer.from(data).toString('latin1');
    });
    this.#pty.onExit(() => {
      this.#exited = true;
    });
  }

  type(text: string): void {
    this.#pty?.write(text);
  }

  resize(cols: number, rows: number): void {
    this.#pty?.resize(cols, rows);
  }

  /** To the client program. */
  signal(name: NodeJS.Signals): void {
    process.kill(Number(readFileSync(join(this.#directory, 'pid'), 'latin1')), name);
  }

  settings(file: string): string {
    return readFileSync(join(this.#directory, file), 'latin1').trim();
  }

  /** Closes every connection; with `forGood` nobody listens any more. */
  cut(forGood: boolean): void {
    if (forGood) this.#listener.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  async untilShown(text: string): Promise<void> {
    await vi.waitFor(() => expect(this.shown).toContain(text), { timeout: 15_000, interval: 10 });
  }

  async untilOpen(count = 1): Promise<void> {
    await vi.waitFor(() => expect(this.server.opens.length).toBeGreaterThanOrEqual(count), { timeout: 15_000, interval: 10 });
  }

  /** `2`: after the client was stopped, this is its second end. */
  async ended(time: '' | '2' = ''): Promise<Ended> {
    await vi.waitFor(() => readFileSync(join(this.#directory, `done${time}`)), { timeout: 15_000, interval: 10 });
    return {
      status: Number(this.settings(`status${time}`)),
      before: this.settings('before'),
      after: this.settings(`after${time}`),
    };
  }

  async stop(): Promise<void> {
    if (!this.#exited) this.#pty?.kill('SIGKILL');
    this.cut(false);
    this.#listener.close();
    await vi.waitFor(() => expect(this.#exited).toBe(true), { timeout: 5_000 });
  }
}
