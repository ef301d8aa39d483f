/** Every column that ps can show, by name, and why the others of procps are refused. */
import { findNear } from '../../../src/ids/near.ts';
import { claimColumns } from './claims.ts';
import type { Column } from './column.ts';
import { identityColumns } from './identity.ts';
import { kernelColumns } from './kernel.ts';
import { managedColumns } from './managed.ts';
import { memoryColumns } from './memory.ts';
import { schedulingColumns } from './scheduling.ts';
import { timeColumns } from './time.ts';

export type { Align, Cell, Column, Value, View } from './column.ts';
export { hasCell } from './lines.ts';
export { withGivenName } from './managed.ts';

export const allColumns: readonly Column[] = [
  ...identityColumns,
  ...managedColumns,
  ...claimColumns,
  ...timeColumns,
  ...memoryColumns,
  ...schedulingColumns,
  ...kernelColumns,
].sort((a, b) => (a.name < b.name ? -1 : 1));

const byName = new Map(allColumns.map((column) => [column.name, column]));

export function findColumn(name: string): Column | undefined {
  return byName.get(name);
}

/** Names that procps accepts, for other systems' sake, and always shows as `-`. */
const empty = new Set(
  `acflag acflg alarm argc bnd cnswap cpu ctid cursig emul inblk inblock jid jobc ktrace ktracep login logname luser m_dt m_lrs m_share
   m_swap msgrcv msgsnd nivcsw nsignals nsigs nswap nvcsw nwchan osz oublk oublock p_ru paddr poip prmgrp prmid project projid pset
   psxpri re rlink scnt scount share sl systime taskid tdev timeout tmout tsess tsession tsid u_procp umask upr uprocp usertime usrpri vm_exe
   vm_lib xstat zoneid`.split(/\s+/),
);

/** Why there is no column of that name, with what may have been meant. */
export function explainUnknownColumn(name: string): string {
  const quoted = `unknown user-defined format specifier "${name}"`;
  if (name === 'seat') {
    return `${quoted}: logind's, not in /proc; lsession is there, and 'loginctl session-status' on the node tells its seat`;
  }
  if (empty.has(name)) return `${quoted}: /proc does not give it, procps shows only '-'`;
  const near = findNear(name, byName.keys());
  return near.length === 0 ? `${quoted}; 'nsh ps L' lists them all` : `${quoted}; near: ${near.join(', ')}`;
}
