/**
 * Unix sockets of this very machine: its agent's and its shims'. No link is needed for these; a link opens those of other machines.
 */
import { connect, type Socket } from 'node:net';
import { NshError } from '../protocol/errors.ts';

/**
 * Each direction ends by itself, as over a link.
 * @throws NodeJS.ErrnoException `ENOENT`, `ECONNREFUSED` where nothing listens: also where the listener has ended before it took
 * the connection, which the kernel calls `ECONNRESET`.
 */
export function openUnixSocket(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path, allowHalfOpen: true });
    const fail = (error: NodeJS.ErrnoException): void => {
      if (error.code === 'ECONNRESET') error.code = 'ECONNREFUSED';
      reject(error);
    };
    socket.once('error', fail);
    socket.once('connect', () => {
      socket.off('error', fail);
      resolve(socket);
    });
  });
}

/** The same in a link's terms. @param node its name, for the message. @throws NshError `noAgent` */
export async function openLocalSocket(node: string, path: string): Promise<Socket> {
  try {
    return await openUnixSocket(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new NshError('noAgent', `${node}: nothing listens at ${path} (${code})`, { cause: error });
  }
}
