/**
 * The agent's log: one line an event on stderr, which its starter has put into agent.log. Never environment, argv or secrets. An agent may run
 * for years: a file that has grown too large becomes FILE.1, and begins anew.
 */
import { copyFileSync, fstatSync, ftruncateSync, readlinkSync } from 'node:fs';

/** Both files together take twice as much. */
export const maxLogBytes = 4 * 1024 * 1024;
/** The size is looked at when so much more has been written. */
const lookBytes = 64 * 1024;

const stderr = 2;
let written = lookBytes;

export function log(event: string, facts: Readonly<Record<string, unknown>> = {}): void {
  const words = Object.entries(facts).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  const line = `${new Date().toISOString()} ${[event, ...words].join(' ')}\n`;
  written += line.length;
  if (written >= lookBytes) {
    written = 0;
    turnOver(stderr);
  }
  process.stderr.write(line);
}

/** Nothing where it is no file: a terminal, or the journal. @param fd open for appending. */
export function turnOver(fd: number): void {
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.size < maxLogBytes) return;
    copyFileSync(`/proc/self/fd/${fd}`, `${readlinkSync(`/proc/self/fd/${fd}`)}.1`);
    ftruncateSync(fd, 0);
  } catch {
    // A full disk, or a file that is gone: it is looked at again later.
  }
}
