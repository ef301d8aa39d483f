/**
 * A link: one authenticated way to another machine, over which any number of byte streams can be opened to Unix sockets there.
 * Implementations: link/ssh (ssh2) and link/openssh (the `ssh` program). Everything above works over either. To this machine's own
 * sockets there is nothing to log in to or to keep: link/unix-socket opens them.
 */
import type { Duplex } from 'node:stream';
import type { PromptParams } from '../protocol/control.ts';

export interface ExecResult {
  readonly stdout: string;
  /** Up to 16 KiB. */
  readonly stderr: string;
  /** null where a signal ended the command or the host did not say. */
  readonly code: number | null;
}

export interface Link {
  /** Where it leads, for people: `user@host:port`. */
  readonly address: string;
  /**
   * Opens a stream to a Unix socket of the node.
   * @throws NshError `noAgent` where nothing listens there, `linkLost` where the link broke, `timeout`.
   */
  openSocket(path: string, signal: AbortSignal): Promise<Duplex>;
  /**
   * Runs a command line through the login shell of the user there, and collects its output (stdout up to 1 MiB).
   * @throws NshError `linkLost`, `timeout` (the signal fired).
   */
  exec(command: string, signal: AbortSignal): Promise<ExecResult>;
  /** Resolves, with the reason where there was one, when the link is down for good. */
  readonly closed: Promise<Error | undefined>;
  close(): void;
}

export type LinkStage = 'connect' | 'login' | 'agent';

/** What a link may use of the person for whom it is opened. */
export interface LinkContext {
  /** Absent: nobody can be asked. Rejects where the person declines. */
  readonly prompt?: (request: PromptParams) => Promise<string>;
  /** The caller's ssh-agent; absent: none. */
  readonly sshAuthSock?: string;
  readonly onStage?: (stage: LinkStage) => void;
  /** Fires when nobody waits any more, or the login deadline has passed. */
  readonly signal: AbortSignal;
}
