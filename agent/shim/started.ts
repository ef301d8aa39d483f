/** A process that was just started, before anybody knows whether its exec will succeed. */
import type { InputSink } from './input-sink.ts';
import type { SessionChannel } from './session-channel.ts';

export interface Started {
  readonly pid: number;
  /** Descriptors to read from: [terminal], [terminal, stdout] or [stdout, stderr]. */
  readonly outputs: readonly number[];
  /** Undefined: /dev/null. */
  readonly input: InputSink | undefined;
  /** Stdin of a process whose terminal is not its stdin. */
  readonly pipe?: InputSink;
  /** Master side; undefined with pipes. */
  readonly terminal: number | undefined;
  /** Its other side, /dev/pts/N; undefined with pipes. */
  readonly terminalPath?: string;
  readonly channel: SessionChannel | undefined;
  /** Of the terminal, at the start. */
  readonly size: { readonly cols: number; readonly rows: number } | undefined;
  /** Start ticks (with the PID they name this process and no other), and the status that a failed exec is known by. */
  readonly exec: Promise<{ readonly start: number; readonly failure: number | undefined }>;
  /** Resolves when the process has been reaped; never rejects. */
  readonly exit: Promise<{ readonly code: number | null; readonly signal: string | null }>;
}
