/** What an agent remembers of the store that it goes by. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { isSameStore, StoreInUse, type StoreIdentity } from '../../../agent/daemon/store-in-use.ts';

let state: string;
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'nsh-in-use-'));
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(state, { recursive: true });
});

const embedded = (node: number): StoreIdentity => ({ backend: 'embedded', node });
const etcd = (prefix: string, ...endpoints: string[]): StoreIdentity => ({ backend: 'etcd', endpoints, prefix });

describe('a store', () => {
  it.each([
    ['of the same node', embedded(1), embedded(1), true],
    ['of another node', embedded(1), embedded(2), false],
    ['embedded, and an etcd', embedded(1), etcd('p/', 'http://a'), false],
    ['an etcd, and embedded', etcd('p/', 'http://a'), embedded(1), false],
    ['with a member more', etcd('p/', 'http://a'), etcd('p/', 'http://b', 'http://a'), true],
    ['with other members altogether', etcd('p/', 'http://a', 'http://b'), etcd('p/', 'http://c'), false],
    ['with another namespace', etcd('p/', 'http://a'), etcd('q/', 'http://a'), false],
  ])('%s: the same one or not', (_what, one, other, isSame) => {
    expect(isSameStore(one, other)).toBe(isSame);
  });
});

describe('what is remembered', () => {
  it('tells of the store before, also to the next agent, for a day', () => {
    vi.useFakeTimers({ now: 1_000_000 });
    const first = new StoreInUse(state);
    expect([first.store, first.note(embedded(1)), first.before]).toEqual([undefined, false, undefined]);
    vi.setSystemTime(2_000_000);
    const second = new StoreInUse(state);
    expect(second.store).toEqual(embedded(1));
    expect(second.note(embedded(1))).toBe(false);
    expect(second.note(etcd('p/', 'http://a'))).toBe(true);
    expect(second.note(etcd('p/', 'http://a', 'http://b'))).toBe(false);
    expect(second.before).toEqual({ store: embedded(1), untilMs: 2_000_000 });
    expect(new StoreInUse(state).before).toEqual(second.before);
    vi.setSystemTime(2_000_000 + 24 * 3_600_000 + 1);
    expect(new StoreInUse(state).before).toBeUndefined();
  });

  it('says nothing more to whoever goes back', () => {
    const inUse = new StoreInUse(state);
    inUse.note(embedded(1));
    inUse.note(embedded(2));
    expect(inUse.before?.store).toEqual(embedded(1));
    expect(inUse.note(embedded(1))).toBe(true);
    expect(inUse.before).toBeUndefined();
  });

  it('is for its user alone, and begins anew where it cannot be read', () => {
    new StoreInUse(state).note(embedded(1));
    const path = join(state, 'store.json');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(path, 'utf8')).toMatch(/"embedded"/);
    writeFileSync(path, '{"store":');
    expect(new StoreInUse(state).store).toBeUndefined();
  });
});
