/** Which threads a ps shows, from the options about them. */
import type { PsQuery } from '../query.ts';
import { usage, type Draft } from './draft.ts';

/** @throws NshError `usage` where the options contradict each other, worded as procps words it. */
export function threadStyle({ threads, forest }: Draft): PsQuery['threads'] {
  if (threads.size === 0) return 'none';
  if (forest !== 'none') throw usage('thread display conflicts with forest display');
  const below = threads.has('bsd-m') || threads.has('unix-m');
  if (threads.has('H') && below) throw usage("thread flags conflict; can't use H with m or -m");
  if (threads.has('bsd-m') && threads.has('unix-m')) throw usage("thread flags conflict; can't use both m and -m");
  if (threads.has('L') && threads.has('T')) throw usage("thread flags conflict; can't use both -L and -T");
  return below ? 'below' : 'flat';
}

/** -L and -T beside H, m or -m can only be there for their columns: no list of columns may stand in their way. */
export function wantsThreadColumns({ threads }: Draft): boolean {
  const column = threads.has('L') || threads.has('T');
  return column && (threads.has('H') || threads.has('bsd-m') || threads.has('unix-m'));
}

/** After which column -L puts the thread: the first of these that the format has. */
const beforeThread = ['sid', 'sess', 'session', 'pgid', 'pgrp', 'ppid', 'pid'];

/** A BSD format with the columns of -L and -T. */
export function addThreadColumns(format: readonly string[], { threads }: Draft): string[] {
  let added = [...format];
  if (threads.has('T')) added = insertAfter(added, 'pid', 'spid');
  if (!threads.has('L')) return added;
  const before = beforeThread.find((name) => added.includes(name)) ?? '';
  return insertAfter(insertAfter(added, before, 'lwp'), 'pcpu', 'nlwp');
}

function insertAfter(format: readonly string[], before: string, name: string): string[] {
  return format.flatMap((each) => (each === before ? [each, name] : [each]));
}
