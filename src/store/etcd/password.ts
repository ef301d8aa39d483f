/**
 * The password of an etcd user, in a file of its own: so it stands in no cluster file, command line, environment or log, and is read when it
 * is needed and not kept. As with ssh's private keys, a file that others may read is refused.
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { NshError } from '../../protocol/errors.ts';

/** etcd hashes with bcrypt, which takes 72 bytes; what is far beyond that is no password. */
const maxBytes = 4_096;

/**
 * What stands in the file, without the end of its line.
 * @throws NshError `clusterFile` that names the file and says what is wrong with it: it cannot be read, is no regular file, belongs to
 *   somebody else, may be read or written by others, is empty or has several lines
 */
export async function readPassword(path: string): Promise<string> {
  const refuse = (why: string, cause?: unknown): NshError =>
    new NshError('clusterFile', `the store's passwordFile ${path} ${why}`, { cause });
  // Else the opening of a FIFO would wait for a writer.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
    throw refuse(`cannot be read: ${error instanceof Error ? error.message : String(error)}`, error);
  });
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw refuse('is no regular file');
    const own = process.geteuid?.() ?? stat.uid;
    if (stat.uid !== own)
      throw refuse(`belongs to user ${stat.uid}, and must belong to the one who runs this (${own})`);
    const mode = stat.mode & 0o777;
    if ((mode & 0o077) !== 0) throw refuse(`may be used by others (mode 0${mode.toString(8)}): chmod 600 it`);
    if (stat.size > maxBytes) throw refuse(`has ${stat.size} bytes: it must hold a password and nothing else`);
    const text = (await file.readFile('utf8')).replace(/\r?\n$/, '');
    if (text === '') throw refuse('is empty');
    if (/[\r\n\0]/.test(text)) throw refuse('has more than one line: it must hold a password and nothing else');
    return text;
  } finally {
    await file.close();
  }
}
