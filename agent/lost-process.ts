/**
 * What became of a process whose shim was killed. It was hung up with its terminal, or finds its pipes closed, and mostly ends by that,
 * unseen; but it may live on, and is nobody's then. Which of both it is changes, so it is looked at whenever somebody asks.
 */
import { bootIdentity, runsSince } from '../src/cluster/this-machine.ts';
import type { ExitStatus, ManagedProcess } from '../src/protocol/process.ts';

type Incarnation = Pick<ManagedProcess, 'pid' | 'start' | 'boot'>;

/** The status as it stands now; one whose end was seen stays as it is. */
export function exitNow({ pid, start, boot }: Incarnation, exit: ExitStatus): ExitStatus {
  if (exit.lost === undefined) return exit;
  const { runsOn: _, ...lost } = exit;
  return boot === bootIdentity() && runsSince(pid, start) ? { ...lost, runsOn: true } : lost;
}

/** The record with its status as it stands now. */
export function recordNow(record: ManagedProcess): ManagedProcess {
  return record.exit?.lost === undefined ? record : { ...record, exit: exitNow(record, record.exit) };
}
