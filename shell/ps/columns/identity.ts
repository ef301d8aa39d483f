/** Columns that say which process it is: PIDs, users, groups, terminal, command. */
import type { RawColumn } from '../../../src/protocol/process.ts';
import type { Row } from '../row.ts';
import { columns, numberCell, showNumber, type Cell, type Column, type View } from './column.ts';

const pid: Cell = { needs: ['pid'], value: (row) => row.gpid, text: (row) => String(row.gpid) };
const thread: Cell = {
  needs: ['pid'],
  value: (row) => (row.ended ? null : row.threadGpid),
  text: (row) => (row.ended ? '-' : String(row.threadGpid)),
};
const ppid: Cell = { needs: ['ppid'], value: (row) => row.parent, text: (row) => showNumber(row.parent) };
const pgid = clusterPid('pgrp');
const sid = clusterPid('session');
const tpgid = clusterPid('tpgid');

function clusterPid(column: RawColumn): Cell {
  return {
    needs: [column],
    value: (row) => row.cluster(column),
    text: (row) => showNumber(row.cluster(column)),
  };
}

/** A name, or its number with BSD `n`. */
function nameCell(name: RawColumn, id: RawColumn): Cell {
  return {
    needs: [name, id],
    value: (row) => row.text(name),
    text: (row, view) => (view.numeric ? showNumber(row.number(id)) : (row.text(name) ?? '-')),
  };
}

const tty: Cell = {
  needs: ['tty'],
  value: (row) => row.text('tty'),
  text: (row) => row.text('tty') ?? '-',
};
const shortTty: Cell = { ...tty, text: (row) => tty.text(row, wholeView).replace(/^(?:tty|pts\/)(?=.)/, '') };
const wholeView: View = {
  numeric: false,
  withDead: false,
  commandOnly: false,
  withEnviron: false,
  wideSignals: true,
};

/** argv in one line; `[comm]` where there is none, as for kernel threads; `<defunct>` for zombies. */
export function commandLine(row: Row): string {
  const args = row.list('args');
  if (args !== null) return oneLine(args) || '?';
  const comm = row.text('comm') ?? '?';
  return row.text('state') === 'Z' ? `[${comm}] <defunct>` : `[${comm}]`;
}

function oneLine(words: readonly string[]): string {
  const text = words.length === 1 ? (words[0] ?? '') : words.join(' ');
  return text.includes('\n') ? text.replaceAll('\n', ' ') : text;
}

function withEnviron(text: string, row: Row, view: View): string {
  if (!view.withEnviron) return text;
  const environ = oneLine(row.list('environ') ?? []);
  return environ === '' ? text : `${text} ${environ}`;
}

const args: Cell = {
  needs: ['args', 'comm', 'state'],
  value: commandLine,
  text: (row, view) => {
    const command = view.commandOnly ? commandName(row) : commandLine(row);
    return row.branch + withEnviron(command, row, view);
  },
};

function commandName(row: Row): string {
  const comm = row.text('comm') ?? '-';
  return row.text('state') === 'Z' ? `${comm} <defunct>` : comm;
}

const comm: Cell = {
  needs: ['comm'],
  value: (row) => row.text('comm'),
  text: (row, view) => row.branch + withEnviron(row.text('comm') ?? '-', row, view),
};
const fname: Cell = {
  ...comm,
  text: (row) =>
    row.branch +
    Array.from(row.text('comm') ?? '-')
      .slice(0, 8)
      .join(''),
};

const isPid = { isPid: true };

export const identityColumns: readonly Column[] = [
  ...columns(pid, 'right', [
    ['pid', 'PID', 5, isPid],
    ['tgid', 'TGID', 5, isPid],
    ['gpid', 'GPID', 5, isPid],
  ]),
  ...columns(thread, 'right', [
    ['lwp', 'LWP', 5, isPid],
    ['spid', 'SPID', 5, isPid],
    ['tid', 'TID', 5, isPid],
  ]),
  ...columns(ppid, 'right', [['ppid', 'PPID', 5, isPid]]),
  ...columns(pgid, 'right', [
    ['pgid', 'PGID', 5, isPid],
    ['pgrp', 'PGRP', 5, isPid],
  ]),
  ...columns(sid, 'right', [
    ['sid', 'SID', 5, isPid],
    ['sess', 'SESS', 5, isPid],
    ['session', 'SESS', 5, isPid],
  ]),
  ...columns(tpgid, 'right', [['tpgid', 'TPGID', 5, isPid]]),

  ...columns(nameCell('euser', 'euid'), 'user', [
    ['user', 'USER', 8],
    ['euser', 'EUSER', 8],
    ['uname', 'USER', 8],
    ['uid_hack', 'UID', 8],
  ]),
  ...columns(nameCell('ruser', 'ruid'), 'user', [['ruser', 'RUSER', 8]]),
  ...columns(nameCell('suser', 'suid'), 'user', [
    ['suser', 'SUSER', 8],
    ['svuser', 'SVUSER', 8],
  ]),
  ...columns(nameCell('fsuser', 'fsuid'), 'user', [
    ['fsuser', 'FSUSER', 8],
    ['fuser', 'FUSER', 8],
  ]),
  ...columns(nameCell('egroup', 'egid'), 'user', [
    ['group', 'GROUP', 8],
    ['egroup', 'EGROUP', 8],
  ]),
  ...columns(nameCell('rgroup', 'rgid'), 'user', [['rgroup', 'RGROUP', 8]]),
  ...columns(nameCell('sgroup', 'sgid'), 'user', [
    ['sgroup', 'SGROUP', 8],
    ['svgroup', 'SVGROUP', 8],
  ]),
  ...columns(nameCell('fsgroup', 'fsgid'), 'user', [
    ['fsgroup', 'FSGROUP', 8],
    ['fgroup', 'FGROUP', 8],
  ]),
  ...columns(numberCell('euid'), 'right', [
    ['uid', 'UID', 5],
    ['euid', 'EUID', 5],
  ]),
  ...columns(numberCell('ruid'), 'right', [['ruid', 'RUID', 5]]),
  ...columns(numberCell('suid'), 'right', [
    ['suid', 'SUID', 5],
    ['svuid', 'SVUID', 5],
  ]),
  ...columns(numberCell('fsuid'), 'right', [
    ['fsuid', 'FSUID', 5],
    ['fuid', 'FUID', 5],
  ]),
  ...columns(numberCell('egid'), 'right', [
    ['gid', 'GID', 5],
    ['egid', 'EGID', 5],
  ]),
  ...columns(numberCell('rgid'), 'right', [['rgid', 'RGID', 5]]),
  ...columns(numberCell('sgid'), 'right', [
    ['sgid', 'SGID', 5],
    ['svgid', 'SVGID', 5],
  ]),
  ...columns(numberCell('fsgid'), 'right', [
    ['fsgid', 'FSGID', 5],
    ['fgid', 'FGID', 5],
  ]),
  ...columns(
    {
      needs: ['loginUid'],
      value: (row) => loginUid(row),
      text: (row) => showNumber(loginUid(row)),
    },
    'right',
    [['luid', 'LUID', 5]],
  ),
  ...columns(listCell('groups'), 'unlimited', [['supgid', 'SUPGID', 20]]),
  ...columns(listCell('groupNames'), 'unlimited', [['supgrp', 'SUPGRP', 40]]),

  ...columns(tty, 'left', [
    ['tty', 'TT', 8],
    ['tt', 'TT', 8],
    ['tname', 'TTY', 8],
    ['longtname', 'TTY', 8],
    ['tty8', 'TTY', 8],
  ]),
  ...columns(shortTty, 'left', [['tty4', 'TTY', 4]]),

  ...columns(args, 'unlimited', [
    ['args', 'COMMAND', 27],
    ['cmd', 'CMD', 27],
    ['command', 'COMMAND', 27],
  ]),
  ...columns(comm, 'unlimited', [
    ['comm', 'COMMAND', 15],
    ['ucmd', 'CMD', 15],
    ['ucomm', 'COMMAND', 15],
  ]),
  ...columns(fname, 'left', [['fname', 'COMMAND', 8]]),
];

/** 4294967295 is the kernel's way to say that nobody logged in. */
function loginUid(row: Row): number | null {
  const uid = row.number('loginUid');
  return uid === 0xffffffff ? null : uid;
}

function listCell(column: RawColumn): Cell {
  const list = (row: Row): string => row.text(column)?.trim().replaceAll(/\s+/g, ',') ?? '';
  return { needs: [column], value: list, text: (row) => list(row) || '-' };
}
