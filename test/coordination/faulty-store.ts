/**
 * A store between which and its client things go wrong: answers are lost after the work was done, before it was sent, or the work is done
 * much later than the client has given up on it (a member of etcd that stood still).
 */
import { storeUnavailable, storeUnknown } from '../../src/store/errors.ts';
import type { Op, Store, TxnResult } from '../../src/store/store.ts';

/** `lost`: done, not answered. `unsent`: not done. `late`: not done yet; `FaultyStore.deliver` does it. `compacted`: watches that begin now fail. */
export type Fault = 'none' | 'lost' | 'unsent' | 'late';

export interface Faults {
  /** Asked before each transaction that writes. */
  onWrite: (ops: readonly Op[]) => Fault;
}

export class FaultyStore implements Store {
  readonly #store: Store;
  readonly #faults: Faults;
  readonly #late: (() => Promise<TxnResult>)[] = [];
  /** Transactions that came, reading ones too. */
  txns = 0;
  watches = 0;

  constructor(store: Store, faults: Faults) {
    this.#store = store;
    this.#faults = faults;
  }

  /** Does what was late, in the order in which it was sent. @returns how many of them were applied. */
  async deliver(): Promise<number> {
    let applied = 0;
    for (const work of this.#late.splice(0)) {
      const result = await work().catch(() => undefined);
      if (result?.succeeded === true) applied++;
    }
    return applied;
  }

  get: Store['get'] = (...request) => this.#store.get(...request);
  list: Store['list'] = (...request) => this.#store.list(...request);
  openSession: Store['openSession'] = (...request) => this.#store.openSession(...request);
  adoptSession: Store['adoptSession'] = (...request) => this.#store.adoptSession(...request);
  compact: Store['compact'] = (...request) => this.#store.compact(...request);
  status: Store['status'] = (...request) => this.#store.status(...request);
  close: Store['close'] = () => this.#store.close();

  watch: Store['watch'] = (...request) => {
    this.watches++;
    return this.#store.watch(...request);
  };

  txn: Store['txn'] = async (...request) => {
    this.txns++;
    const ops = [...request[1], ...(request[2] ?? [])];
    const isWrite = ops.some(({ op }) => op !== 'get' && op !== 'list');
    switch (isWrite ? this.#faults.onWrite(ops) : 'none') {
      case 'none':
        return await this.#store.txn(...request);
      case 'lost':
        await this.#store.txn(...request);
        throw storeUnknown('the answer was lost');
      case 'unsent':
        throw storeUnavailable('nothing was sent');
      case 'late':
        this.#late.push(() => this.#store.txn(...request));
        throw storeUnknown('it is on its way');
      default:
        throw new Error('no such fault');
    }
  };
}
