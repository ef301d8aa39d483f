/** Columns of memory, faults and input/output. */
import type { RawColumn } from '../../../src/protocol/process.ts';
import type { Row } from '../row.ts';
import { columns, numberCell, showNumber, type Cell, type Column } from './column.ts';

const rss = numberCell('rssKb');
const vsz = numberCell('vsizeBytes', (bytes) => Math.trunc(bytes / 1024));

/** Per mille of the node's memory, at most 999. */
function memoryShare(row: Row): number | null {
  const kb = row.number('rssKb');
  if (kb === null) return null;
  return row.table.memTotalKb === 0 ? 0 : Math.min(999, Math.trunc((kb * 1000) / row.table.memTotalKb));
}

const pmem: Cell = {
  needs: ['rssKb'],
  value: (row) => row.number('rssKb'),
  text: (row) => {
    const share = memoryShare(row);
    return share === null ? '-' : `${String(Math.trunc(share / 10)).padStart(2)}.${share % 10}`;
  },
  json: (row) => {
    const share = memoryShare(row);
    return share === null ? null : share / 10;
  },
};

const sz: Cell = {
  ...vsz,
  text: (row) => {
    const kb = vsz.value(row, anyView);
    return typeof kb === 'number' ? String(Math.trunc(kb / (row.table.pageBytes / 1024))) : '-';
  },
};
const anyView = { numeric: false, withDead: false, commandOnly: false, withEnviron: false, wideSignals: false };

function codeKb(row: Row): number | null {
  const size = row.number('vsizeBytes');
  if (size === null) return null;
  return size === 0 ? 0 : Math.floor(((row.number('endCode') ?? 0) - (row.number('startCode') ?? 0)) / 1024);
}

function dataKb(row: Row): number | null {
  const size = row.number('vsizeBytes');
  if (size === null) return null;
  const code = (row.number('endCode') ?? 0) - (row.number('startCode') ?? 0);
  return size === 0 ? 0 : Math.floor((size - code) / 1024);
}

const sizes: readonly RawColumn[] = ['vsizeBytes', 'startCode', 'endCode'];
const code: Cell = { needs: sizes, value: codeKb, text: (row) => showNumber(codeKb(row)) };
const data: Cell = { needs: sizes, value: dataKb, text: (row) => showNumber(dataKb(row)) };

function swappable(row: Row): number | null {
  const kb = row.number('dataKb');
  return kb === null ? null : kb + (row.number('stackKb') ?? 0);
}

/** Faults, with those of dead children where `S` asks for them. */
function faults(own: RawColumn, dead: RawColumn): Cell {
  return {
    needs: [own, dead],
    value: (row) => row.number(own),
    text: (row, view) => {
      const count = row.number(own);
      return count === null ? '-' : String(count + (view.withDead ? (row.number(dead) ?? 0) : 0));
    },
  };
}

/** RLIM_INFINITY, which a double does not hold exactly. */
const unlimitedBytes = 2 ** 63;
const limit: Cell = {
  needs: ['rssLimitBytes'],
  value: (row) => row.number('rssLimitBytes'),
  text: (row) => {
    const bytes = row.number('rssLimitBytes');
    if (bytes === null) return '-';
    return bytes > unlimitedBytes ? 'xx' : String(Math.trunc(bytes / 1024)).padStart(5);
  },
  json: (row) => {
    const bytes = row.number('rssLimitBytes');
    return bytes === null || bytes > unlimitedBytes ? null : bytes;
  },
};

/** Only the owner of a process may read these; procps shows 0 to others. */
function ioCell(column: RawColumn): Cell {
  const cell = numberCell(column);
  return { ...cell, text: (row) => String(row.number(column) ?? 0) };
}

export const memoryColumns: readonly Column[] = [
  ...columns(rss, 'right', [
    ['rss', 'RSS', 5],
    ['rssize', 'RSS', 5],
    ['rsz', 'RSZ', 5],
    ['resident', 'RES', 5],
  ]),
  ...columns(rss, 'left', [['sgi_rss', 'RSS', 4]]),
  ...columns(vsz, 'right', [
    ['vsz', 'VSZ', 6],
    ['vsize', 'VSZ', 6],
  ]),
  ...columns(pmem, 'right', [
    ['%mem', '%MEM', 4],
    ['pmem', '%MEM', 4],
  ]),
  ...columns(sz, 'right', [['sz', 'SZ', 5]]),
  ...columns({ needs: ['dataKb', 'stackKb'], value: swappable, text: (row) => showNumber(swappable(row)) }, 'right', [
    ['size', 'SIZE', 5],
  ]),
  ...columns(numberCell('vsizeBytes'), 'right', [['m_size', 'SIZE', 5]]),
  ...columns(code, 'right', [
    ['trs', 'TRS', 4],
    ['trss', 'TRSS', 4],
    ['tsiz', 'TSIZ', 4],
    ['m_trs', 'TRS', 5],
  ]),
  ...columns(data, 'right', [
    ['drs', 'DRS', 5],
    ['dsiz', 'DSIZ', 4],
    ['m_drs', 'DRS', 5],
  ]),
  ...columns(numberCell('pssKb'), 'right', [['pss', 'PSS', 5]]),
  ...columns(numberCell('ussKb'), 'right', [['uss', 'USS', 5]]),
  ...columns(numberCell('lockedKb'), 'right', [['vm_lock', 'LCK', 3]]),
  ...columns(numberCell('dataKb'), 'right', [['vm_data', 'DATA', 5]]),
  ...columns(numberCell('stackKb'), 'right', [['vm_stack', 'STACK', 5]]),
  ...columns(numberCell('swapKb'), 'right', [['swap', 'SWAP', 5]]),
  ...columns(limit, 'right', [['lim', 'LIM', 5]]),
  ...columns(faults('minflt', 'cminflt'), 'right', [
    ['min_flt', 'MINFL', 6],
    ['minflt', 'MINFLT', 6],
  ]),
  ...columns(faults('majflt', 'cmajflt'), 'right', [
    ['maj_flt', 'MAJFL', 6],
    ['majflt', 'MAJFLT', 6],
    ['pagein', 'PAGEIN', 6],
  ]),
  ...columns(numberCell('cminflt'), 'right', [['cmin_flt', 'CMINFL', 6]]),
  ...columns(numberCell('cmajflt'), 'right', [['cmaj_flt', 'CMAJFL', 6]]),
  ...columns(ioCell('ioReadBytes'), 'right', [['rbytes', 'RBYTES', 5]]),
  ...columns(ioCell('ioReadChars'), 'right', [['rchars', 'RCHARS', 5]]),
  ...columns(ioCell('ioReadCalls'), 'right', [['rops', 'ROPS', 5]]),
  ...columns(ioCell('ioWriteBytes'), 'right', [['wbytes', 'WBYTES', 5]]),
  ...columns(ioCell('ioWriteChars'), 'right', [['wchars', 'WCHARS', 5]]),
  ...columns(ioCell('ioWriteCalls'), 'right', [['wops', 'WOPS', 5]]),
  ...columns(ioCell('ioCancelledBytes'), 'right', [['wcbytes', 'WCBYTES', 5]]),
];
