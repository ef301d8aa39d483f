/**
 * A link over ssh2: stream-local channels where sshd forwards sockets, else `AGENTCOMMAND dial` in a session for each stream. Sessions
 * are limited (MaxSessions, 10 by default), so further connections are opened for them as needed.
 */
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { NshError } from '../../protocol/errors.ts';
import { exitNoSocket } from '../bridge.ts';
import { OutputCollector } from '../collect.ts';
import { FramedStream } from '../frames.ts';
import type { ExecResult, Link } from '../link.ts';
import { newMarker, passMarker, shellWord } from '../marker.ts';
import { printable } from '../printable.ts';
import { withSignal } from '../wait.ts';
import { ChannelRefused, type Session, type SshConnection } from './connection.ts';
import { SessionPool } from './session-pool.ts';

/** SSH_OPEN_CONNECT_FAILED: what sshd says both where it may not forward and where nothing listens. */
const connectFailed = 2;
/** A bridge that works although forwarding was refused may be a race with the agent's start: forwarding gets another try. */
const refusalsToBelieve = 2;

export interface SshLinkOptions {
  /** Node, for messages. */
  readonly node: string;
  readonly agentCommand: string;
  readonly connection: SshConnection;
  /** Another connection to the same host. */
  readonly reconnect: () => Promise<SshConnection>;
}

export class SshLink implements Link {
  readonly address: string;
  readonly closed: Promise<Error | undefined>;
  readonly #node: string;
  readonly #agentCommand: string;
  readonly #connection: SshConnection;
  readonly #sessions: SessionPool;
  #forwards = false;
  /** How often the bridge worked where forwarding had been refused. */
  #refusals = 0;

  constructor({ node, agentCommand, connection, reconnect }: SshLinkOptions) {
    this.address = connection.address;
    this.closed = connection.closed;
    this.#node = node;
    this.#agentCommand = agentCommand;
    this.#connection = connection;
    this.#sessions = new SessionPool(node, connection, reconnect);
  }

  async openSocket(path: string, signal: AbortSignal): Promise<Duplex> {
    if (!this.#forwards && this.#refusals >= refusalsToBelieve) return this.#openBridge(path, signal);
    try {
      const stream = await this.#connection.openStreamLocal(path, signal);
      this.#forwards = true;
      return stream;
    } catch (error) {
      if (!(error instanceof ChannelRefused)) throw error;
      if (this.#forwards && error.reason === connectFailed) throw this.#noAgent(`nothing listens on ${path}`, error);
      const stream = await this.#openBridge(path, signal);
      this.#refusals += 1;
      return stream;
    }
  }

  async exec(command: string, signal: AbortSignal): Promise<ExecResult> {
    const session = await this.#sessions.open(command, signal);
    session.stream.end();
    const stdout = new OutputCollector(1024 * 1024);
    const stderr = new OutputCollector(16 * 1024);
    // The status may be known before all output has been handed to us.
    const ends = [once(session.stream, 'end'), once(session.stderr, 'end')];
    session.stderr.on('data', (chunk: Buffer) => stderr.add(chunk));
    session.stream.on('data', (chunk: Buffer) => stdout.add(chunk));
    try {
      const [code] = await withSignal(Promise.all([session.exit, ...ends]), signal, `${this.#node}: a command`);
      return { stdout: stdout.text(), stderr: stderr.text(), code };
    } finally {
      session.stream.destroy();
    }
  }

  close(): void {
    this.#sessions.close();
    this.#connection.close();
  }

  /** @throws NshError `noAgent` where nothing listens there or there is no agent program. */
  async #openBridge(path: string, signal: AbortSignal): Promise<Duplex> {
    const marker = newMarker();
    const session = await this.#sessions.open(
      `${this.#agentCommand} dial --marker ${marker} ${shellWord(path)}`,
      signal,
    );
    const stderr = new OutputCollector(2_000);
    session.stderr.on('data', (chunk: Buffer) => stderr.add(chunk));
    try {
      if (await withSignal(passMarker(session.stream, marker), signal, `${this.#node}: opening ${path}`)) {
        // From here on the stream alone says how it ends.
        session.exit.catch(() => undefined);
        return new FramedStream(session.stream, this.#node);
      }
      throw await this.#bridgeFailure(path, session, stderr, signal);
    } catch (error) {
      session.stream.destroy();
      throw error;
    }
  }

  async #bridgeFailure(
    path: string,
    session: Session,
    stderr: OutputCollector,
    signal: AbortSignal,
  ): Promise<NshError> {
    const code = await withSignal(session.exit, signal, `${this.#node}: opening ${path}`);
    const said = printable(stderr.text());
    if (code === exitNoSocket) return this.#noAgent(`nothing listens on ${path}`, said);
    const program = `sshd forwards no sockets there, and "${this.#agentCommand} dial", the way around it, failed`;
    const detail = `exit status ${code ?? 'unknown'}${said === '' ? '' : `: ${said}`}`;
    if (code === 127 || code === 126)
      return this.#noAgent(`${program} (${detail}). Is nsh installed there? See agentCommand in nsh-cluster(5)`, said);
    return new NshError('agentFailed', `${this.#node}: ${program} (${detail})`);
  }

  #noAgent(why: string, cause: unknown): NshError {
    return new NshError('noAgent', `${this.#node}: ${why}`, { cause });
  }
}
