/**
 * Memory that output is read into. Slabs are reused rather than collected: at several hundred MB/s the garbage would be larger than
 * the shim. Whoever holds bytes of a slab (a chunk, a write on its way) counts as one user; the last one gives it back.
 */
/** A whole window of pipes in use and given back over and over makes no garbage. */
const spareSlabs = 96;
/** What is kept when nothing runs. */
const idleSlabs = 4;

export class Slab {
  readonly bytes: Buffer;
  /** Bytes in use from the beginning. */
  filled = 0;
  #users = 0;
  readonly #pool: SlabPool;

  constructor(size: number, pool: SlabPool) {
    this.bytes = Buffer.allocUnsafeSlow(size);
    this.#pool = pool;
  }

  retain(): void {
    this.#users++;
  }

  release(): void {
    this.#users--;
    if (this.#users === 0) this.#pool.giveBack(this);
  }
}

export class SlabPool {
  readonly #slabBytes: number;
  readonly #spare: Slab[] = [];

  constructor(slabBytes: number) {
    this.#slabBytes = slabBytes;
  }

  /** A slab with one user: the caller. */
  take(): Slab {
    const slab = this.#spare.pop() ?? new Slab(this.#slabBytes, this);
    slab.filled = 0;
    slab.retain();
    return slab;
  }

  /** Nothing needs them for now. */
  trim(): void {
    if (this.#spare.length > idleSlabs) this.#spare.length = idleSlabs;
  }

  giveBack(slab: Slab): void {
    if (this.#spare.length < spareSlabs) this.#spare.push(slab);
  }
}

/** A pipe holds 64 KiB; one read takes it whole. */
export const pipeSlabs = new SlabPool(64 * 1024);
/** The kernel hands out at most 4 KiB of a terminal at a time. */
export const ptySlabs = new SlabPool(16 * 1024);
