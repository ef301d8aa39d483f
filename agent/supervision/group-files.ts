/**
 * What an agent keeps on disk of groups, in `groups/` of its state directory, for the one that comes after it:
 *
 *   takes-part      it takes part in groups: the next agent begins by itself
 *   session         id of its session in the store, which the next one goes on with
 *   epochs.json     the highest epoch seen of each group
 *   orders/NAME     the order that is carried out: {serial, order}
 *   ready.json      which replicas have been ready, by PID, start and boot
 *
 * Each is written whole; what must not be forgotten is on the disk before the call returns. Where the disk is full, what runs goes on: without
 * the rest the next agent is slower to know how things stand, and nothing else.
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

/**
 * Groups whose epoch is kept, those seen last: with a new name for each job they would become ever more. The store, too, refuses what a deposed
 * leader writes.
 */
const maxEpochs = 1_000;

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
    // The next agent has it there already: it comes up with a full disk, too.
    if (does && !this.takesPart) this.#write('takes-part', '');
    else if (!does) this.#forgetAll();
  }

  get session(): string | undefined {
    return this.#read('session')?.trim();
  }

  set session(id: string | undefined) {
    if (id === undefined) this.#remove('session');
    else this.#tryToWrite('session', `${id}\n`);
  }

  get epochs(): ReadonlyMap<string, bigint> {
    return this.#epochs;
  }

  /** On the disk when it returns. @throws Error of node:fs: it is not remembered. */
  rememberEpoch(group: string, epoch: bigint): void {
    const known = new Map(this.#epochs);
    // The one that was seen last is the last one.
    known.delete(group);
    known.set(group, epoch);
    const written = Object.fromEntries([...known].slice(-maxEpochs).map(([name, each]) => [name, String(each)]));
    this.#write('epochs.json', `${JSON.stringify(written)}\n`);
    this.#epochs.delete(group);
    this.#epochs.set(group, epoch);
    for (const name of this.#epochs.keys()) {
      if (this.#epochs.size <= maxEpochs) return;
      this.#epochs.delete(name);
    }
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
    this.#tryToWrite(join('orders', order.group), text);
  }

  forgetOrder(group: string): void {
    this.#remove(join('orders', group));
  }

  hasBeenReady(process: string): boolean {
    return this.#ready.has(process);
  }

  /** Of others it is forgotten: they ended while nobody looked. @param processes by PID, start and boot. */
  keepReady(processes: ReadonlySet<string>): void {
    for (const process of this.#ready) if (!processes.has(process)) this.#ready.delete(process);
  }

  /** @param process by PID, start and boot. */
  noteReady(process: string, isReady: boolean): void {
    if (this.#ready.has(process) === isReady) return;
    if (isReady) this.#ready.add(process);
    else this.#ready.delete(process);
    this.#tryToWrite(
      'ready.json',
      `${JSON.stringify(Object.fromEntries([...this.#ready].map((each) => [each, true])))}\n`,
    );
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

  #tryToWrite(name: string, text: string): void {
    try {
      this.#write(name, text);
    } catch (error) {
      log('groups: a file cannot be written', { name, message: String(error) });
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
    try {
      rmSync(join(this.#directory, name), { force: true });
    } catch (error) {
      log('groups: a file cannot be removed', { name, message: String(error) });
    }
  }
}
