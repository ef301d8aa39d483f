/** The link to this machine itself: its own Unix sockets and shell. */
import { spawn } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { NshError } from '../protocol/errors.ts';
import { OutputCollector } from './collect.ts';
import type { ExecResult, Link } from './link.ts';
import { abortError } from './wait.ts';

const noListener = new Set(['ENOENT', 'ECONNREFUSED', 'ENOTSOCK', 'ENOTDIR']);

export class UnixLink implements Link {
  readonly address: string;
  readonly closed: Promise<Error | undefined>;
  readonly #node: string;
  readonly #streams = new Set<Socket>();
  #resolveClosed: (error: Error | undefined) => void = () => undefined;
  #isClosed = false;

  /** @param node for messages */
  constructor(node = 'localhost') {
    this.#node = node;
    this.address = node;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  async openSocket(path: string, signal: AbortSignal): Promise<Duplex> {
    if (this.#isClosed) throw new NshError('linkLost', `${this.#node}: the link was closed`);
    const socket = connect({ path, allowHalfOpen: true });
    this.#streams.add(socket);
    socket.once('close', () => this.#streams.delete(socket));
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        socket.off('error', onError);
        signal.removeEventListener('abort', onAbort);
      };
      const onError = (error: NodeJS.ErrnoException): void => {
        settle();
        reject(explain(this.#node, path, error));
      };
      const onAbort = (): void => {
        settle();
        socket.on('error', () => undefined).destroy(); // Nobody waits for it any more.
        reject(abortError(signal, `${this.#node}: opening ${path}`));
      };
      socket.once('error', onError);
      socket.once('connect', () => {
        settle();
        // As ChannelStream: an error that nobody listens to must not end the process.
        socket.on('error', () => undefined);
        resolve(socket);
      });
      signal.addEventListener('abort', onAbort, { once: true });
      if (signal.aborted) onAbort();
    });
  }

  async exec(command: string, signal: AbortSignal): Promise<ExecResult> {
    if (signal.aborted) throw abortError(signal, `${this.#node}: a command`);
    const shell = process.env['SHELL'] ?? '/bin/sh';
    // A group of its own, so that all of it can be ended.
    const child = spawn(shell, ['-c', command], { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const stdout = new OutputCollector(1024 * 1024);
    const stderr = new OutputCollector(16 * 1024);
    child.stdout.on('data', (chunk: Buffer) => stdout.add(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.add(chunk));
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        endGroup(child.pid);
        reject(abortError(signal, `${this.#node}: a command`));
      };
      signal.addEventListener('abort', onAbort, { once: true });
      child.on('error', (error) =>
        reject(new NshError('spawnFailed', `${this.#node}: ${shell}: ${error.message}`, { cause: error })),
      );
      child.on('close', (code) => {
        signal.removeEventListener('abort', onAbort);
        resolve({ stdout: stdout.text(), stderr: stderr.text(), code });
      });
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const socket of this.#streams) socket.destroy(new NshError('linkLost', `${this.#node}: the link was closed`));
    this.#resolveClosed(undefined);
  }
}

function explain(node: string, path: string, error: NodeJS.ErrnoException): NshError {
  const code = error.code ?? '';
  if (noListener.has(code)) return new NshError('noAgent', `${node}: nothing listens on ${path}`, { cause: error });
  if (code === 'EACCES' || code === 'EPERM') {
    return new NshError('notPermitted', `${node}: ${path} belongs to another user`, { cause: error });
  }
  return new NshError('linkLost', `${node}: ${path}: ${error.message}`, { cause: error });
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
