import { describe, expect, it } from 'vitest';
import { claimsOf, type ClaimState } from '../../src/coordination/claims.ts';
import { findDeadlocks } from '../../src/coordination/deadlock.ts';
import { claimKeyOf, placeOf, readPlaceKey, type ClaimId, type PlaceKind } from '../../src/coordination/keys.ts';
import { decodeParty, encodeParty } from '../../src/coordination/party.ts';
import { blockersOf } from '../../src/coordination/queue.ts';
import type { Entry } from '../../src/store/store.ts';
import { party } from './fixture.ts';

/** `1 lock:a` claims it for process 1; `s` behind it shared; `<2` says that it runs under the second claim of the list, from 1. */
function claims(...lines: readonly string[]): readonly ClaimState[] {
  const idOf = (index: number): ClaimId => `a.${String(index).padStart(12, '0')}` as ClaimId;
  const sizes = new Map<string, Entry>();
  const entries = lines.map((line, index): Entry => {
    const found = /^(\d+) (\w+):(\w+?)(?:\/(\d+))?( s)?(?: <(\d+))?$/.exec(line);
    const [, gpid = '', kind = '', name = '', size, shared, under] = found ?? [];
    const place = placeOf(kind as PlaceKind, name);
    const revision = BigInt(index + 1);
    if (size !== undefined) sizes.set(place.prefix, entry(`${place.prefix}size`, Buffer.from(size), revision));
    const value = encodeParty(party(Number(gpid), { within: under === undefined ? [] : [idOf(Number(under))] }));
    return entry(claimKeyOf(place, idOf(index + 1), shared === undefined ? 'x' : 's'), value, revision);
  });
  return claimsOf([...entries, ...sizes.values()]);
}

const entry = (key: string, value: Uint8Array, revision: bigint): Entry => ({
  key,
  value,
  createRevision: revision,
  modRevision: revision,
  version: 1n,
});
const told = (lines: readonly string[]): string[] =>
  findDeadlocks(claims(...lines)).map((circle) =>
    circle
      .map((claim) => `${claim.party.gpid}${claim.state === 'holds' ? '=' : '?'}${claim.place.name}`)
      .sort()
      .join(' '),
  );

describe('a deadlock', () => {
  it.each<readonly [string, readonly string[], readonly string[]]>([
    ['is none where somebody only waits', ['1 lock:a', '2 lock:a', '3 lock:a'], []],
    ['is none where one who waits under a lock will get the other', ['1 lock:a', '2 lock:b', '3 lock:b <1'], []],
    [
      'is two who each wait under what the other one wants',
      ['1 lock:a', '2 lock:b', '3 lock:b <1', '4 lock:a <2'],
      ['1=a 2=b 3?b 4?a'],
    ],
    ['is one that waits for itself', ['1 lock:a', '2 lock:a <1'], ['1=a 2?a']],
    [
      'is seen within a process of several claims',
      ['1 lock:a', '2 lock:b', '1 lock:b', '2 lock:a'],
      ['1=a 1?b 2=b 2?a'],
    ],
    [
      'is none where one of two places is free to be given up',
      ['1 semaphore:s/2', '2 semaphore:s/2', '3 semaphore:s/2 <1'],
      [],
    ],
    [
      'is one where both places wait',
      ['1 semaphore:s/2', '2 semaphore:s/2', '3 semaphore:s/2 <1', '4 semaphore:s/2 <2'],
      ['1=s 3?s'],
    ],
    ['is one of a shared lock that wants to be alone', ['1 lock:a s', '2 lock:a s', '3 lock:a <1'], ['1=a 3?a']],
    ['is seen behind one that will go', ['1 lock:a s', '2 lock:a s', '3 lock:a <1', '4 lock:a s'], ['1=a 3?a']],
    ['is none at a barrier, to which somebody may come', ['1 lock:a', '2 barrier:b/2 <1', '3 lock:a'], []],
  ])('%s', (_title, lines, wanted) => {
    expect(told(lines)).toEqual(wanted);
  });
});

describe('a queue', () => {
  const queue = (modes: string): { token: bigint; mode: 'x' | 's' }[] =>
    modes.split('').map((mode, index) => ({ token: BigInt(index + 1), mode: mode as 'x' | 's' }));

  it.each<readonly [string, number, readonly string[]]>([
    ['xxx', 1, ['', '1', '2']],
    ['ssxsxs', 1, ['', '', '2', '3', '4', '5']],
    ['xxxxx', 2, ['', '', '12', '23', '34']],
    ['xxxxx', 4, ['', '', '', '', '1234']],
  ])('of %s for %i makes each wait for the nearest that keep it from its turn', (modes, size, wanted) => {
    const all = queue(modes);
    expect(
      all.map((mine) =>
        blockersOf(all, mine, size)
          .map(({ token }) => String(token))
          .join(''),
      ),
    ).toEqual(wanted);
  });
});

describe('names and parties', () => {
  it('come back from the store as they were', () => {
    for (const name of ['a', 'a/b', '%', '%2F', 'a%/b%25', 'ä😀 b']) {
      const place = placeOf('lock', name);
      expect(readPlaceKey(`${place.prefix}x`)).toEqual({ place, rest: 'x' });
    }
    for (const name of ['', 'a\nb', 'x'.repeat(201), '\ud800']) expect(() => placeOf('lock', name)).toThrow(/name/);
    const long = decodeParty(encodeParty(party(1, { command: `${'x'.repeat(199)}😀${'y'.repeat(99)}` })));
    expect(long.command).toBe(`${'x'.repeat(199)}…`);
  });

  it('of another program are told as unknown', () => {
    for (const text of ['', 'x', '[]', '{"gpid":"x"}', '{"gpid":-1,"within":["../x"]}'])
      expect(decodeParty(Buffer.from(text))).toMatchObject({ gpid: 0, node: '?', command: '?', within: [] });
  });
});
