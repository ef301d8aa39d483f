/**
 * What is read of one process during one scan: each file at most once, and only where a column asks for it. Reused from process to
 * process.
 */
import { readlinkSync, statSync } from 'node:fs';
import { isGone, type ProcessFiles } from './descriptors.ts';
import { readBytes } from './read-file.ts';
import { StatLine } from './stat-line.ts';
import { decodeText } from './text.ts';

/** What is shown of argv or of an environment; a longer one ends in `…`. */
export const maxTextBytes = 128 * 1024;
const smallFileBytes = 64 * 1024;

/** What is read of every process. */
export interface Wants {
  /** Whether a column needs the owner of /proc/PID. */
  readonly owner: boolean;
  /** How far `stat` is parsed. */
  readonly lastStatField: number;
}

export class ProcessSources {
  readonly stat = new StatLine();
  pid = 0;
  tid = 0;
  uid = 0;
  gid = 0;
  private files: ProcessFiles | undefined;
  private readonly texts = new Map<string, string | null>();

  /**
   * Begins with a process. The owner is read before `stat`: a directory of a process that has gone is shown as root's, and only a
   * successful read of `stat` afterwards proves that it was there.
   * @throws ESRCH or ENOENT where the process has gone. @returns false where stat may not be read (hidepid).
   */
  begin(files: ProcessFiles, { owner, lastStatField }: Wants): boolean {
    this.files = files;
    this.pid = files.pid;
    this.tid = files.tid;
    if (this.texts.size > 0) this.texts.clear();
    if (owner) ({ uid: this.uid, gid: this.gid } = files.owner());
    try {
      const bytes = files.read('stat', smallFileBytes);
      return this.stat.parse(bytes.buffer, bytes.length, lastStatField);
    } catch (error) {
      if (isGone(error)) throw error;
      return false;
    }
  }

  /** status or statm, through kept descriptors. */
  kept(file: 'status' | 'statm'): string | null {
    return this.once(file, () => {
      const bytes = this.open.read(file, smallFileBytes);
      return bytes.buffer.toString('latin1', 0, bytes.length);
    });
  }

  /** A small file that few requests ask for. */
  small(file: string): string | null {
    return this.once(file, () => {
      const bytes = readBytes(this.open.path(file), smallFileBytes);
      return bytes === undefined ? null : decodeText(bytes.buffer, 0, bytes.length);
    });
  }

  link(file: string): string | null {
    return this.once(`link ${file}`, () => readlinkSync(this.open.path(file)));
  }

  /** Number of a namespace: the inode that `ns/FILE` leads to. */
  namespace(file: string): number | null {
    try {
      return statSync(this.open.path(`ns/${file}`)).ino;
    } catch {
      return null; // another user's process, or a kernel without this namespace
    }
  }

  /** argv; null where it is empty (kernel threads, zombies) or may not be read. NULs that pad a title are no arguments. */
  args(): readonly string[] | null {
    try {
      const { buffer, length, cut } = this.open.read('cmdline', maxTextBytes);
      return length === 0 ? null : splitNul(buffer, length, cut);
    } catch (error) {
      if (isGone(error)) throw error;
      return null;
    }
  }

  environ(): readonly string[] | null {
    const bytes = readBytes(this.open.path('environ'), maxTextBytes);
    return bytes === undefined ? null : splitNul(bytes.buffer, bytes.length, bytes.cut);
  }

  private get open(): ProcessFiles {
    if (this.files === undefined) throw new Error('no process begun');
    return this.files;
  }

  private once(key: string, read: () => string | null): string | null {
    const known = this.texts.get(key);
    if (known !== undefined) return known;
    let text: string | null;
    try {
      text = read();
    } catch {
      text = null; // not permitted, or gone since: shown as not known
    }
    this.texts.set(key, text);
    return text;
  }
}

function splitNul(buffer: Buffer, length: number, cut: boolean): readonly string[] {
  let end = length;
  while (end > 0 && buffer[end - 1] === 0) end--;
  if (end === 0) return [];
  const parts = decodeText(buffer, 0, end).split('\0');
  if (cut) parts[parts.length - 1] += '…';
  return parts;
}
