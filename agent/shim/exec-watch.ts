/** Waits on descriptor 3 of a trampoline for the exec: its end means that the program runs. */
import { Socket } from 'node:net';

export interface ExecWatch {
  /** 'running', or the status that the trampoline reported. */
  readonly outcome: Promise<'running' | number>;
  /** Gives up waiting: the trampoline has ended. What it reported before counts. */
  end(): void;
}

/** @param onStarted the trampoline has opened the pipe by itself (first byte `s`): the shim lets go of its own write end. */
export function watchExec(fd: number, onStarted?: () => void): ExecWatch {
  let said = '';
  const socket = new Socket({ fd, readable: true, writable: false });
  const outcome = new Promise<'running' | number>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      said += chunk.toString('latin1');
      if (said.startsWith('s')) {
        said = said.slice(1);
        onStarted?.();
      }
      // A trampoline says a few bytes.
      if (said.length > 64) socket.destroy();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      const status = Number.parseInt(said, 10);
      resolve(Number.isNaN(status) ? 'running' : status);
    });
  });
  return { outcome, end: () => socket.destroy() };
}
