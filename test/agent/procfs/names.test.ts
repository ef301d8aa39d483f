import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NameTable, parseDatabase } from '../../../agent/procfs/names.ts';
import { joinDevice, parseDrivers, splitDevice, TtyNames } from '../../../agent/procfs/tty-names.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'nsh-names-'));
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

describe('names of users', () => {
  it('come from the file, the first line of a number first', () => {
    const names = parseDatabase(
      'root:x:0:0::/:/bin/sh\ntoor:x:0:0::/:\n# comment\nbroken\n:x:7:\nann:x:1000:1000:Ann:/home/ann:\n',
    );
    expect([...names]).toEqual([
      [0, 'root'],
      [1000, 'ann'],
    ]);
  });

  it('are read again when the file changes', () => {
    const path = join(directory, 'passwd');
    writeFileSync(path, 'ann:x:1000:1000::/:\n');
    const table = new NameTable('passwd', path);
    table.refresh();
    expect(table.name(1000)).toBe('ann');
    writeFileSync(path, 'bert:x:1000:1000::/:\nann:x:1001:1::/:\n');
    table.refresh();
    expect([table.name(1000), table.name(1001)]).toEqual(['bert', 'ann']);
  });

  it('are asked of getent where the file does not hold them; until it answers the number stands', async () => {
    const table = new NameTable('passwd', join(directory, 'missing'));
    table.refresh();
    expect(table.name(0)).toBe('0');
    expect(table.pending).toBe(true);
    await table.settled();
    expect(table.pending).toBe(false);
    expect(table.name(0)).toBe(execFileSync('getent', ['passwd', '0'], { encoding: 'utf8' }).split(':')[0]);
  });

  it('stay numbers where nobody knows them', async () => {
    const table = new NameTable('passwd', join(directory, 'missing'));
    table.name(54_321);
    await table.settled();
    expect([table.name(54_321), table.pending]).toEqual(['54321', false]);
  });
});

describe('terminals', () => {
  it('are numbered as the kernel packs them', () => {
    expect(splitDevice(34816)).toEqual({ major: 136, minor: 0 });
    expect(splitDevice(0x0010_8801)).toEqual({ major: 136, minor: 257 });
    expect(splitDevice(-2_147_448_832)).toEqual({ major: 136, minor: 0x80000 });
    expect(joinDevice(34816)).toBe(34816);
    expect(joinDevice(statSync('/dev/tty').rdev)).toBe(0x500);
  });

  it('are found by the drivers that the kernel lists', () => {
    expect(
      parseDrivers(
        'serial               /dev/ttyS       4 64-95 serial\n/dev/tty             /dev/tty        5       0 system:/dev/tty\n',
      ),
    ).toEqual([
      { name: 'ttyS', major: 4, first: 64, last: 95 },
      { name: 'tty', major: 5, first: 0, last: 0 },
    ]);
  });

  it('without a device are ?', () => {
    const names = new TtyNames();
    expect([names.name(0, 1), names.name(0xff00, process.pid)]).toEqual(['?', '?']);
    expect(names.name(0x500, process.pid)).toBe('tty');
  });
});
