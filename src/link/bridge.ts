/**
 * `nsh-agent dial`: joins its stdin and stdout to a Unix socket, byte for byte, each direction ending by itself. It is the far end of a
 * link where sshd does not forward sockets. With a marker, a line with it goes out first, once the socket is open, since whatever a login
 * shell has printed before it is not ours; what follows on stdout comes in frames (link/frames.ts). The near end: link/marker.ts.
 */
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { frameWriter } from './frames.ts';
import { openUnixSocket } from './unix-socket.ts';

/** Exit status where nothing listens on the socket: EX_UNAVAILABLE of sysexits(3). */
export const exitNoSocket = 69;

export interface BridgeOptions {
  /** Written with a line feed before the first frame; absent: neither marker nor frames, for people and for pipes. */
  readonly marker?: string;
  readonly stderr?: Writable;
}

/**
 * Ends when both directions have ended.
 * @returns the exit status: 0, `exitNoSocket`, or 1 where the connection broke.
 */
export async function bridge(
  socketPath: string,
  stdin: Readable,
  stdout: Writable,
  options: BridgeOptions = {},
): Promise<number> {
  let socket: Socket;
  try {
    socket = await openUnixSocket(socketPath);
  } catch (error) {
    options.stderr?.write(`nsh-agent dial: ${describe(error)}\n`);
    stdin.destroy();
    return exitNoSocket;
  }
  if (options.marker !== undefined) stdout.write(`${options.marker}\n`);
  const output = options.marker === undefined ? pipeline(socket, stdout) : pipeline(socket, frameWriter(), stdout);
  // Nobody takes what comes from the socket any more: what goes in is of no use either.
  output.catch(() => stdin.destroy());
  // That what we send meets a closed socket is no fault: the program behind it has gone, and its end of file tells so.
  const [outcome] = await Promise.allSettled([output, pipeline(stdin, socket)]);
  socket.destroy();
  if (outcome.status === 'fulfilled') return 0;
  options.stderr?.write(`nsh-agent dial: ${describe(outcome.reason)}\n`);
  return 1;
}

/**
 * The same on descriptors 0 and 1. They are opened as sockets of our own: process.stdout writes synchronously, so that a reader that
 * waits would stop the other direction too.
 */
export async function bridgeStdio(socketPath: string, options: BridgeOptions = {}): Promise<number> {
  const stdin = new Socket({ fd: 0, readable: true, writable: false });
  const stdout = new Socket({ fd: 1, readable: false, writable: true });
  return bridge(socketPath, stdin, stdout, { stderr: process.stderr, ...options });
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
