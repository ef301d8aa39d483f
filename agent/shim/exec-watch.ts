/** Waits on descriptor 3 of a trampoline for the exec: its end means that the program runs. */
import { readSync } from 'node:fs';
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
  let stat: string | undefined;
  let settle: (outcome: ExecOutcome) => void = () => undefined;
  const outcome = new Promise<ExecOutcome>((resolve) => {
    settle = resolve;
  });
  const socket = new Socket({ fd, readable: true, writable: false });
  const take = (text: string): void => {
    said += text;
    const line = /^s (.*)\n/.exec(said);
    if (line === null) return;
    stat = line[1];
    said = said.slice(line[0].length);
    onStarted?.();
  };
  socket.on('data', (chunk: Buffer) => {
    take(chunk.toString('latin1'));
    if (said.length > maxReportBytes) socket.destroy();
  });
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    const status = Number.parseInt(said, 10);
    settle({ status: Number.isNaN(status) ? 'running' : status, stat });
  });
  return {
    outcome,
    end: () => {
      if (socket.destroyed) return;
      take(readNow(fd));
      socket.destroy();
    },
  };
}

function readNow(fd: number): string {
  const buffer = Buffer.alloc(maxReportBytes);
  try {
    return buffer.toString('latin1', 0, readSync(fd, buffer, 0, maxReportBytes, null));
  } catch {
    // EAGAIN: it has said nothing.
    return '';
  }
}
