/**
 * A program in the foreground with the demo's own terminal, as sh runs one: the keys that signal (Ctrl-C, Ctrl-\) are the
 * program's, while SIGTERM and SIGHUP to the demo are passed on, with a deadline, so that the demo gets to clean up.
 */
import { spawn, type StdioOptions } from 'node:child_process';
import { constants } from 'node:os';
import process from 'node:process';

export interface ProgramOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly stdio: StdioOptions;
  /** Ends the program as SIGTERM to the demo does. */
  readonly signal?: AbortSignal;
  /** Receives standard output where `stdio` pipes it. */
  readonly onOutput?: (text: string) => void;
  /** Hears the PID of the program, and undefined when it has ended. */
  readonly onProgram?: (pid: number | undefined) => void;
}

export type Outcome =
  /** Exit status as a shell gives it: 128+n for a signal, 127 not found, 126 not executable. */
  | {
      readonly status: number;
      readonly told?: NodeJS.Signals /** What killed it. */;
      readonly endedBy?: NodeJS.Signals;
    }
  | { readonly status: number; readonly failure: string };

/** From the passed-on signal to SIGKILL, ms. */
const mercyMs = 3_000;

export async function runProgram([file = '', ...args]: readonly string[], options: ProgramOptions): Promise<Outcome> {
  const { env, cwd, stdio, onOutput } = options;
  const child = spawn(file, args, { env, cwd, stdio });
  if (child.pid !== undefined) options.onProgram?.(child.pid);
  child.once('exit', () => options.onProgram?.(undefined));
  child.stdout?.setEncoding('utf8').on('data', (text: string) => onOutput?.(text));
  let told: NodeJS.Signals | undefined;
  let mercy: NodeJS.Timeout | undefined;
  const passOn = (name: NodeJS.Signals): void => {
    told ??= name;
    child.kill(name);
    mercy ??= setTimeout(() => child.kill('SIGKILL'), mercyMs);
  };
  const leaveToProgram = (): void => {
    // The terminal has sent it to the whole foreground process group, the program included.
  };
  const handlers = { SIGINT: leaveToProgram, SIGQUIT: leaveToProgram, SIGTERM: passOn, SIGHUP: passOn };
  const entries = Object.entries(handlers) as [keyof typeof handlers, (name: NodeJS.Signals) => void][];
  for (const [name, handler] of entries) process.on(name, handler);
  const onAbort = (): void => passOn('SIGTERM');
  options.signal?.addEventListener('abort', onAbort);
  try {
    return await new Promise<Outcome>((resolve) => {
      child.once('error', (error: NodeJS.ErrnoException) => {
        resolve({ status: error.code === 'ENOENT' ? 127 : 126, failure: `${file}: ${reasonOf(error)}` });
      });
      child.once('close', (code, signal) => {
        const status = signal === null ? (code ?? 255) : 128 + constants.signals[signal];
        resolve({
          status,
          ...(told === undefined ? {} : { told }),
          ...(signal === null ? {} : { endedBy: signal }),
        });
      });
    });
  } finally {
    clearTimeout(mercy);
    options.signal?.removeEventListener('abort', onAbort);
    for (const [name, handler] of entries) process.off(name, handler);
  }
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'ENOENT') return 'command not found';
  return code === 'EACCES' ? 'permission denied' : message;
}
