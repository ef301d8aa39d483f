/** The keys of the store in their order, for prefixes and pages: a sorted list, which is quick enough for the hundred thousand it is made for. */
import { compareKeys } from '../../src/store/key-order.ts';

export class SortedKeys {
  readonly #keys: string[];

  /** @param sorted in order, without doubles. */
  constructor(sorted: string[] = []) {
    this.#keys = sorted;
  }

  add(key: string): void {
    const at = this.#firstNotBefore(key);
    if (this.#keys[at] !== key) this.#keys.splice(at, 0, key);
  }

  delete(key: string): void {
    const at = this.#firstNotBefore(key);
    if (this.#keys[at] === key) this.#keys.splice(at, 1);
  }

  /** Those with this prefix, greater than `after`, in order. */
  *below(prefix: string, after?: string): Generator<string, void, void> {
    let at = this.#firstNotBefore(after !== undefined && compareKeys(after, prefix) > 0 ? after : prefix);
    for (; at < this.#keys.length; at++) {
      const key = this.#keys[at] ?? '';
      if (!key.startsWith(prefix)) return;
      if (key !== after) yield key;
    }
  }

  #firstNotBefore(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareKeys(this.#keys[middle] ?? '', key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
