/** What a person can do where a directory that nsh keeps things in cannot be made or used. */
import { NshError } from '../protocol/errors.ts';

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'Permission denied',
  EPERM: 'Operation not permitted',
  EROFS: 'Read-only file system',
  ENOSPC: 'No space left on device',
  EDQUOT: 'Disk quota exceeded',
  ENOTDIR: 'a part of it is not a directory',
  EEXIST: 'a part of it is not a directory',
  ENOENT: 'a part of it is missing and cannot be made (a link that leads nowhere?)',
  ELOOP: 'its links lead in a circle',
  ENAMETOOLONG: 'File name too long',
};

/** The reason in words, where it is one that a person can mend; undefined for everything else that can be thrown. */
export function describeFault(error: unknown): string | undefined {
  return reasons[(error as NodeJS.ErrnoException).code ?? ''];
}

/** @param isTemporary the directory in /tmp that sockets lie in where the state directory cannot hold them. */
export function stateFault(path: string, error: unknown, isTemporary: boolean): NshError {
  const why = describeFault(error) ?? (error as Error).message;
  const advice = isTemporary
    ? 'Sockets lie there where the path of the state directory is long or on a network file system: ' +
      'set XDG_STATE_HOME to a short path on a local one'
    : 'nsh keeps its state there: set XDG_STATE_HOME to a directory that you may write to';
  return new NshError('agentFailed', `${path} cannot be used: ${why}. ${advice}`, { cause: error });
}
