import { expect, it } from 'vitest';
import { EventLog } from '../../../agent/supervision/event-log.ts';
import { parseGroupSpec } from '../../../src/policy/supervision/parse-spec.ts';
import { eventsKey, wantedKey } from '../../../src/policy/supervision/store-keys.ts';
import { readEvents, writeWanted } from '../../../src/policy/supervision/stored.ts';
import { keptEvents } from '../../../src/policy/supervision/wanted.ts';
import { makeStage, worlds } from '../../coordination/fixture.ts';
import { waitUntil } from '../../e2e/wait-until.ts';

const stage = makeStage(worlds['the oracle'] ?? (() => Promise.reject(new Error('no world')) as never));

it('what happens again and again is told all the same, the newest of it', async () => {
  const { store } = await stage.join();
  const spec = parseGroupSpec({ name: 'web', command: ['x'] });
  const value = Buffer.from(writeWanted({ spec, round: 1, restarts: 0 }));
  await store.txn([], [{ op: 'put', key: wantedKey('web'), value }]);
  const events = new EventLog(7);
  events.use(store);
  let count = 0;
  let told: readonly { readonly run?: number }[] = [];
  await waitUntil(async () => {
    for (let more = 0; more < 20; more++) events.add('web', { atMs: 0, slot: 1, run: ++count, kind: 'started' });
    const { entry } = await store.get(eventsKey('web', 7));
    told = entry === undefined ? [] : readEvents(Buffer.from(entry.value).toString('utf8'), 'web');
    return told.length === keptEvents;
  }, 'the events');
  events.use(undefined);
  expect(told.map(({ run }) => run)).toEqual([...told.keys()].map((index) => (told[0]?.run ?? 0) + index));
});
