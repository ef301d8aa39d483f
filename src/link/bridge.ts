/**
 * `nsh-agent dial`: joins its stdin and stdout to a Unix socket, byte for byte, each direction ending by itself. It is the far end of a
 * link where sshd does not forward sockets. A line with the marker goes out first, once the socket is open: whatever a login shell has
 * printed before it is not ours. Its near end is link/marker.ts.
 */
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { Socket, createConnection } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Exit status where nothing listens on the socket: EX_UNAVAILABLE of sysexits(3). */
export const exitNoSocket = 69;

export interface BridgeOptions {
  /** Written with a line feed before the first byte; absent: nothing is. */
  readonly marker?: string;
  readonly stderr?: Writable;
}

/**
 * How long the bridge stays for what may still come in, once the socket's own end of file has gone out. A login shell that did not
 * `exec` us keeps our stdout open, so that the far end may never learn of that end: then this is what ends the stream there.
 */
const lingerMs = 5_000;

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
  const socket = createConnection({ path: socketPath, allowHalfOpen: true });
  try {
    await once(socket, 'connect');
  } catch (error) {
    options.stderr?.write(`nsh-agent dial: ${describe(error)}\n`);
    stdin.destroy();
    return exitNoSocket;
  }
  if (options.marker !== undefined) stdout.write(`${options.marker}\n`);
  // That what we send meets a closed socket is no fault: the program behind it has gone, and its end of file tells so.
  const down = pipeline(socket, stdout);
  const linger = down.then(
    () => endWhenQuiet(stdin),
    () => stdin.destroy(),
  );
  const [outcome] = await Promise.allSettled([down, pipeline(stdin, socket), linger]);
  socket.destroy();
  if (outcome.status === 'fulfilled') return 0;
  options.stderr?.write(`nsh-agent dial: ${describe(outcome.reason)}\n`);
  return 1;
}

/**
 * The same on descriptors 0 and 1. They are opened as sockets of our own: process.stdout writes synchronously, so that a reader that
 * waits would stop the other direction too, and it cannot be half-closed.
 */
export async function bridgeStdio(socketPath: string, options: BridgeOptions = {}): Promise<number> {
  const stdin = new Socket({ fd: 0, readable: true, writable: false });
  const stdout = new Socket({ fd: 1, readable: false, writable: true });
  // libuv never closes the standard descriptors, so that the reader of a pipe would wait for its end for ever. /dev/null takes the number.
  // sshd holds back the end of stdout while stderr is open, so that goes too.
  stdout.once('close', () => {
    for (const descriptor of [1, 2]) {
      closeSync(descriptor);
      openSync('/dev/null', 'r+');
    }
  });
  return bridge(socketPath, stdin, stdout, { stderr: process.stderr, ...options });
}

/** Destroys the stream when it has been quiet for a while; returns when it is closed. */
async function endWhenQuiet(stdin: Readable): Promise<void> {
  if (stdin.closed) return;
  const timer = setTimeout(() => stdin.destroy(), lingerMs);
  stdin.on('data', () => timer.refresh());
  await new Promise((resolve) => stdin.once('close', resolve));
  clearTimeout(timer);
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
