/**
 * What clients do to a store while it is faulty, written above the store's interface alone: registers with compare-and-set, counters and
 * locks. Everything is recorded; whatever a client was not told stays unknown.
 */
import { storeUnavailable } from '../../src/store/errors.ts';
import type { Store } from '../../src/store/store.ts';
import type { Random } from '../ids/random.ts';
import { History, type Counts } from './history.ts';
import * as models from './models.ts';
import type { CounterInput, LockInput, LockOutput, LockState, RegisterInput, RegisterOutput } from './models.ts';

/** ms for one call: short, so that faults make many unknown ones. */
const deadlineMs = 600;
/** Then a new object is begun: what is unknown of the old one no longer makes it harder to judge. */
const operationsAnObject = 250;
const objectsAtOnce = 2;
/** To add to a counter; who always reads what is stale would never come to an end. */
const mostAttempts = 20;
const kinds = ['register', 'counter', 'lock'] as const;
/** A third of the clients: they are never held up by writes of their own, and so are the first to see what is stale. */
const onlyReads = (client: number): boolean => client % 3 === 2;
const textOf = (value: Uint8Array | undefined): string => (value === undefined ? '' : Buffer.from(value).toString());

export class Workload {
  readonly registers = new History<string, RegisterInput, { readonly value: RegisterOutput }>(
    'register',
    models.register,
  );
  readonly counters = new History<number, CounterInput, { readonly value: number }>('counter', models.counter);
  readonly locks = new History<LockState, LockInput, LockOutput>('lock', models.lock);
  readonly #random: Random;
  readonly #prefix: string;
  #operations = 0;
  #names = 0;

  constructor(random: Random, prefix: string) {
    this.#random = random;
    this.#prefix = prefix;
  }

  get counts(): Counts {
    const sum: Counts = { ok: 0, failed: 0, unknown: 0 };
    for (const { counts } of [this.registers, this.counters, this.locks]) {
      sum.ok += counts.ok;
      sum.failed += counts.failed;
      sum.unknown += counts.unknown;
    }
    return sum;
  }

  get objects(): number {
    return this.registers.objects + this.counters.objects + this.locks.objects;
  }

  violations(): string[] {
    return [...this.registers.violations(), ...this.counters.violations(), ...this.locks.violations()];
  }

  /** One client, until `enough`. */
  async run(client: number, store: Store, enough: () => boolean): Promise<void> {
    while (!enough()) {
      this.#operations += 1;
      const generation = Math.floor(this.#operations / (operationsAnObject * objectsAtOnce * kinds.length));
      const object = `${this.#prefix}${generation}.${this.#random.between(1, objectsAtOnce)}`;
      const kind = this.#random.pick(kinds);
      if (kind === 'register') await this.#register(client, store, object);
      else if (kind === 'counter') await this.#counter(client, store, object);
      else if (onlyReads(client)) await this.#holder(client, store, object);
      else await this.#lock(client, store, object);
    }
  }

  async #register(client: number, store: Store, object: string): Promise<void> {
    const key = `register/${object}`;
    const input = this.#random.pick<RegisterInput>([
      { do: 'read' },
      ...(onlyReads(client) ? [] : this.#registerWrites()),
    ]);
    await this.registers.record(object, client, input, async () => {
      if (input.do === 'read') {
        const { entry } = await store.get(key, { deadlineMs });
        return { value: textOf(entry?.value) };
      }
      const ifs = input.do === 'cas' ? [{ key, on: 'value', to: Buffer.from(input.from) } as const] : [];
      const to = Buffer.from(input.do === 'cas' ? input.to : input.value);
      const { succeeded } = await store.txn(ifs, [{ op: 'put', key, value: to }], [], { deadlineMs });
      return { value: input.do === 'cas' ? succeeded : undefined };
    });
  }

  async #counter(client: number, store: Store, object: string): Promise<void> {
    const key = `counter/${object}`;
    const add = { do: 'add', by: this.#random.between(1, 3) } as const;
    const input = onlyReads(client) ? ({ do: 'get' } as const) : this.#random.pick<CounterInput>([{ do: 'get' }, add]);
    await this.counters.record(object, client, input, async () => {
      for (let attempt = 1; attempt <= mostAttempts; attempt++) {
        const { entry } = await store.get(key, { deadlineMs });
        const now = Number(textOf(entry?.value));
        if (input.do === 'get') return { value: now };
        const next = now + input.by;
        const isUnchanged = { key, on: 'mod', to: entry?.modRevision ?? 0n } as const;
        const write = { op: 'put', key, value: Buffer.from(String(next)) } as const;
        const { succeeded } = await store.txn([isUnchanged], [write], [], { deadlineMs });
        if (succeeded) return { value: next };
      }
      throw storeUnavailable(`somebody else was faster ${mostAttempts} times`);
    });
  }

  /** Acquires, looks who holds it, and lets go; where it is not known who holds it, by looking. */
  async #lock(client: number, store: Store, object: string): Promise<void> {
    const key = `lock/${object}`;
    const id = `${client}-${++this.#names}`;
    const acquired = await this.locks.record(object, client, { do: 'acquire', id }, async () => {
      const isFree = { key, on: 'create', to: 0n } as const;
      const write = { op: 'put', key, value: Buffer.from(id) } as const;
      const { succeeded, revision } = await store.txn([isFree], [write], [], { deadlineMs });
      return { token: succeeded ? revision : 0n };
    });
    const seen = await this.#holder(client, store, object);
    const mayHold = acquired === undefined || ('token' in acquired && acquired.token !== 0n);
    const holder = seen !== undefined && 'id' in seen ? seen.id : id;
    // Who died holding it is put out by anybody, as the end of a session would.
    if (mayHold || holder !== '') await this.#release(client, store, object, mayHold ? id : holder);
  }

  async #holder(client: number, store: Store, object: string): Promise<LockOutput | undefined> {
    return await this.locks.record(object, client, { do: 'holder' }, async () => {
      const { entry } = await store.get(`lock/${object}`, { deadlineMs });
      return { id: textOf(entry?.value) };
    });
  }

  #registerWrites(): RegisterInput[] {
    const value = (): string => `v${this.#random.between(1, 4)}`;
    return [{ do: 'read' }, { do: 'write', value: value() }, { do: 'cas', from: value(), to: value() }];
  }

  async #release(client: number, store: Store, object: string, id: string): Promise<void> {
    const key = `lock/${object}`;
    await this.locks.record(object, client, { do: 'release', id }, async () => {
      const isHis = { key, on: 'value', to: Buffer.from(id) } as const;
      const { succeeded } = await store.txn([isHis], [{ op: 'delete', key }], [], { deadlineMs });
      return { done: succeeded };
    });
  }
}
