/** Hands a whole script to bash, as itself: nothing in it is nsh's, so nothing stands between. */
import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { pathWithOwnProgram } from '../../src/cluster/own-program.ts';
import { NshError } from '../../src/protocol/errors.ts';

/** This process's environment, in which `nsh` is found. */
export function withOwnProgram(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: pathWithOwnProgram(process.env) };
}

const relayed = ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGCONT'] as const;

/** @param args for bash, as from a command line. @returns its status. @throws NshError where there is no bash. */
export async function runBashProgram(args: readonly string[], stdin: 'inherit' | number = 'inherit'): Promise<number> {
  // Before bash runs: a signal that comes at once must not end this process and leave bash alone.
  let child: ChildProcess | undefined;
  const release = relaySignals((signal) => {
    if (signal !== 'SIGINT' && signal !== 'SIGQUIT') child?.kill(signal);
  });
  const started = spawn('bash', args, { env: withOwnProgram(), stdio: [stdin, 'inherit', 'inherit'] });
  child = started;
  try {
    return await new Promise<number>((resolve, reject) => {
      started.once('error', (error) => {
        reject(new NshError('commandNotFound', `bash cannot be started: ${error.message}`, { cause: error }));
      });
      started.once('exit', (code, signal) => {
        resolve(signal === null ? (code ?? 255) : 128 + constants.signals[signal]);
      });
    });
  } finally {
    release();
  }
}

/** While something runs in the foreground this process outlives the signals sent to it. @param take those of the terminal reach the whole foreground group anyway. */
export function relaySignals(take: (signal: NodeJS.Signals) => void): () => void {
  for (const signal of relayed) process.on(signal, take);
  return () => {
    for (const signal of relayed) process.off(signal, take);
  };
}
