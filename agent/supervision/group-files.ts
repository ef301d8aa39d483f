/**
 * What an agent keeps on disk of groups, in `groups/` of its state directory, for the one that comes after it:
 *
 *   takes-part      it takes part in groups: the next agent begins by itself
 *   session         id of its session in the store, which the next one goes on with
 *   epochs.json     the highest epoch seen of each group
 *   orders/NAME     the order that is carried out: {serial, order}
 *   ready.json      which replicas have been ready, by PID, start and boot
 *
 * Each is written whole, and is on the disk before the call returns.
 */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Order } from '../../src/policy/supervision/order.ts';
import { isGroupName } from '../../src/policy/supervision/identity.ts';
import { readOrder, writeOrder } from '../../src/policy/supervision/stored.ts';
import { log } from '../daemon/log.ts';

export class GroupFiles {
  readonly #directory: string;
  readonly #epochs: Map<string, bigint>;
  readonly #ready: Set<string>;

  /** @param state the node's state directory. */
  constructor(state: string) {
    this.#directory = join(state, 'groups');
    this.#epochs = new Map(
      Object.entries(this.#readJson('epochs.json')).flatMap(([group, epoch]) =>
        typeof epoch === 'string' && /^\d{1,19}$/.test(epoch) ? [[group, BigInt(epoch)]] : [],
      ),
    );
    this.#ready = new Set(Object.keys(this.#readJson('ready.json')));
  }

  get takesPart(): boolean {
    return this.#read('takes-part') !== undefined;
  }

  set takesPart(does: boolean) {
    if (does) this.#write('takes-part', '');
    else this.#forgetAll();
  }

  get session(): string | undefined {
    return this.#read('session')?.trim();
  }

  set session(id: string | undefined) {
    if (id === undefined) this.#remove('session');
    else this.#write('session', `${id}\n`);
  }

  get epochs(): ReadonlyMap<string, bigint> {
    return this.#epochs;
  }

  rememberEpoch(group: string, epoch: bigint): void {
    this.#epochs.set(group, epoch);
    const written = Object.fromEntries([...this.#epochs].map(([name, each]) => [name, String(each)]));
    this.#write('epochs.json', `${JSON.stringify(written)}\n`);
  }

  /** One that cannot be read counts as none: what runs is then left alone until the store has been asked. */
  readOrders(): Map<string, Order> {
    const orders = new Map<string, Order>();
    for (const group of this.#namesIn('orders')) {
      try {
        const { serial, order } = JSON.parse(this.#read(join('orders', group)) ?? '') as Record<string, unknown>;
        orders.set(group, readOrder(JSON.stringify(order), group, BigInt(String(serial))));
      } catch (error) {
        log('groups: a kept order cannot be read', { group, message: String(error) });
      }
    }
    return orders;
  }

  keepOrder(order: Order): void {
    const text = `{"serial":"${order.serial}","order":${writeOrder(order)}}\n`;
    this.#write(join('orders', order.group), text);
  }

  forgetOrder(group: string): void {
    this.#remove(join('orders', group));
  }

  hasBeenReady(process: string): boolean {
    return this.#ready.has(process);
  }

  /** @param process by PID, start and boot. */
  noteReady(process: string, isReady: boolean): void {
    if (this.#ready.has(process) === isReady) return;
    if (isReady) this.#ready.add(process);
    else this.#ready.delete(process);
    this.#write('ready.json', `${JSON.stringify(Object.fromEntries([...this.#ready].map((each) => [each, true])))}\n`);
  }

  #namesIn(name: string): string[] {
    try {
      return readdirSync(join(this.#directory, name)).filter(isGroupName);
    } catch {
      // Not there: none.
      return [];
    }
  }

  #readJson(name: string): Record<string, unknown> {
    try {
      const value: unknown = JSON.parse(this.#read(name) ?? '{}');
      return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
    } catch (error) {
      log('groups: a file cannot be read', { name, message: String(error) });
      return {};
    }
  }

  #read(name: string): string | undefined {
    try {
      return readFileSync(join(this.#directory, name), 'utf8');
    } catch {
      // Not there, mostly; what cannot be read is as good as that.
      return undefined;
    }
  }

  #write(name: string, text: string): void {
    const path = join(this.#directory, name);
    mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 });
    // No group has a name with a tilde.
    const draft = `${path}~`;
    const file = openSync(draft, 'w', 0o600);
    try {
      writeSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(draft, path);
  }

  /** Epochs stay: an order that is older than they are is refused for ever. */
  #forgetAll(): void {
    this.#remove('takes-part');
    for (const group of this.#namesIn('orders')) this.forgetOrder(group);
  }

  #remove(name: string): void {
    rmSync(join(this.#directory, name), { force: true });
  }
}
