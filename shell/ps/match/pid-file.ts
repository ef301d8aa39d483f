/** The PID file of -F, and whether its daemon holds a lock on it (-L), as pgrep(1) has it. */
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { NshError } from '../../../src/protocol/errors.ts';

/** @throws NshError `noSuchProcess` where it holds no PID, or nobody has locked it though it must be. */
export function readPidFile(path: string, mustBeLocked: boolean): string {
  let text = '';
  let locked = false;
  try {
    const descriptor = openSync(path, 'r');
    try {
      text = readFileSync(descriptor, 'utf8').trim();
      locked = mustBeLocked && isLocked(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch {
    // told below, with what else may be wrong with it
  }
  const [pid = ''] = text.split(/\s/);
  if (!/^[\w.-]*\d$/.test(pid) || pid === '0') throw notValid(path);
  if (mustBeLocked && !locked) throw notValid(`${path} is not locked`);
  return pid;
}

function notValid(what: string): NshError {
  return new NshError('noSuchProcess', `pidfile not valid: ${what}`);
}

/**
 * Whether a read lock would be refused: somebody holds a write lock of flock(2) or fcntl(2). Node.js can try neither, but the kernel lists
 * them all, by the device that the file system is on, which is not always what stat(2) says.
 */
function isLocked(descriptor: number): boolean {
  const [, mount] = /^mnt_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1')) ?? [];
  const mounts = readFileSync('/proc/self/mountinfo', 'latin1');
  const [, major, minor] = new RegExp(`^${mount} \\d+ (\\d+):(\\d+) `, 'm').exec(mounts) ?? [];
  const device = [major, minor].map((part) => Number(part).toString(16).padStart(2, '0')).join(':');
  const file = `${device}:${fstatSync(descriptor).ino}`;
  return readFileSync('/proc/locks', 'latin1')
    .split('\n')
    .map((line) => line.split(/\s+/))
    .some(
      ([, kind = '', , mode, , where]) => /^(?:FLOCK|POSIX|OFDLCK)$/.test(kind) && mode === 'WRITE' && where === file,
    );
}
