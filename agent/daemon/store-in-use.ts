/**
 * Which store this agent goes by, since when, and which one before: kept in `store.json` of its state directory, so that a cluster file that
 * names another one is noticed also where it was changed while no agent ran. No secrets are in it.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import type { StoreSpec } from '../../src/cluster/store-spec.ts';
import { quoteText } from '../../src/ids/quote-text.ts';
import { log } from './log.ts';

const identitySchema = v.variant('backend', [
  v.object({ backend: v.literal('embedded'), node: v.number() }),
  v.object({ backend: v.literal('etcd'), endpoints: v.array(v.string()), prefix: v.string() }),
]);
/** What makes a store another one. How one logs in to it is not in it. */
export type StoreIdentity = v.InferOutput<typeof identitySchema>;

const keptSchema = v.object({
  store: identitySchema,
  sinceMs: v.number(),
  before: v.optional(identitySchema),
});
type Kept = v.InferOutput<typeof keptSchema>;

/** @param prefix of the keys in an etcd. */
export function identityOf(spec: StoreSpec, prefix: string): StoreIdentity {
  return spec.backend === 'embedded'
    ? { backend: 'embedded', node: spec.node }
    : { backend: 'etcd', endpoints: [...spec.endpoints], prefix };
}

/** An etcd may get and lose members one by one: it is the same one as long as an endpoint stays. */
export function isSameStore(a: StoreIdentity, b: StoreIdentity): boolean {
  if (a.backend === 'embedded') return b.backend === 'embedded' && a.node === b.node;
  return b.backend === 'etcd' && a.prefix === b.prefix && a.endpoints.some((url) => b.endpoints.includes(url));
}

/** As the cluster file has it: to name it again. */
export function describeStore(store: StoreIdentity, nameOf: (node: number) => string): string {
  return store.backend === 'embedded'
    ? `the embedded one on ${nameOf(store.node)}`
    : `the etcd at ${store.endpoints.join(', ')} (keys ${store.prefix})`;
}

/** How long it is told that there was another one. */
const toldMs = 24 * 3_600_000;

export class StoreInUse {
  readonly #path: string;
  #kept: Kept | undefined;

  /** @param state the node's state directory. */
  constructor(state: string) {
    this.#path = join(state, 'store.json');
    this.#kept = readKept(this.#path);
  }

  /** None: this agent has never asked a store. */
  get store(): StoreIdentity | undefined {
    return this.#kept?.store;
  }

  /** The one before, where it was left lately. */
  get before(): { readonly store: StoreIdentity; readonly untilMs: number } | undefined {
    const { before, sinceMs = 0 } = this.#kept ?? {};
    return before === undefined || Date.now() - sinceMs > toldMs ? undefined : { store: before, untilMs: sinceMs };
  }

  /** @returns whether it is another one than before. */
  note(store: StoreIdentity): boolean {
    const before = this.#kept;
    if (before !== undefined && JSON.stringify(before.store) === JSON.stringify(store)) return false;
    const isMoved = before !== undefined && !isSameStore(before.store, store);
    const sinceMs = before === undefined || isMoved ? Date.now() : before.sinceMs;
    // Whoever goes back has lost nothing by it.
    const isBack = isMoved && before.before !== undefined && isSameStore(before.before, store);
    const left = isBack ? undefined : isMoved ? before.store : before?.before;
    this.#kept = { store, sinceMs, ...(left === undefined ? {} : { before: left }) };
    this.#write(this.#kept);
    return isMoved;
  }

  #write(kept: Kept): void {
    try {
      writeFileSync(`${this.#path}~`, `${JSON.stringify(kept)}\n`, { mode: 0o600 });
      renameSync(`${this.#path}~`, this.#path);
    } catch (error) {
      // The next agent does not know of a change then, and nothing else is wrong.
      log('store: not noted', { path: this.#path, message: String(error) });
    }
  }
}

function readKept(path: string): Kept | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return undefined; // The first time.
  }
  try {
    return v.parse(keptSchema, JSON.parse(text));
  } catch (error) {
    log('store: what was noted cannot be read', { path, text: quoteText(text), message: String(error) });
    return undefined;
  }
}
