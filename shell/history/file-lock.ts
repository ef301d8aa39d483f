/**
 * A lock that the kernel lets go when its holder dies: flock(2), taken through flock(1) of util-linux, since Node has no call for it. The
 * program holds the lock as long as its stdin is open, which is as long as this process lives.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

const takeDeadlineMs = 2_000;

/** Runs `work` under the lock; without it where somebody else holds the lock, or no flock(1) is there. @returns whether it ran. */
export async function withFileLock(path: string, work: () => void): Promise<boolean> {
  const child = spawn('flock', ['--nonblock', path, 'cat'], { stdio: ['pipe', 'pipe', 'ignore'] });
  child.stdin.on('error', () => undefined); // It ended first: the lock was taken, or there is no such program.
  const closed = once(child, 'close').catch(() => undefined);
  try {
    // What cat gives back tells that the lock is held.
    child.stdin.write('\n');
    const deadline = AbortSignal.timeout(takeDeadlineMs);
    const isHeld = await Promise.race([
      once(child.stdout, 'data', { signal: deadline }).then(
        () => true,
        () => false,
      ),
      closed.then(() => false),
    ]);
    if (isHeld) work();
    return isHeld;
  } finally {
    child.stdin.end();
    child.kill();
    await closed;
  }
}
