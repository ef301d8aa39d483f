/**
 * One exec request: a command line run by sh with three pipes, as sshd runs it without a terminal. Each side waits for the
 * other (pipes); the exit status follows the last byte of output.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import type { Writable } from 'node:stream';
import type { ServerChannel } from 'ssh2';

export interface ExecOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly home: string;
}

export function serveExec(channel: ServerChannel, command: string, { env, home }: ExecOptions): void {
  const child = spawn('/bin/sh', ['-c', command], { env: { ...env }, cwd: home, detached: true });
  child.stdin.on('error', () => {
    // The command has closed its input; what still comes is dropped below.
  });
  channel.on('error', () => {
    // The client is gone; `close` ends the pipes.
  });
  channel.pipe(child.stdin);
  // ssh2 closes a channel with the end of its first pipe: its end is ours to say.
  child.stdout.pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });
  // Input that nobody reads any more must not keep the end of the channel from being seen.
  child.once('exit', () => channel.unpipe(child.stdin).resume());
  // As under sshd, a client that leaves closes the pipes and does not signal the command.
  channel.once('close', () => {
    child.stdin.destroy();
    child.stdout.destroy();
    child.stderr.destroy();
  });
  child.on('error', () => {
    // It could not be started; `close` follows with a negative code.
  });
  child.once('close', () => finish(channel, statusOf(child)));
}

/** Says how the command ended once all that it wrote is on its way. */
function finish(channel: ServerChannel, status: number | NodeJS.Signals): void {
  flush(channel.stderr, () =>
    flush(channel, () => {
      if (typeof status === 'number') channel.exit(status);
      else channel.exit(status.slice('SIG'.length));
      channel.end();
    }),
  );
}

function flush(stream: Writable, done: () => void): void {
  if (stream.writable) stream.write('', () => done());
}

function statusOf({ exitCode, signalCode }: ChildProcess): number | NodeJS.Signals {
  if (exitCode !== null) return exitCode < 0 ? 127 : exitCode;
  return signalCode ?? 'SIGKILL';
}
