/** Columns of what surrounds a process: namespaces, control groups, security, files, addresses. */
import type { RawColumn } from '../../../src/protocol/process.ts';
import type { Row } from '../row.ts';
import { columns, numberCell, textCell, type Cell, type Column } from './column.ts';

/** Control groups in one line; empty roots are left out. */
function cgroups(row: Row): string {
  const lines = (row.text('cgroup') ?? '').split('\n').filter((line) => line !== '' && !line.endsWith('/'));
  return lines.join(',') || '-';
}

const cgroup: Cell = { needs: ['cgroup'], value: cgroups, text: cgroups };
const cgname = derived((row) => /:name=(.+)/.exec(cgroups(row))?.[1] ?? cgroups(row));
const lxc = derived((row) => /\/lxc(?:\.payload)?[/.]([^/\n]+)/.exec(row.text('cgroup') ?? '')?.[1] ?? '-');

function derived(text: (row: Row) => string): Cell {
  return { needs: ['cgroup'], value: text, text };
}

const environ: Cell = {
  needs: ['environ'],
  value: (row) => row.list('environ')?.join(' ') ?? null,
  text: (row) => row.list('environ')?.join(' ') ?? '-',
  // A process that wrote its title over its environment left nothing but NULs there.
  json: (row) => row.list('environ')?.filter((variable) => variable !== '') ?? null,
};

/** An address in sixteen hexadecimal digits. */
function address(column: RawColumn): Cell {
  const hex = (row: Row): string | null => row.number(column)?.toString(16).padStart(16, '0') ?? null;
  return { needs: [column], value: (row) => row.number(column), text: (row) => hex(row) ?? '-', json: hex };
}

export const kernelColumns: readonly Column[] = [
  ...columns(cgroup, 'unlimited', [['cgroup', 'CGROUP', 27]]),
  ...columns(cgname, 'unlimited', [['cgname', 'CGNAME', 27]]),
  ...columns(lxc, 'left', [['lxc', 'LXC', 8]]),
  ...columns(textCell('unit'), 'left', [['unit', 'UNIT', 31]]),
  ...columns(textCell('userUnit'), 'left', [['uunit', 'UUNIT', 31]]),
  ...columns(textCell('slice'), 'left', [['slice', 'SLICE', 31]]),
  ...columns(textCell('machine'), 'left', [['machine', 'MACHINE', 31]]),
  ...columns(textCell('loginSession'), 'left', [['lsession', 'SESSION', 11]]),
  ...columns(textCell('sessionOwner'), 'left', [['ouid', 'OWNER', 5]]),
  ...columns(numberCell('cgroupNs'), 'right', [['cgroupns', 'CGROUPNS', 10]]),
  ...columns(numberCell('ipcNs'), 'right', [['ipcns', 'IPCNS', 10]]),
  ...columns(numberCell('mntNs'), 'right', [['mntns', 'MNTNS', 10]]),
  ...columns(numberCell('netNs'), 'right', [['netns', 'NETNS', 10]]),
  ...columns(numberCell('pidNs'), 'right', [['pidns', 'PIDNS', 10]]),
  ...columns(numberCell('timeNs'), 'right', [['timens', 'TIMENS', 10]]),
  ...columns(numberCell('userNs'), 'right', [['userns', 'USERNS', 10]]),
  ...columns(numberCell('utsNs'), 'right', [['utsns', 'UTSNS', 10]]),
  ...columns(textCell('label'), 'left', [
    ['label', 'LABEL', 31],
    ['context', 'CONTEXT', 31],
    ['zone', 'ZONE', 31],
  ]),
  ...columns(textCell('exe'), 'unlimited', [['exe', 'EXE', 27]]),
  ...columns(textCell('cwd'), 'unlimited', [['cwd', 'CWD', 27]]),
  ...columns(textCell('root'), 'unlimited', [['root', 'ROOT', 27]]),
  ...columns(environ, 'unlimited', [['environ', 'ENVIRONMENT', 11]]),
  ...columns(textCell('capEff'), 'right', [['capeff', 'CAPEFF', 16]]),
  ...columns(numberCell('noNewPrivs'), 'right', [['nnp', 'NNP', 3]]),
  ...columns(numberCell('seccomp'), 'right', [['seccomp', 'SECCOMP', 7]]),
  ...columns(address('startStack'), 'right', [
    ['stackp', 'STACKP', 16],
    ['start_stack', 'STACKP', 16],
  ]),
  ...columns(address('stackPointer'), 'right', [['esp', 'ESP', 16]]),
  ...columns(address('instructionPointer'), 'right', [['eip', 'EIP', 16]]),
  ...columns(address('startCode'), 'right', [['start_code', 'S_CODE', 16]]),
  ...columns(address('endCode'), 'right', [['end_code', 'E_CODE', 16]]),
];
