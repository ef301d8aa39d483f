/**
 * A command that runs while something is held: a child on nsh's own terminal and streams, as flock(1) has it. It ends before the store can
 * give to another what it holds: asked TTL/3 before, killed TTL/5 before.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { killTime } from '../../src/coordination/fence.ts';
import type { ClaimId } from '../../src/coordination/keys.ts';
import { NshError, toNshError } from '../../src/protocol/errors.ts';
import type { CommandContext } from '../command.ts';
import { noteInterrupt } from '../end-status.ts';
import { makeReporter } from '../run/report.ts';
import { Guardian } from './guardian.ts';
import { heldAround, holdsVariable, type TakingPart } from './take-part.ts';

export interface HeldForCommand {
  readonly token: bigint;
  readonly lost: AbortSignal;
  readonly kill: AbortSignal;
}

export interface UnderOptions {
  /** Of nsh, for messages. */
  readonly command: string;
  /** For the command's NSH_HOLDS; it also tells what belongs to it. */
  readonly id: ClaimId;
  readonly argv: readonly string[];
}

/** As timeout(1) names its own: what ended for want of the session ends nsh with the status of `sessionLost`. */
const grace = { wordMs: 2_000 } as const;

/** @returns the command's exit status. @throws NshError `commandNotFound`, `commandNotExecutable`; `sessionLost` once it has ended for that. */
export async function runUnder(
  context: CommandContext,
  part: TakingPart,
  held: HeldForCommand,
  { command, id, argv }: UnderOptions,
): Promise<number> {
  const { session } = part.participant;
  const left = (): number => killTime(session, session.deadline()) - performance.now();
  held.lost.throwIfAborted();
  const guardian = new Guardian(id, left());
  part.onRenewed(() => {
    if (!held.lost.aborted) guardian.extend(left());
  });
  const reporter = makeReporter(context, command);
  let isLost = false;
  let child: ChildProcess;
  try {
    child = await start(context, argv, {
      NSH_FENCING_TOKEN: String(held.token),
      [holdsVariable]: [...heldAround(context.env), id].join(':'),
    });
  } catch (error) {
    guardian.end();
    throw error;
  }
  guardian.watch(child.pid ?? 0);
  const stopForwarding = forwardSignals(context, child);
  const onLost = (): void => {
    isLost = true;
    reporter.say(`${toNshError(held.lost.reason).message}; ${argv[0] ?? ''} is ended`);
    guardian.terminate(Math.min(grace.wordMs, Math.max(0, left())));
    child.kill('SIGTERM');
    child.kill('SIGCONT');
  };
  const onKill = (): void => {
    guardian.kill();
    child.kill('SIGKILL');
  };
  held.lost.addEventListener('abort', onLost, { once: true });
  held.kill.addEventListener('abort', onKill, { once: true });
  if (held.lost.aborted) onLost();
  if (held.kill.aborted) onKill();
  try {
    const { code, signal } = await ended(child);
    // What it has left behind must not go on either.
    if (isLost) guardian.kill();
    else guardian.end();
    if (isLost) return toNshError(held.lost.reason).exitStatus;
    if (signal === 'SIGINT') noteInterrupt();
    return signal === null ? (code ?? 0) : 128 + constants.signals[signal];
  } finally {
    stopForwarding();
    held.lost.removeEventListener('abort', onLost);
    held.kill.removeEventListener('abort', onKill);
  }
}

function start(
  { env, cwd }: CommandContext,
  [file = '', ...args]: readonly string[],
  added: Readonly<Record<string, string>>,
): Promise<ChildProcess> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: 'inherit', cwd, env: { ...env, ...added } });
    child.once('spawn', () => resolve(child));
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') reject(new NshError('commandNotFound', `${file}: command not found`));
      else if (error.code === 'EACCES') reject(new NshError('commandNotExecutable', `${file}: Permission denied`));
      else reject(new NshError('spawnFailed', `${file}: ${error.message}`, { cause: error }));
    });
  });
}

function ended(child: ChildProcess): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null)
      resolve({ code: child.exitCode, signal: child.signalCode });
    else child.once('exit', (code, signal) => resolve({ code, signal }));
  });
}

/** What the terminal sends to both goes to the command only once; the rest is passed on, so that nsh never ends before it. */
function forwardSignals({ stdin }: CommandContext, child: ChildProcess): () => void {
  const handlers = (['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP'] as const).map((name) => {
    const isOfTerminal = name === 'SIGINT' || name === 'SIGQUIT';
    const handler = (): void => {
      if (!isOfTerminal || stdin.isTTY !== true) child.kill(name);
    };
    process.on(name, handler);
    return () => process.off(name, handler);
  });
  return () => {
    for (const off of handlers) off();
  };
}
