/**
 * One agent for a node: a lock file that names its holder by PID, start time and boot, so that what a dead one left behind is
 * known as such, after a reboot and after the PID went to another process too.
 */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { bootIdentity, readStart, runsSince } from '../../src/cluster/this-machine.ts';
import { NshError } from '../../src/protocol/errors.ts';

const endDeadlineMs = 5_000;
const endPollMs = 10;
/** Who waits for an agent to end has time. */
const waitPollMs = 500;

export interface Lock {
  release(): void;
}

/**
 * @param what is locked, for whoever comes second.
 * @throws NshError `agentFailed` with data.running where another agent holds it.
 */
export function takeLock(path: string, what = 'an agent of this node runs already'): Lock {
  const mine = `${process.pid} ${readStart(process.pid) ?? 0} ${bootIdentity()}\n`;
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, mine, { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < 5; attempt++) {
      if (linkOnce(draft, path)) return { release: () => releaseLock(path, mine) };
      const holder = readHolder(path);
      if (holder !== undefined && isAlive(holder)) {
        throw new NshError('agentFailed', `${what} (PID ${holder.split(' ')[0]})`, {
          data: { running: true },
        });
      }
      // Moved aside first: of several that find the same dead holder, only one can move its file.
      if (holder !== undefined) moveAside(path, `${draft}.stale`);
    }
  } finally {
    rmSync(draft, { force: true });
  }
  throw new NshError('agentFailed', `the lock ${path} changes hands too often; try again`);
}

/** The lock, once its holder has gone. */
export async function waitForLock(path: string): Promise<Lock> {
  for (;;) {
    try {
      return takeLock(path);
    } catch (error) {
      if (!(error instanceof NshError) || error.data?.['running'] !== true) throw error;
      await delay(waitPollMs);
    }
  }
}

/** Asks the agent that holds the lock to end, whatever protocol it speaks, and waits until it is gone. @throws NshError `agentFailed` */
export async function endHolder(path: string): Promise<void> {
  const holder = readHolder(path);
  if (holder === undefined || !isAlive(holder)) return;
  const pid = Number(holder.split(' ')[0]);
  process.kill(pid, 'SIGTERM');
  for (let waitedMs = 0; waitedMs < endDeadlineMs; waitedMs += endPollMs) {
    if (!isAlive(holder)) return;
    await delay(endPollMs);
  }
  throw new NshError(
    'agentFailed',
    `the agent that runs (PID ${pid}) does not end; end it by hand: its processes stay`,
  );
}

function linkOnce(draft: string, path: string): boolean {
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function readHolder(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1').trim();
  } catch {
    // Released between our look and our read.
    return undefined;
  }
}

function isAlive(holder: string): boolean {
  const [pid, start, boot] = holder.split(' ');
  return boot === bootIdentity() && runsSince(Number(pid), Number(start));
}

function moveAside(path: string, aside: string): void {
  try {
    renameSync(path, aside);
    rmSync(aside, { force: true });
  } catch {
    // Another one has moved it: the next attempt finds out who holds it now.
  }
}

function releaseLock(path: string, mine: string): void {
  if (readHolder(path) === mine.trim()) rmSync(path, { force: true });
}
