/** nsh's own columns: the node, and what is known of a process because nsh runs it. */
import { columns, numberCell, showNumber, type Cell, type Column } from './column.ts';
import type { Row } from '../row.ts';

const node: Cell = {
  needs: [],
  value: (row) => row.node.name,
  text: (row) => row.node.name,
  style: () => 'dim',
};

function managedText(text: (row: Row) => string | undefined): Cell {
  return { needs: [], value: (row) => text(row) ?? null, text: (row) => text(row) ?? '-' };
}

/** How it ended: exit code, name of the signal, or that it is not known, or that it runs on without its shim. `-` while it runs. */
const status: Cell = {
  needs: [],
  value: statusText,
  text: (row) => statusText(row) ?? '-',
  json: (row) => row.managed?.exit ?? null,
  style: (row) => {
    const text = statusText(row);
    return text === null || text === '0' ? undefined : 'red';
  },
};

function statusText(row: Row): string | null {
  const exit = row.managed?.exit;
  if (exit === undefined) return row.ended ? 'lost' : null;
  if (exit.runsOn === true) return 'orphan';
  return exit.signal ?? (exit.code === null ? 'lost' : String(exit.code));
}

const localThread: Cell = {
  needs: ['pid'],
  value: (row) => (row.ended ? null : row.tid),
  text: (row) => (row.ended ? '-' : String(row.tid)),
};

const clients: Cell = {
  needs: [],
  fresh: true,
  value: (row) => row.managed?.clients ?? null,
  text: (row) => showNumber(row.managed?.clients ?? null),
};

/** Shows a managed process by the name it was given, which in a session is the line that was typed; a thread by its own. */
export function withGivenName(column: Column): Column {
  return {
    ...column,
    text: (row, view) => {
      const name = row.line === 'both' && row.tid === row.pid ? row.managed?.name : undefined;
      return name === undefined ? column.text(row, view) : row.branch + name;
    },
  };
}

const fits = { fits: true };

export const managedColumns: readonly Column[] = [
  ...columns(node, 'left', [['node', 'NODE', 4, fits]]),
  ...columns(numberCell('pid'), 'right', [['lpid', 'LPID', 5]]),
  ...columns(localThread, 'right', [['llwp', 'LLWP', 5]]),
  ...columns(
    managedText((row) => row.managed?.name),
    'left',
    [['name', 'NAME', 4, fits]],
  ),
  ...columns(
    managedText((row) => row.managed && `${row.managed.starter.user}@${row.managed.starter.host}`),
    'left',
    [['starter', 'STARTER', 7, fits]],
  ),
  ...columns(status, 'left', [['status', 'STATUS', 6, fits]]),
  ...columns(
    managedText((row) => row.managed?.io),
    'left',
    [['io', 'IO', 5]],
  ),
  ...columns(clients, 'right', [['clients', 'CLIENTS', 7]]),
];
