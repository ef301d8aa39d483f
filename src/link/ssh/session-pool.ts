/**
 * Sessions (commands) on a host. One connection carries MaxSessions of them; where it refuses one, another connection takes it, and a
 * further one is opened where all refuse. Such a connection goes again when it has been idle for a while.
 */
import { NshError } from '../../protocol/errors.ts';
import { withSignal } from '../wait.ts';
import { ChannelRefused, type Session, type SshConnection } from './connection.ts';

const idleMs = 10_000;
const recheckMs = 1_000;
/** sshd counts connections too; a host that takes no session on so many takes none at all. */
const maxConnections = 64;

interface Member {
  readonly connection: SshConnection;
  sessions: number;
  /** It has refused a session, and none has ended since. */
  full: boolean;
  idle?: NodeJS.Timeout;
}

export class SessionPool {
  readonly #node: string;
  readonly #reconnect: () => Promise<SshConnection>;
  readonly #members: Member[];
  #growing: Promise<void> | undefined;
  #closed = false;

  constructor(node: string, first: SshConnection, reconnect: () => Promise<SshConnection>) {
    this.#node = node;
    this.#reconnect = reconnect;
    this.#members = [{ connection: first, sessions: 0, full: false }];
  }

  async open(command: string, signal: AbortSignal): Promise<Session> {
    for (;;) {
      const member = this.#members.find(({ full }) => !full);
      if (member === undefined) {
        this.#growing ??= this.#grow().finally(() => {
          this.#growing = undefined;
        });
        await withSignal(this.#growing, signal, `${this.#node}: another connection for more sessions`);
        continue;
      }
      const session = await this.#openOn(member, command, signal);
      if (session !== undefined) return session;
    }
  }

  close(): void {
    this.#closed = true;
    for (const { connection, idle } of this.#members.splice(1)) {
      clearTimeout(idle);
      connection.close();
    }
  }

  /** undefined where the connection takes no further session. */
  async #openOn(member: Member, command: string, signal: AbortSignal): Promise<Session | undefined> {
    clearTimeout(member.idle);
    member.sessions += 1;
    try {
      const session = await member.connection.openSession(command, signal);
      if (session.stream.closed) this.#ended(member);
      else session.stream.once('close', () => this.#ended(member));
      return session;
    } catch (error) {
      this.#ended(member);
      if (!(error instanceof ChannelRefused)) throw error;
      if (member.sessions === 0 && member !== this.#members[0]) throw this.#noSessions(error);
      member.full = true;
      // Where no session of ours can end, something else had the room (the first command of a connection): look again later.
      if (member.sessions === 0) setTimeout(() => (member.full = false), recheckMs).unref();
      return undefined;
    }
  }

  #ended(member: Member): void {
    member.sessions -= 1;
    member.full = false;
    if (member.sessions > 0 || member === this.#members[0]) return;
    member.idle = setTimeout(() => {
      this.#remove(member);
      member.connection.close();
    }, idleMs);
    member.idle.unref();
  }

  async #grow(): Promise<void> {
    if (this.#members.length >= maxConnections) throw this.#noSessions(undefined);
    const connection = await this.#reconnect();
    if (this.#closed) {
      connection.close();
      throw new NshError('linkLost', `${this.#node}: the link was closed`);
    }
    const member: Member = { connection, sessions: 0, full: false };
    this.#members.push(member);
    void connection.closed.then(() => this.#remove(member));
  }

  #remove(member: Member): void {
    const at = this.#members.indexOf(member);
    if (at > 0) this.#members.splice(at, 1);
  }

  #noSessions(cause: unknown): NshError {
    return new NshError(
      'unsupported',
      `${this.#node}: sshd permits no (further) session there (MaxSessions in its sshd_config)`,
      { cause },
    );
  }
}
