/** A client program on a real terminal, with a far side that the test plays. */
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { build } from 'esbuild';
import { FrameServer, type ServedProcess } from '../../cluster/process-stream/frame-server.ts';
import { waitUntil } from '../wait-until.ts';
import { PtySession, temporaryDirectory } from './pty-session.ts';

let bundle: Promise<string> | undefined;

async function bundleClient(): Promise<string> {
  const outfile = join(temporaryDirectory(), 'client.mjs');
  await build({
    entryPoints: [join(import.meta.dirname, 'client-program.ts')],
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

export class TerminalSession extends PtySession {
  readonly server: FrameServer;
  readonly #listener: Server;
  readonly #sockets = new Set<Socket>();
  #isSilent = false;

  private constructor(process: Partial<ServedProcess>) {
    super();
    this.server = new FrameServer({ stdout: Buffer.alloc(0), stderr: undefined, ...process });
    this.#listener = createServer({ allowHalfOpen: true }, (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      if (!this.#isSilent) this.server.serve(socket);
    });
  }

  static async open({ args, env, process: served }: SessionOptions): Promise<TerminalSession> {
    const session = new TerminalSession(served ?? {});
    const client = await (bundle ??= bundleClient());
    const socket = join(session.directory, 'shim.sock');
    await new Promise<void>((resolve) => void session.#listener.listen(socket, resolve));
    session.start([process.execPath, client, ...args], { FAR_SIDE: socket, ...env });
    return session;
  }

  /** Closes every connection; with `forGood` nobody listens any more. */
  cut(forGood: boolean): void {
    if (forGood) this.#listener.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  /** The connection is lost, and who comes again is not answered. */
  fallSilent(): void {
    this.#isSilent = true;
    this.cut(false);
  }

  async untilOpen(count = 1): Promise<void> {
    await waitUntil(`${count} open frames`, () => this.server.opens.length >= count, 15_000);
  }

  override async stop(): Promise<void> {
    await super.stop();
    this.cut(true);
  }
}
