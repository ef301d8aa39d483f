/** Whose processes: those that a directory, or anything else that is unique, is named by. */
import { readdirSync, readFileSync } from 'node:fs';

/** PIDs of processes that have the text on their command line or in their environment. */
export function processesNaming(text: string): string[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  return pids.filter((pid) => {
    try {
      return ['cmdline', 'environ'].some((name) => readFileSync(`/proc/${pid}/${name}`, 'latin1').includes(text));
    } catch {
      // It has ended.
      return false;
    }
  });
}
