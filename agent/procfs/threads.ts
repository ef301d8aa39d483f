/**
 * The threads of a process: /proc/PID/task. Their directories are opened through the process's own, so that they are of the very process
 * whose row comes first, and closed again at once: only those who ask for threads pay for them.
 */
import { readdirSync } from 'node:fs';
import { isGone, ProcessFiles } from './descriptors.ts';

/** Thread ids in rising order; none where the process has gone, or may not be looked at. */
export function listThreads(taskDirectory: string): number[] {
  try {
    return readdirSync(taskDirectory)
      .map(Number)
      .sort((a, b) => a - b);
  } catch {
    return []; // its first thread's row has been read, and is all there is to show
  }
}

/** Runs `use` on a thread's files. Undefined where the thread has ended meanwhile. */
export function withThread<T>(process: ProcessFiles, tid: number, use: (files: ProcessFiles) => T): T | undefined {
  let files: ProcessFiles | undefined;
  try {
    files = new ProcessFiles(process.pid, process.path(`task/${tid}`), tid);
    return use(files);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  } finally {
    files?.close();
  }
}
