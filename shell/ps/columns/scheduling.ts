/** Columns of state, priority and scheduling. */
import type { RawColumn } from '../../../src/protocol/process.ts';
import type { Style } from '../../table.ts';
import type { Row } from '../row.ts';
import { columns, numberCell, showNumber, textCell, type Cell, type Column } from './column.ts';

function zombieStyle(row: Row): Style | undefined {
  return row.text('state') === 'Z' ? 'red' : undefined;
}

const state: Cell = { ...textCell('state'), style: zombieStyle };

/** State with BSD's letters: nice, locked pages, session leader, threads, foreground. */
const stat: Cell = {
  needs: ['state', 'nice', 'lockedKb', 'session', 'pid', 'numThreads', 'pgrp', 'tpgid'],
  value: (row) => row.text('state'),
  style: zombieStyle,
  text: statLetters,
  json: statLetters,
};

function statLetters(row: Row): string {
  const letter = row.text('state');
  if (letter === null) return '-';
  const nice = row.number('nice') ?? 0;
  let letters = letter;
  if (nice !== 0) letters += nice < 0 ? '<' : 'N';
  if ((row.number('lockedKb') ?? 0) > 0) letters += 'L';
  if (row.number('session') === row.number('pid')) letters += 's';
  if ((row.number('numThreads') ?? 0) > 1) letters += 'l';
  if (row.number('pgrp') === row.number('tpgid')) letters += '+';
  return letters;
}

const classes: readonly string[] = ['TS', 'FF', 'RR', 'B', 'ISO', 'IDL', 'DLN', '#7', '#8', '#9'];
const schedulingClass: Cell = {
  needs: ['policy'],
  value: (row) => row.number('policy'),
  text: (row) => {
    const policy = row.number('policy');
    return policy === null ? '-' : (classes[policy] ?? '?');
  },
  json: (row) => classes[row.number('policy') ?? -1] ?? null,
};

/** Only SCHED_OTHER and SCHED_BATCH go by the nice value. */
const nice: Cell = {
  needs: ['nice', 'policy'],
  value: (row) => row.number('nice'),
  text: (row) => {
    const policy = row.number('policy');
    return policy === 0 || policy === 3 ? showNumber(row.number('nice')) : '-';
  },
};

const realTimePriority: Cell = {
  needs: ['rtPriority', 'policy'],
  value: (row) => row.number('rtPriority'),
  text: (row) => (row.number('policy') === 0 ? '-' : showNumber(row.number('rtPriority'))),
};

/** Three of the flag bits, in octal, as Unix has them. */
const flags: Cell = {
  needs: ['flags'],
  value: (row) => row.number('flags'),
  text: (row) => {
    const bits = row.number('flags');
    return bits === null ? '-' : String(Math.floor(bits / 64) % 8);
  },
};

const runningOn: Cell = {
  needs: ['state', 'processor'],
  value: (row) => row.text('state'),
  text: (row) => (row.text('state') === 'R' ? showNumber(row.number('processor')) : '*'),
};

const wchan: Cell = { needs: ['wchan'], value: (row) => row.text('wchan'), text: (row) => row.text('wchan') ?? '?' };
const address: Cell = { needs: [], value: () => null, text: () => '-' };

/** The last eight digits of a mask, marked where others are set too; all sixteen where there is room. */
function mask(column: RawColumn): Cell {
  return {
    needs: [column],
    value: (row) => row.text(column),
    text: (row, view) => {
      const digits = row.text(column);
      if (digits === null) return '-';
      if (view.wideSignals) return digits.length > 8 ? digits : `00000000${digits}`;
      return (digits.replace(/^0+/, '').length > 8 ? '<' : '') + digits.slice(-8).padStart(8, '0');
    },
  };
}

export const schedulingColumns: readonly Column[] = [
  ...columns(state, 'left', [
    ['s', 'S', 1],
    ['state', 'S', 1],
  ]),
  ...columns(stat, 'left', [['stat', 'STAT', 4]]),
  ...columns(schedulingClass, 'left', [
    ['class', 'CLS', 3],
    ['policy', 'POL', 3],
  ]),
  ...columns(schedulingClass, 'right', [['cls', 'CLS', 3]]),
  ...columns(numberCell('policy'), 'right', [['sched', 'SCH', 3]]),
  ...columns(nice, 'right', [
    ['ni', 'NI', 3],
    ['nice', 'NI', 3],
  ]),
  ...columns(
    numberCell('priority', (value) => 39 - value),
    'right',
    [['pri', 'PRI', 3]],
  ),
  ...columns(
    numberCell('priority', (value) => 60 + value),
    'right',
    [
      ['opri', 'PRI', 3],
      ['intpri', 'PRI', 3],
    ],
  ),
  ...columns(numberCell('priority'), 'right', [['priority', 'PRI', 3]]),
  ...columns(
    numberCell('priority', (value) => -1 - value),
    'right',
    [['pri_api', 'API', 3]],
  ),
  ...columns(
    numberCell('priority', (value) => value + 1),
    'right',
    [['pri_bar', 'BAR', 3]],
  ),
  ...columns(
    numberCell('priority', (value) => value + 100),
    'right',
    [['pri_baz', 'BAZ', 3]],
  ),
  ...columns(
    numberCell('priority', (value) => value - 20),
    'right',
    [['pri_foo', 'FOO', 3]],
  ),
  ...columns(realTimePriority, 'right', [['rtprio', 'RTPRIO', 6]]),
  ...columns(numberCell('processor'), 'right', [
    ['psr', 'PSR', 3],
    ['cpuid', 'CPUID', 5],
    ['lastcpu', 'C', 3],
  ]),
  ...columns(numberCell('numaNode'), 'right', [['numa', 'NUMA', 4]]),
  ...columns(runningOn, 'right', [['sgi_p', 'P', 1]]),
  ...columns(numberCell('numThreads'), 'right', [
    ['nlwp', 'NLWP', 4],
    ['thcount', 'THCNT', 5],
  ]),
  ...columns(flags, 'right', [
    ['f', 'F', 1],
    ['flag', 'F', 1],
    ['flags', 'F', 1],
  ]),
  ...columns(wchan, 'wchan', [
    ['wchan', 'WCHAN', 6],
    ['wname', 'WCHAN', 6],
  ]),
  ...columns(address, 'right', [['addr', 'ADDR', 4]]),
  ...columns(address, 'left', [['addr_1', 'ADDR', 1]]),
  ...columns(mask('sigPending'), 'signal', [
    ['pending', 'PENDING', 9],
    ['sig', 'PENDING', 9],
    ['sig_pend', 'SIGNAL', 9],
  ]),
  ...columns(mask('sigPendingThread'), 'signal', [['tsig', 'PENDING', 9]]),
  ...columns(mask('sigBlocked'), 'signal', [
    ['blocked', 'BLOCKED', 9],
    ['sigmask', 'BLOCKED', 9],
    ['sig_block', 'BLOCKED', 9],
  ]),
  ...columns(mask('sigIgnored'), 'signal', [
    ['ignored', 'IGNORED', 9],
    ['sigignore', 'IGNORED', 9],
    ['sig_ignore', 'IGNORED', 9],
  ]),
  ...columns(mask('sigCaught'), 'signal', [
    ['caught', 'CAUGHT', 9],
    ['sigcatch', 'CAUGHT', 9],
    ['sig_catch', 'CATCHED', 9],
  ]),
  ...columns(numberCell('oomScore'), 'right', [['oom', 'OOM', 4]]),
  ...columns(numberCell('oomAdj'), 'right', [['oomadj', 'OOMADJ', 5]]),
  ...columns(numberCell('autogroupId'), 'right', [['ag_id', 'AGID', 5]]),
  ...columns(numberCell('autogroupNice'), 'right', [['ag_nice', 'AGNI', 4]]),
];
