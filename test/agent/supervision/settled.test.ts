import { describe, expect, it } from 'vitest';
import { GroupReader } from '../../../agent/supervision/group-facts.ts';
import type { StoredGroup } from '../../../src/policy/supervision/lead.ts';
import { Settled, type Look } from '../../../agent/supervision/settled.ts';
import { parseGroupSpec } from '../../../src/policy/supervision/parse-spec.ts';
import { reportKey, wantedKey } from '../../../src/policy/supervision/store-keys.ts';
import { writeReport, writeWanted } from '../../../src/policy/supervision/stored.ts';
import type { Entry } from '../../../src/store/store.ts';

function entry(key: string, modRevision: bigint, text: string): [string, Entry] {
  return [key, { key, value: Buffer.from(text), createRevision: 1n, modRevision, version: 1n }];
}

function stored(reportAt: bigint): [string, Entry][] {
  const wanted = writeWanted({ spec: parseGroupSpec({ name: 'web', command: ['x'] }), round: 1, restarts: 0 });
  const report = { group: 'web', epoch: 1n, serial: 1n, round: 1, replicas: [], restarted: 0 };
  return [entry(wantedKey('web'), 1n, wanted), entry(reportKey(1, 'web'), reportAt, writeReport(report))];
}

const groupIn = (reader: GroupReader, reportAt: bigint): StoredGroup => {
  const found = reader.groups(new Map(stored(reportAt))).get('web');
  if (found === undefined) throw new Error('it was not read');
  return found;
};

describe('a group in which there was nothing to do', () => {
  const reader = new GroupReader();
  const look = (more: Partial<Look> = {}): Look => ({
    stored: groupIn(reader, 2n),
    standing: '1',
    placed: new Map([[1, 1]]),
    unplaced: new Map(),
    ...more,
  });

  it('is let alone until something of it changes', () => {
    const settled = new Settled();
    settled.put('web', look());
    expect(settled.until('web', look(), 1e15)).toBe(Infinity);
    expect(settled.until('other', look(), 0)).toBeUndefined();
  });

  it.each([
    ['a report', { stored: groupIn(new GroupReader(), 3n) }],
    ['a node', { standing: '2' }],
    ['a place', { placed: new Map([[1, 2]]) }],
    ['no place', { placed: new Map(), unplaced: new Map([[1, 'there is no node']]) }],
  ] as [string, Partial<Look>][])('is looked at again with %s that is new', (_what, more) => {
    const settled = new Settled();
    settled.put('web', look());
    expect(settled.until('web', look(more), 0)).toBeUndefined();
  });

  it('is looked at again when its time has come, or when it has come anew', () => {
    const settled = new Settled();
    settled.put('web', look(), 500);
    expect(settled.until('web', look(), 499)).toBe(500);
    expect(settled.until('web', look(), 500)).toBeUndefined();
    settled.put('web', look());
    settled.keep(new Map());
    expect(settled.until('web', look(), 0)).toBeUndefined();
  });
});
