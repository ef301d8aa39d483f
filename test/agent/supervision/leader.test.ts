/** The leader over a store in this process: what one group does to the others, and what clocks do to it. */
import { afterEach, describe, expect, it } from 'vitest';
import { standForLeader } from '../../../agent/supervision/leader.ts';
import type { Participant } from '../../../src/coordination/participant.ts';
import { parseGroupSpec } from '../../../src/policy/supervision/parse-spec.ts';
import { aliveKey, eventsKey, orderKey, wantedKey } from '../../../src/policy/supervision/store-keys.ts';
import { readEvents, writePresence, writeWanted } from '../../../src/policy/supervision/stored.ts';
import { storeTooLarge } from '../../../src/store/errors.ts';
import type { Op, Store } from '../../../src/store/store.ts';
import { makeStage, worlds } from '../../coordination/fixture.ts';
import { waitUntil } from '../../e2e/wait-until.ts';

const stage = makeStage(worlds['the oracle'] ?? (() => Promise.reject(new Error('no world')) as never));
const ends = new AbortController();
let leading: Promise<void> | undefined;
afterEach(async () => {
  ends.abort();
  await leading;
});

function textOp(key: string, text: string): Op {
  return { op: 'put', key, value: Buffer.from(text) };
}

async function textAt(store: Store, key: string): Promise<string | undefined> {
  const { entry } = await store.get(key);
  return entry === undefined ? undefined : Buffer.from(entry.value).toString('utf8');
}

async function want({ store, session }: Participant, ...names: string[]): Promise<void> {
  const presence = writePresence({
    name: 'n1',
    boot: 'b',
    fences: true,
    memTotalBytes: 1e9,
    memAvailableBytes: 1e9,
    memoryLimit: 'rlimit',
  });
  const ops = names.map((name) => {
    const spec = parseGroupSpec({ name, command: ['sleep', '9'] });
    return textOp(wantedKey(name), writeWanted({ spec, round: 1, restarts: 0 }));
  });
  const alive: Op = { op: 'put', key: aliveKey(1), value: Buffer.from(presence), session: session.id };
  await store.txn([], [alive, ...ops]);
}

describe('the leader', () => {
  it('leads the other groups where one cannot be led, and tells people why', async () => {
    let refusals = 0;
    const wrap = (store: Store): Store =>
      new Proxy(store, {
        get: (target, name) => {
          if (name !== 'txn') return (Reflect.get(target, name) as () => unknown).bind(target);
          const txn: Store['txn'] = (compares, then, ...rest) => {
            if (!then.some((op) => op.op === 'put' && op.key === orderKey(1, 'bad')))
              return target.txn(compares, then, ...rest);
            refusals++;
            throw storeTooLarge('a request of 9 bytes');
          };
          return txn;
        },
      });
    const participant = await stage.join(10_000_001, { wrap });
    const { store } = participant;
    await want(participant, 'bad', 'good');
    leading = standForLeader(participant, () => [1], ends.signal);
    await waitUntil(async () => (await textAt(store, orderKey(1, 'good'))) !== undefined, 'the order of the good one');
    const told = eventsKey('bad', 'leader');
    await waitUntil(async () => (await textAt(store, told)) !== undefined, 'the event of the bad one');
    expect(readEvents((await textAt(store, told)) ?? '', 'bad')).toMatchObject([
      { kind: 'failed', text: 'it cannot be led: too large for the store: a request of 9 bytes' },
    ]);
    // The same leader goes on with what comes next, and does not try the bad one again for each news of others.
    await want(participant, 'another');
    await waitUntil(async () => (await textAt(store, orderKey(1, 'another'))) !== undefined, 'the next order');
    expect(refusals).toBeLessThanOrEqual(2);
  });
});
