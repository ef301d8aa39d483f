/** Random requests, done to the embedded store and to the oracle: both must answer the same, and their watches tell the same. */
import { toNshError } from '../../../src/protocol/errors.ts';
import { ClientStore } from '../../../src/store/client-store.ts';
import { maxTxnOps } from '../../../src/store/limits.ts';
import type { Compare, Op, Relation, SessionId, Store, StoreSession } from '../../../src/store/store.ts';
import type { Random } from '../../ids/random.ts';
import { OracleCore, OracleStore } from '../../store/oracle.ts';
import type { EmbeddedStore } from '../../../agent/store/embedded-store.ts';
import type { StoreDirectory } from './fixture.ts';

const keys = ['a', 'a/', 'a/1', 'a/2', 'a/é', 'a/😀', 'a/\uffee', 'b', 'b/1', 'c'] as const;
const prefixes = ['', 'a', 'a/', 'b/', 'none'] as const;
const relations = ['=', '!=', '<', '>'] as const satisfies readonly Relation[];

/** One session in both stores. Its id differs, so that results are told by its number. */
interface Pair {
  readonly oracle: StoreSession;
  readonly embedded: StoreSession;
}

export class Comparison {
  readonly #random: Random;
  readonly #directory: StoreDirectory;
  readonly #oracle: Store;
  #embedded: EmbeddedStore;
  #store: Store;
  readonly #sessions: Pair[] = [];
  #steps = 0;

  constructor(directory: StoreDirectory, random: Random) {
    this.#directory = directory;
    this.#random = random;
    this.#oracle = new OracleStore(new OracleCore());
    this.#embedded = directory.open();
    this.#store = new ClientStore(this.#embedded);
  }

  /** @throws Error where the two differ. */
  async step(): Promise<void> {
    this.#steps++;
    const { between } = this.#random;
    const chance = between(1, 100);
    if (chance <= 55) await this.#txn();
    else if (chance <= 65) await this.#list();
    else if (chance <= 75) await this.#get();
    else if (chance <= 80) await this.#openSession();
    else if (chance <= 84) await this.#closeSession();
    else if (chance <= 86) await this.#compact();
    else if (chance <= 98) await this.#watch();
    else await this.#restart();
  }

  async close(): Promise<void> {
    await this.#store.close();
    await this.#oracle.close();
    await this.#embedded.close();
  }

  async #both(what: string, ask: (store: Store, side: keyof Pair) => Promise<unknown>): Promise<void> {
    const [wanted, got] = await Promise.all([
      outcome(ask(this.#oracle, 'oracle')),
      outcome(ask(this.#store, 'embedded')),
    ]);
    const [a, b] = [this.#tell(wanted, 'oracle'), this.#tell(got, 'embedded')];
    if (a !== b) throw new Error(`step ${this.#steps}: ${what}\nthe oracle says ${a}\nthe store says   ${b}`);
  }

  async #txn(): Promise<void> {
    const { between } = this.#random;
    const many = between(1, 40) === 1 ? maxTxnOps - 1 : 4;
    const compares = Array.from({ length: between(0, 2) }, () => this.#compare());
    const then = Array.from({ length: between(0, many) }, () => this.#op());
    const otherwise = Array.from({ length: between(0, 3) }, () => this.#op());
    await this.#both('txn', async (store, side) => {
      const on = <T>(list: readonly ((side: keyof Pair) => T)[]): T[] => list.map((make) => make(side));
      return await store.txn(on(compares), on(then), on(otherwise));
    });
  }

  async #get(): Promise<void> {
    const key = this.#random.pick(keys);
    await this.#both(`get ${key}`, async (store) => await store.get(key));
  }

  async #list(): Promise<void> {
    const { between, pick } = this.#random;
    const prefix = pick(prefixes);
    const options = {
      ...(between(0, 1) === 0 ? {} : { limit: between(0, 4) }),
      ...(between(0, 2) > 0 ? {} : { after: pick(keys) }),
      ...(between(0, 1) === 0 ? {} : { atRevision: await this.#someRevision() }),
      keysOnly: between(0, 3) === 0,
    };
    await this.#both('list', async (store) => await store.list(prefix, options));
  }

  async #openSession(): Promise<void> {
    const pair = { oracle: await this.#oracle.openSession(600), embedded: await this.#store.openSession(600) };
    this.#sessions.push(pair);
  }

  async #closeSession(): Promise<void> {
    const session = this.#session();
    if (session !== undefined)
      await this.#both('close session', async (store, side) => {
        const adopted = await store.adoptSession(session[side].id);
        await adopted.close();
      });
  }

  async #compact(): Promise<void> {
    const revision = await this.#someRevision();
    await this.#both(`compact ${revision}`, async (store) => await store.compact(revision));
  }

  async #watch(): Promise<void> {
    const [from, prefix] = [await this.#someRevision(), this.#random.pick(prefixes)];
    // A last word that both watches come to.
    await this.#both(
      'end',
      async (store) => await store.txn([], [{ op: 'put', key: `${prefix}~`, value: valueOf(0) }]),
    );
    const { revision } = await this.#oracle.get('a');
    await this.#both(`watch ${prefix} from ${from}`, async (store) => {
      const batches = [];
      for await (const batch of store.watch(prefix, from)) {
        batches.push(batch);
        if (batch.revision === revision) break;
      }
      return batches;
    });
  }

  async #restart(): Promise<void> {
    await this.#store.close();
    await this.#embedded.close();
    this.#embedded = this.#directory.open();
    this.#store = new ClientStore(this.#embedded);
  }

  async #someRevision(): Promise<bigint> {
    const { revision } = await this.#oracle.get('a');
    const back = BigInt(this.#random.between(-1, 30));
    return revision - back < 1n ? 1n : revision - back;
  }

  #session(): Pair | undefined {
    return this.#sessions[this.#random.between(0, this.#sessions.length)];
  }

  #compare(): (side: keyof Pair) => Compare {
    const { between, pick } = this.#random;
    const [key, is] = [pick(keys), pick(relations)];
    const on = pick(['create', 'mod', 'version', 'value', 'session']);
    if (on === 'value') {
      const value = valueOf(between(0, 3));
      return () => ({ key, on, is, to: value });
    }
    if (on === 'session') {
      const session = this.#session();
      const same = pick(['=', '!=']);
      return (side) => ({ key, on, is: same, to: session?.[side].id });
    }
    const to = BigInt(between(0, 3));
    return () => ({ key, on, is, to });
  }

  #op(): (side: keyof Pair) => Op {
    const { between, pick } = this.#random;
    const kind = pick(['put', 'put', 'put', 'delete', 'deletePrefix', 'get', 'list']);
    const key = pick(keys);
    const prefix = pick(prefixes);
    switch (kind) {
      case 'put': {
        const session = between(0, 2) === 0 ? this.#session() : undefined;
        const value = valueOf(between(0, 3));
        return (side) => ({ op: kind, key, value, ...(session === undefined ? {} : { session: session[side].id }) });
      }
      case 'deletePrefix':
        return () => ({ op: kind, prefix: prefix === '' ? 'b' : prefix });
      case 'list':
        return () => ({ op: kind, prefix, limit: 2 });
      default:
        return () => ({ op: kind, key });
    }
  }

  #tell(value: unknown, side: keyof Pair): string {
    const number = (id: string): number => this.#sessions.findIndex((pair) => pair[side].id === (id as SessionId));
    return JSON.stringify(value, (name, part: unknown) => {
      if (name === 'session' && typeof part === 'string') return `#${number(part)}`;
      if (typeof part === 'bigint') return String(part);
      return part instanceof Uint8Array ? Buffer.from(part).toString('hex') : part;
    });
  }
}

/** Values 0 to 3 in an order of their own. */
function valueOf(n: number): Uint8Array {
  return Buffer.from(['', 'm', 'mm', 'z'][n] ?? '');
}

async function outcome(work: Promise<unknown>): Promise<unknown> {
  try {
    return { result: await work };
  } catch (error) {
    const { code, data } = toNshError(error);
    return { code, ...(code === 'storeCompacted' ? data : {}) };
  }
}
