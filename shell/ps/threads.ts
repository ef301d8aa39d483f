/** Threads below their process, as -m and m show them: one line for the process, then one for each of its threads. */
import type { Row } from './row.ts';

/** The row that stands for the whole process; ended processes have no other. */
export function isFirstThread(row: Row): boolean {
  return row.tid === row.pid;
}

/** @param processes in the order in which they are shown. @param all every row, threads included, as the nodes sent them. */
export function withThreads(processes: readonly Row[], all: readonly Row[]): Row[] {
  const threads = new Map<number, Row[]>();
  for (const row of all) {
    if (row.ended) continue;
    const known = threads.get(row.gpid);
    if (known === undefined) threads.set(row.gpid, [row]);
    else known.push(row);
  }
  return processes.flatMap((row) =>
    row.ended ? [row] : [row.as('process'), ...(threads.get(row.gpid) ?? []).map((thread) => thread.as('thread'))],
  );
}
