/** Processes in the same namespaces as another one (namespaces(7)). A namespace is its node's: no process of another node is in it. */
import { NshError } from '../../../src/protocol/errors.ts';
import type { RawColumn } from '../../../src/protocol/process.ts';
import type { Row } from '../row.ts';

/** What is compared: the process and the kinds of namespace. */
export interface NamespaceQuery {
  readonly gpid: number;
  readonly kinds: readonly RawColumn[];
}

const columns: Readonly<Record<string, RawColumn>> = {
  cgroup: 'cgroupNs',
  ipc: 'ipcNs',
  mnt: 'mntNs',
  net: 'netNs',
  pid: 'pidNs',
  time: 'timeNs',
  user: 'userNs',
  uts: 'utsNs',
};

export const namespaceColumns: readonly RawColumn[] = Object.values(columns);

/** @param list of --nslist; undefined: all kinds. @throws NshError `usage` */
export function namespaceKinds(list: string | undefined): readonly RawColumn[] {
  if (list === undefined) return namespaceColumns;
  return list.split(',').map((name) => {
    const column = Object.hasOwn(columns, name) ? columns[name] : undefined;
    if (column !== undefined) return column;
    throw new NshError(
      'usage',
      `--nslist: no namespace is called "${name}"; there are ${Object.keys(columns).join(', ')}`,
    );
  });
}

/** @throws NshError `noSuchProcess` where the process is not among the rows, or its namespaces may not be looked at. */
export function namespaceTest(rows: readonly Row[], { gpid, kinds }: NamespaceQuery): (row: Row) => boolean {
  const model = rows.find((row) => row.gpid === gpid && !row.ended);
  if (model === undefined)
    throw new NshError('noSuchProcess', `--ns ${gpid}: no such process on the nodes that were asked`);
  if (kinds.some((kind) => model.number(kind) === null)) {
    throw new NshError('notPermitted', `--ns ${gpid}: its namespaces may not be looked at by this user`);
  }
  return (row) => row.node.id === model.node.id && kinds.every((kind) => row.number(kind) === model.number(kind));
}
