/**
 * Descriptors that children must not see. What the shim inherited from whoever started its agent is closed at the start. Masters of
 * terminals, which node-pty makes without close-on-exec, are covered by its fork in a child only up to the first unused number beyond
 * 15 (its prebuilt binary does not know close_range(2)): so holes are filled while it forks.
 */
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';

/** O_CLOEXEC in /proc/self/fdinfo, whose flags are octal. */
const closeOnExec = 0o2000000;

/** @param kept a descriptor that is needed. */
export function closeInherited(kept: number): void {
  for (const name of readdirSync('/proc/self/fd')) {
    const fd = Number(name);
    if (fd <= 2 || fd === kept) continue;
    try {
      const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1] ?? '';
      // Node's own are all close-on-exec.
      if ((Number.parseInt(flags, 8) & closeOnExec) === 0) closeSync(fd);
    } catch {
      // The descriptor that listed the directory is closed by now.
    }
  }
}

/** Runs `fork` while no number up to `highest` is unused. */
export function withoutHoles<T>(highest: number, fork: () => T): T {
  const fillers: number[] = [];
  try {
    for (let fd = -1; fd < highest; ) {
      fd = openSync('/dev/null', 'r');
      fillers.push(fd);
    }
    return fork();
  } finally {
    for (const fd of fillers) closeSync(fd);
  }
}
