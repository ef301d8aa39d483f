/** Waits on descriptor 3 of a trampoline for the exec: its end means that the program runs. */
import { Socket } from 'node:net';

export interface ExecOutcome {
  /** The exec has succeeded, or the status that it is known to have failed with. */
  readonly status: 'running' | number;
  /** What the trampoline read of its own /proc/PID/stat, where it was asked to. */
  readonly stat: string | undefined;
}

export interface ExecWatch {
  readonly outcome: Promise<ExecOutcome>;
  /** Gives up waiting: the trampoline has ended. What it reported before counts. */
  end(): void;
}

const maxReportBytes = 4096;

/** @param onStarted the trampoline has opened the pipe by itself (a line `s STAT`): the shim lets go of its own write end. */
export function watchExec(fd: number, onStarted?: () => void): ExecWatch {
  let said = '';
  const socket = new Socket({ fd, readable: true, writable: false });
  let stat: string | undefined;
  const outcome = new Promise<ExecOutcome>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      said += chunk.toString('latin1');
      const line = /^s (.*)\n/.exec(said);
      if (line !== null) {
        stat = line[1];
        said = said.slice(line[0].length);
        onStarted?.();
      }
      if (said.length > maxReportBytes) socket.destroy();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      const status = Number.parseInt(said, 10);
      resolve({ status: Number.isNaN(status) ? 'running' : status, stat });
    });
  });
  return { outcome, end: () => socket.destroy() };
}
