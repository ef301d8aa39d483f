/**
 * A link over the `ssh` program. Streams go through local sockets that the master forwards; where sshd forwards none, each stream is an
 * `ssh … AGENTCOMMAND dial`. Past MaxSessions such a command connects for itself, as ssh does.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { backoffDelayMs, handshakeBackoff } from '../../policy/backoff.ts';
import { NshError } from '../../protocol/errors.ts';
import { exitNoSocket } from '../bridge.ts';
import { ChildStream } from '../child-stream.ts';
import { OutputCollector } from '../collect.ts';
import { FramedStream } from '../frames.ts';
import type { ExecResult, Link } from '../link.ts';
import { newMarker, passMarker, shellWord } from '../marker.ts';
import { printable } from '../printable.ts';
import { openUnixSocket } from '../unix-socket.ts';
import { delay, withSignal } from '../wait.ts';
import { wasDropped } from './errors.ts';
import type { Master } from './master.ts';

export interface OpensshLinkOptions {
  readonly node: string;
  readonly address: string;
  readonly agentCommand: string;
  readonly directory: string;
  readonly master: Master;
  /** Options of ssh(1), without the host. */
  readonly options: readonly string[];
  readonly host: string;
  readonly env: NodeJS.ProcessEnv;
  readonly onClosed: () => void;
}

/** A path's local socket. `verified`: a stream through it is known to have reached its end. */
interface Forward {
  readonly local: string;
  verified: boolean;
}

const refusalsToBelieve = 2;
/** From the end of a command to the end of the master whose connection broke. */
const endingMs = 500;
/** ssh's own failures, as against the command's. */
const sshFailed = 255;

export class OpensshLink implements Link {
  readonly address: string;
  readonly closed: Promise<Error | undefined>;
  readonly #options: OpensshLinkOptions;
  readonly #forwards = new Map<string, Promise<Forward>>();
  readonly #streams = new Set<Duplex>();
  #counter = 0;
  #works = false;
  #refusals = 0;
  #closing = false;
  readonly #commands = new Set<ChildProcess>();
  #isDown = false;

  constructor(options: OpensshLinkOptions) {
    this.#options = options;
    this.address = options.address;
    this.closed = options.master.ended.then(async (said) => {
      this.#isDown = true;
      // A command whose master has gone may wait for an answer for ever.
      for (const child of this.#commands) child.kill('SIGTERM');
      const reason = this.#closing ? undefined : this.#lost(said);
      for (const stream of this.#streams) stream.destroy(reason ?? this.#lost('the link was closed'));
      options.onClosed();
      await rm(options.directory, { recursive: true, force: true });
      return reason;
    });
  }

  async openSocket(path: string, signal: AbortSignal): Promise<Duplex> {
    this.#mustBeUp();
    if (this.#works || this.#refusals < refusalsToBelieve) {
      const stream = await this.#openForwarded(path, signal);
      if (stream !== undefined) return stream;
    }
    const stream = await this.#openBridge(path, signal);
    this.#refusals += 1;
    return stream;
  }

  async exec(command: string, signal: AbortSignal): Promise<ExecResult> {
    this.#mustBeUp();
    const child = spawn('ssh', this.#words(command), { stdio: ['ignore', 'pipe', 'pipe'], env: this.#options.env });
    this.#commands.add(child);
    const stdout = new OutputCollector(1024 * 1024);
    const stderr = new OutputCollector(16 * 1024);
    child.stdout.on('data', (chunk: Buffer) => stdout.add(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.add(chunk));
    const closed = new Promise<number | null>((resolve, reject) => {
      child.on('close', (code) => resolve(code)).on('error', reject);
    });
    try {
      const code = await withSignal(closed, signal, `${this.#options.node}: a command`);
      // ssh's own failure, or the command's status: the master, which ends a moment later, tells.
      if (code === null || (code === sshFailed && (await this.#endsWithin(endingMs)))) this.#mustBeUp();
      return { stdout: stdout.text(), stderr: stderr.text(), code };
    } finally {
      this.#commands.delete(child);
      if (child.exitCode === null) child.kill('SIGTERM');
    }
  }

  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#options.master.stop();
  }

  /** undefined where the host did not open it: nothing listens there, or it forwards nothing. */
  async #openForwarded(path: string, signal: AbortSignal): Promise<Duplex | undefined> {
    const making = this.#forwards.get(path) ?? this.#forward(path);
    this.#forwards.set(path, making);
    making.catch(() => this.#forwards.delete(path));
    const forward = await withSignal(making, signal, `${this.#options.node}: opening ${path}`).catch(
      (error: unknown) => {
        if (signal.aborted) throw error;
        return undefined;
      },
    );
    if (forward === undefined) return undefined;
    const stream = this.#track(await connectLocal(forward.local, this.#options.node));
    if (!forward.verified && !(await this.#reachesItsEnd(stream, signal))) {
      stream.destroy();
      return undefined;
    }
    forward.verified = true;
    this.#works = true;
    // A stream that ends without a byte may have found nobody: the next one is checked again.
    stream.once('close', () => {
      if (stream.bytesRead === 0) forward.verified = false;
    });
    return stream;
  }

  /**
   * ssh accepts a local connection before the host has answered, and closes it where the host refuses. A command sent after it is
   * answered after it: when that has run and the stream still stands, it was opened.
   */
  async #reachesItsEnd(stream: Socket, signal: AbortSignal): Promise<boolean> {
    let onReadable: () => void = () => undefined;
    let onEnd: () => void = () => undefined;
    const told = new Promise<boolean>((resolve) => {
      onEnd = () => resolve(false);
      onReadable = () => {
        if (stream.readableLength > 0) resolve(true);
        // Nothing to read: this is the end, which comes as an event only after a read.
        else stream.read();
      };
    });
    stream.on('close', onEnd).on('end', onEnd).on('readable', onReadable);
    const answered = this.exec('true', signal).then(() => true);
    answered.catch(() => undefined);
    try {
      return (await Promise.race([told, answered])) && !stream.destroyed && !stream.readableEnded;
    } finally {
      stream.off('close', onEnd).off('end', onEnd).off('readable', onReadable);
    }
  }

  async #forward(path: string): Promise<Forward> {
    this.#counter += 1;
    const local = join(this.#options.directory, `s${this.#counter}`);
    const { master, host, env } = this.#options;
    const words = ['-S', master.controlPath, '-O', 'forward', '-L', `${local}:${path}`, '--', host];
    await new Promise<void>((resolve, reject) => {
      execFile('ssh', words, { env }, (error, _stdout, stderr) => {
        if (error === null) resolve();
        else
          reject(
            new NshError('linkLost', `${this.#options.node}: ssh -O forward: ${printable(stderr) || error.message}`),
          );
      });
    });
    return { local, verified: false };
  }

  /** Again where the command had to connect for itself and sshd had no room for it (MaxSessions, then MaxStartups). */
  async #openBridge(path: string, signal: AbortSignal): Promise<Duplex> {
    for (let attempt = 1; ; attempt += 1) {
      const stream = await this.#openBridgeOnce(path, signal);
      if (stream !== undefined) return stream;
      await delay(
        backoffDelayMs(attempt, handshakeBackoff, Math.random()),
        signal,
        `${this.#options.node}: opening ${path}`,
      );
    }
  }

  /** undefined where sshd had no room. */
  async #openBridgeOnce(path: string, signal: AbortSignal): Promise<Duplex | undefined> {
    const { node, agentCommand, env } = this.#options;
    const marker = newMarker();
    const words = this.#words(`${agentCommand} dial --marker ${marker} ${shellWord(path)}`);
    const child = spawn('ssh', words, { stdio: ['pipe', 'pipe', 'pipe'], env });
    const stderr = new OutputCollector(2_000);
    child.stderr.on('data', (chunk: Buffer) => stderr.add(chunk));
    const ended = new Promise<number | null>((resolve) => {
      child.on('close', (code) => resolve(code)).on('error', () => resolve(null));
    });
    const stream = this.#track(new ChildStream(child, () => child.kill('SIGTERM')));
    try {
      if (await withSignal(passMarker(stream, marker), signal, `${node}: opening ${path}`))
        return new FramedStream(stream, node);
      const code = await withSignal(ended, signal, `${node}: opening ${path}`);
      const said = printable(stderr.text());
      if (code === sshFailed && wasDropped(stderr.text())) {
        stream.destroy();
        return undefined;
      }
      if (code === exitNoSocket) throw new NshError('noAgent', `${node}: nothing listens on ${path}`);
      const missing = code === 127 || code === 126;
      const detail = `exit status ${code ?? 'unknown'}${said === '' ? '' : `: ${said}`}`;
      const hint = missing ? '. Is nsh installed there? See agentCommand in nsh-cluster(5)' : '';
      throw new NshError(
        missing ? 'noAgent' : 'agentFailed',
        `${node}: "${agentCommand} dial" failed (${detail})${hint}`,
      );
    } catch (error) {
      stream.destroy();
      throw error;
    }
  }

  #words(command: string): string[] {
    const { master, options, host } = this.#options;
    return ['-S', master.controlPath, '-o', 'ControlMaster=no', '-T', ...options, '--', host, command];
  }

  #track<T extends Duplex>(stream: T): T {
    this.#streams.add(stream);
    // As ChannelStream: an error that nobody listens to must not end the process.
    stream.on('error', () => undefined).once('close', () => this.#streams.delete(stream));
    return stream;
  }

  /** Without its master an ssh command would connect for itself, and ask for that again. */
  #mustBeUp(): void {
    if (this.#closing || this.#isDown) throw this.#lost(this.#closing ? 'the link was closed' : 'ssh has ended');
  }

  async #endsWithin(ms: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(resolve, ms, false);
    });
    const ended = this.#options.master.ended.then(() => true);
    return Promise.race([ended, late]).finally(() => clearTimeout(timer));
  }

  #lost(why: string): NshError {
    return new NshError(
      'linkLost',
      `${this.#options.node}: the connection to ${this.address} was lost: ${printable(why)}`,
    );
  }
}

async function connectLocal(path: string, node: string): Promise<Socket> {
  try {
    return await openUnixSocket(path);
  } catch (error) {
    throw new NshError('linkLost', `${node}: ${(error as Error).message}`, { cause: error });
  }
}
