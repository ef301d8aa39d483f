/** The byte stream to an sshd: TCP, a ProxyCommand's pipes, or a channel through a jump host. */
import { spawn, type ChildProcess } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { NshError } from '../../protocol/errors.ts';
import { ChildStream } from '../child-stream.ts';
import { printable } from '../printable.ts';
import type { SshSettings } from './settings.ts';

/**
 * noDelay, since ssh2 sends small packets one by one, and Nagle's algorithm would hold each back for the other side's delayed ACK.
 * @throws NshError `unreachable`.
 */
export async function openTcp(label: string, settings: SshSettings, signal: AbortSignal): Promise<Socket> {
  const { hostName, port, family, bindAddress } = settings;
  const local = bindAddress === undefined ? {} : { localAddress: bindAddress };
  const socket = connect({ host: hostName, port, family, noDelay: true, keepAlive: true, ...local });
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      settle();
      socket.destroy();
      reject(error);
    };
    const onError = (error: NodeJS.ErrnoException): void => fail(unreachable(label, `${hostName} port ${port}`, error));
    const onAbort = (): void => fail(signal.reason);
    const settle = (): void => {
      socket.off('error', onError);
      signal.removeEventListener('abort', onAbort);
      // Until its next owner listens, an error must not end the process; the stream's end tells all.
      socket.on('error', () => undefined);
    };
    socket.once('error', onError);
    socket.once('connect', () => {
      settle();
      resolve(socket);
    });
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused: no sshd listens there',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network is unreachable',
  ETIMEDOUT: 'connection timed out',
  ENOTFOUND: 'the name is not known',
  EAI_AGAIN: 'the name server does not answer',
  ECONNRESET: 'connection reset',
};

export function unreachable(label: string, where: string, error: unknown): NshError {
  const { code, message, errors } = error as NodeJS.ErrnoException & { errors?: readonly NodeJS.ErrnoException[] };
  const first = errors?.[0];
  const reason = reasons[code ?? first?.code ?? ''] ?? first?.message ?? message;
  return new NshError('unreachable', `${label}: cannot connect to ${where}: ${reason}`, {
    cause: error,
    data: { reason: code },
  });
}

const maxStderr = 2_000;
/** A ProxyCommand that ignores SIGHUP is killed after this. */
const proxyGraceMs = 2_000;

export interface ProxyStream {
  readonly stream: Duplex;
  /** What the command has said on stderr, and how it ended, for messages. */
  readonly complaint: () => string;
  /** It ended with another status than 0: trying again would only repeat it. */
  readonly hasFailed: () => boolean;
}

/** The command runs under /bin/sh in a process group of its own, and ends with the stream. */
export function openProxy(command: string, env: NodeJS.ProcessEnv): ProxyStream {
  const child = spawn('/bin/sh', ['-c', `exec ${command}`], { stdio: ['pipe', 'pipe', 'pipe'], detached: true, env });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString()).slice(-maxStderr);
  });
  const stream = new ChildStream(child, () => endGroup(child), true);
  const complaint = (): string => {
    const how = child.exitCode === null ? '' : `exit status ${child.exitCode}`;
    return [printable(stderr), how].filter((part) => part !== '').join('; ');
  };
  return { stream, complaint, hasFailed: () => child.exitCode !== null && child.exitCode !== 0 };
}

function endGroup(child: ChildProcess): void {
  const signalGroup = (name: NodeJS.Signals): void => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    try {
      process.kill(-child.pid, name);
    } catch {
      // It ended between the check and the signal.
    }
  };
  signalGroup('SIGHUP');
  const timer = setTimeout(() => signalGroup('SIGKILL'), proxyGraceMs);
  timer.unref();
  child.once('exit', () => clearTimeout(timer));
}
