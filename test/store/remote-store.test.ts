/** The store over a connection that fails: what its clients are told, and that their watches miss nothing. */
import { duplexPair, type Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NshError } from '../../src/protocol/errors.ts';
import { RpcPeer } from '../../src/rpc/peer.ts';
import { dispatch } from '../../src/rpc/typed.ts';
import { ClientStore } from '../../src/store/client-store.ts';
import { RemoteStore } from '../../src/store/remote-store.ts';
import { storeAsCalls } from '../../src/store/store-as-calls.ts';
import type { StoreCalls } from '../../src/store/store-calls.ts';
import { StoreServer } from '../../src/store/store-server.ts';
import type { Store } from '../../src/store/store.ts';
import { makeRandom } from '../ids/random.ts';
import { put, read, WatchReader, write } from './contract/context.ts';
import { OracleCore, OracleStore } from './oracle.ts';

type Answer = (method: string, params: unknown, serve: () => Promise<unknown>) => Promise<unknown>;

/** A store behind connections that the test may break; it is served anew on the next one. */
class Line {
  readonly whole = new OracleStore(new OracleCore());
  readonly store: Store;
  /** Does what a request is answered with. */
  answer: Answer = (_method, _params, serve) => serve();
  connections = 0;
  /** How the far end comes to the store. */
  find = async (): Promise<StoreCalls> => await Promise.resolve(storeAsCalls(this.whole));
  /** What the next connection fails with. */
  refusal: NshError | undefined;
  #near: RpcPeer | undefined;
  #streams: Duplex[] = [];

  constructor() {
    this.store = new ClientStore(new RemoteStore({ who: 'the far end', connect: () => this.#connect() }));
  }

  break(): void {
    for (const stream of this.#streams.splice(0)) stream.destroy();
    this.#near?.close();
    this.#near = undefined;
  }

  async #connect(): Promise<RpcPeer> {
    if (this.refusal !== undefined) throw this.refusal;
    if (this.#near?.isOpen === true) return this.#near;
    this.connections++;
    const [near, far] = duplexPair();
    const server = new StoreServer(() => this.find());
    const peer: RpcPeer = new RpcPeer(far, {
      name: 'the client',
      onRequest: (method, params, context) =>
        this.answer(method, params, () => dispatch(server.handlers, method, params, context)),
    });
    void peer.closed.then(() => server.close());
    this.#streams.push(near, far);
    this.#near = new RpcPeer(near, { name: 'the far end' });
    return await Promise.resolve(this.#near);
  }
}

let line: Line;
beforeEach(() => {
  line = new Line();
});
afterEach(async () => {
  await line.store.close();
  line.break();
});

const never = (): Promise<never> => new Promise(() => undefined);
const code = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: NshError) => error.code,
  );

describe('a write', () => {
  it('that finds no connection is certainly not done', async () => {
    line.refusal = new NshError('authFailed', 'n1: permission denied');
    await expect(write(line.store, 'key', '')).rejects.toMatchObject({
      code: 'storeUnavailable',
      message: 'the store cannot be reached: the far end: n1: permission denied',
    });
    line.refusal = undefined;
    expect(await read(line.store, 'key')).toBeUndefined();
  });

  it('whose connection breaks before the answer may be done, and is never sent again', async () => {
    const asked: string[] = [];
    line.answer = async (method, _params, serve) => {
      asked.push(method);
      await serve();
      line.break();
      return await never();
    };
    expect(await code(write(line.store, 'key', 'one'))).toBe('storeUnknown');
    expect(await code(line.store.openSession(60))).toBe('storeUnknown');
    expect(asked).toEqual(['store.txn', 'store.grant']);
    line.answer = (_method, _params, serve) => serve();
    expect((await line.store.get('key')).entry).toMatchObject({ version: 1n });
  });

  it('that is not answered in time, or not waited for, may be done', async () => {
    line.answer = never;
    expect(await code(line.store.txn([], [put('key', '')], [], { deadlineMs: 30 }))).toBe('storeUnknown');
    const controller = new AbortController();
    const writing = line.store.txn([], [put('key', '')], [], { signal: controller.signal });
    setTimeout(() => controller.abort(), 10);
    expect(await code(writing)).toBe('storeUnknown');
  });

  it('that is refused is not done: by an agent that knows no store, or with the reason of the store', async () => {
    line.answer = () => Promise.reject(new NshError('unknownMethod', 'this agent has no method "store.txn"'));
    expect(await code(write(line.store, 'key', ''))).toBe('storeUnavailable');
    line.answer = (_method, _params, serve) => serve();
    expect(await code(line.store.txn([], [put('key', '1'), put('key', '2')]))).toBe('invalidParams');
    expect(await code(write(line.store, 'key', 'x'.repeat(2_000_000)))).toBe('tooLarge');
  });

  it('for which the far end does not come to the store in time is certainly not done', async () => {
    line.find = never;
    expect(await code(line.store.txn([], [put('key', '')], [], { deadlineMs: 300 }))).toBe('storeUnavailable');
    line.find = () => Promise.reject(new NshError('timeout', 'n1: login took longer than 15 s'));
    expect(await code(write(line.store, 'key', ''))).toBe('storeUnavailable');
  });

  it('of nothing but reads is only unavailable', async () => {
    line.answer = never;
    const reading = line.store.txn([], [{ op: 'get', key: 'key' }], [], { deadlineMs: 30 });
    expect(await code(reading)).toBe('storeUnavailable');
  });
});

describe('a read', () => {
  it('is asked again where the connection broke under it', async () => {
    await write(line.store, 'key', 'one');
    let breaks = 1;
    line.answer = async (_method, _params, serve) => {
      if (breaks-- > 0) line.break();
      return await serve();
    };
    expect(await read(line.store, 'key')).toBe('one');
    expect(line.connections).toBe(2);
  });

  it('that is not answered in time is only unavailable', async () => {
    line.answer = never;
    expect(await code(line.store.get('key', { deadlineMs: 30 }))).toBe('storeUnavailable');
    expect(await code(line.store.list('', { signal: AbortSignal.timeout(20) }))).toBe('cancelled');
  });
});

describe('a watch', () => {
  it('tells each revision once, in order, over a connection that breaks again and again', async () => {
    const seed = Date.now() % 1_000_000;
    const random = makeRandom(seed);
    const total = 200;
    // An answer that is on its way is lost, or one that was never made.
    line.answer = async (_method, _params, serve) => {
      const chance = random.between(1, 12);
      if (chance === 1) line.break();
      const result = await serve();
      if (chance === 2) line.break();
      return result;
    };
    const readers = Array.from({ length: 3 }, () => new WatchReader(line.store, 'k', 2n));
    for (let i = 0; i < total; i++) {
      await write(line.whole, `k${i % 7}`, String(i));
      // Once for certain.
      if (i === total / 2) line.break();
      if (random.between(1, 10) === 1) await readers[i % 3]?.events(i + 1);
    }
    const wanted = Array.from({ length: total }, (_, i) => `+k${i % 7}=${i}`);
    for (const reader of readers) {
      expect(await reader.events(total), `seed ${seed}`).toEqual(wanted);
      expect(reader.batches.map(({ revision }) => Number(revision))).toEqual(wanted.map((_, i) => i + 2));
      await reader.stop();
    }
    expect(line.connections).toBeGreaterThan(1);
  });

  it('that stands behind what was compacted while it was cut off is told so', async () => {
    const reader = new WatchReader(line.store, 'k', 2n);
    await write(line.whole, 'k', 'one');
    await reader.events(1);
    line.refusal = new NshError('unreachable', 'n1: no route');
    line.break();
    for (const text of ['two', 'three', 'four']) await write(line.whole, 'k', text);
    await line.whole.compact(4n);
    line.refusal = undefined;
    await expect(reader.events(2)).rejects.toMatchObject({ code: 'storeCompacted', data: { revision: '4' } });
  });

  it('ends on the far side with its reader', async () => {
    const ended: string[] = [];
    line.answer = async (method, _params, serve) => {
      if (method === 'store.unwatch') ended.push(method);
      return await serve();
    };
    const reader = new WatchReader(line.store, 'k', 2n);
    await write(line.whole, 'k', 'one');
    await reader.events(1);
    await reader.stop();
    await expect.poll(() => ended.length).toBe(1);
  });
});

it('keeps a session over a connection that breaks, and gives it up at its deadline where none comes again', async () => {
  const session = await line.store.openSession(1);
  line.break();
  const before = session.deadline();
  await expect.poll(() => session.deadline(), { timeout: 3_000 }).toBeGreaterThan(before);
  line.refusal = new NshError('unreachable', 'n1: no route');
  line.break();
  const last = session.deadline();
  await expect.poll(() => session.lost.aborted, { timeout: 3_000, interval: 5 }).toBe(true);
  expect(performance.now()).toBeGreaterThanOrEqual(last);
  expect(performance.now()).toBeLessThan(last + 500);
  expect(session.lost.reason).toMatchObject({ code: 'sessionLost' });
});
