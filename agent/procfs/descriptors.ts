/**
 * Kept-open descriptors of /proc/PID. Opening costs ten times a read, so the directory and the files that every scan reads stay open. A
 * descriptor belongs to one incarnation of a PID: reads through it fail with ESRCH once that process has gone, even where the number is
 * in use again. Files are opened through the directory's descriptor, so that all of one set are of the same process.
 */
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { readAscii, readDescriptor, type Bytes } from './read-file.ts';

export const keptFiles = ['stat', 'cmdline', 'status', 'statm'] as const;
export type KeptFile = (typeof keptFiles)[number];

/** Processes whose descriptors are kept at most. */
const maxKept = 4_000;
const descriptorsEach = 1 + keptFiles.length;

/** One incarnation's open files: a process's, or those of one of its threads, which are kept for one scan only. */
export class ProcessFiles {
  readonly pid: number;
  /** The PID where these are a process's files. */
  readonly tid: number;
  readonly directory: number;
  private readonly files = new Map<KeptFile, number>();

  /** @throws where the process has gone, or may not be looked at. */
  constructor(pid: number, path = `/proc/${pid}`, tid = pid) {
    this.pid = pid;
    this.tid = tid;
    this.directory = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  }

  /** Owner of /proc/PID: effective user and group. Right only where a later read of `stat` succeeds. */
  owner(): { uid: number; gid: number } {
    return fstatSync(this.directory);
  }

  /** @throws the system's error: ESRCH, ENOENT where the process has gone, EACCES. */
  read(file: KeptFile, maxBytes: number): Bytes {
    let descriptor = this.files.get(file);
    if (descriptor === undefined) {
      descriptor = openSync(this.path(file), 'r');
      this.files.set(file, descriptor);
    }
    return readDescriptor(descriptor, maxBytes);
  }

  /** Path of a file of this very process, whoever has its number now. */
  path(file: string): string {
    return `/proc/self/fd/${this.directory}/${file}`;
  }

  close(): void {
    for (const descriptor of this.files.values()) closeSync(descriptor);
    closeSync(this.directory);
  }
}

export class DescriptorCache {
  private readonly kept = new Map<number, ProcessFiles>();
  private readonly limit: number;

  constructor(limit = defaultLimit()) {
    this.limit = limit;
  }

  get size(): number {
    return this.kept.size;
  }

  /** Runs `use` on a process's files. Undefined where there is no such process, or it ended meanwhile. */
  with<T>(pid: number, use: (files: ProcessFiles) => T): T | undefined {
    const files = this.kept.get(pid);
    if (files !== undefined) {
      try {
        return use(files);
      } catch (error) {
        this.drop(files);
        if (!isGone(error)) throw error;
      }
    }
    return this.withNew(pid, use);
  }

  /** Lets go of processes that are no longer listed. `listed` is in rising order and complete. */
  keepOnly(listed: ReadonlySet<number>): void {
    for (const [pid, files] of this.kept) if (!listed.has(pid)) this.drop(files);
  }

  close(): void {
    for (const files of this.kept.values()) files.close();
    this.kept.clear();
  }

  private withNew<T>(pid: number, use: (files: ProcessFiles) => T): T | undefined {
    let files: ProcessFiles;
    try {
      files = new ProcessFiles(pid);
    } catch (error) {
      if (isGone(error)) return undefined;
      throw error;
    }
    const keep = this.kept.size < this.limit;
    if (keep) this.kept.set(pid, files);
    try {
      return use(files);
    } catch (error) {
      if (keep) this.drop(files);
      if (isGone(error)) return undefined;
      throw error;
    } finally {
      if (!keep) files.close();
    }
  }

  private drop(files: ProcessFiles): void {
    this.kept.delete(files.pid);
    files.close();
  }
}

/** The process ended between two steps. */
export function isGone(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ESRCH' || code === 'ENOENT';
}

/** At most half of the descriptors that this program may have. */
function defaultLimit(): number {
  const line = /^Max open files\s+(\d+)/m.exec(readAscii('/proc/self/limits') ?? '');
  const descriptors = line === null ? 1024 : Number(line[1]);
  return Math.min(maxKept, Math.floor(descriptors / 2 / descriptorsEach));
}
