/**
 * The session by which this node is known to live, and its deadlines: opened, or adopted from the agent before, put under the node's key, and
 * opened anew when it was lost. Between the fence and the next renewal the node counts as cut off (src/policy/placement/fence.ts).
 */
import { uptime } from 'node:os';
import { pauseAfter, untilAnswered } from '../../src/coordination/patience.ts';
import { fenceTimes } from '../../src/policy/placement/fence.ts';
import { aliveKey } from '../../src/policy/supervision/store-keys.ts';
import { writePresence } from '../../src/policy/supervision/stored.ts';
import type { NodePresence } from '../../src/policy/supervision/wanted.ts';
import { isSessionLost, isUnavailable, isUnknown } from '../../src/store/errors.ts';
import type { SessionId, Store, StoreSession } from '../../src/store/store.ts';
import { log } from '../daemon/log.ts';

export interface PresenceOptions {
  readonly store: Store;
  readonly node: number;
  /** Asked of the store; it may grant more. */
  readonly ttlSeconds: number;
  /** Of the agent before; kept for the one after. */
  readonly ids: { session: string | undefined };
  /** As it is now. */
  readonly facts: () => NodePresence;
  /** The node is known to live, by this session; also when it was cut off for a while. What was read before is to be read again. */
  readonly onUp: (session: StoreSession) => void;
  /** No session can be had: why. It is tried again. */
  readonly onProblem: (why: string) => void;
  /** Acknowledged: singletons may run until then, ms of CLOCK_BOOTTIME. */
  readonly onRenewed: (killAtBootMs: number) => void;
  /** Not renewed in time, or lost: singletons end now. */
  readonly onCutOff: () => void;
  /** The store has ended the session: others may have taken the singletons over already. */
  readonly onLost: () => void;
}

/** How often it is looked whether free memory, or the labels of its own file, have changed so much that others should know. */
const factsEveryMs = 30_000;
/** Share of the memory. */
const worthTelling = 0.05;

export class Presence {
  readonly #options: PresenceOptions;
  #session: StoreSession | undefined;
  #fenceTimer: NodeJS.Timeout | undefined;
  #isUp = false;
  #isClosing = false;
  #told: NodePresence | undefined;

  constructor(options: PresenceOptions) {
    this.#options = options;
  }

  /** While the node is known to live and may run singletons. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** Absent: nobody has acknowledged that the node lives. */
  get killAtBootMs(): number | undefined {
    return this.#session === undefined ? undefined : this.#killAt(this.#session);
  }

  /** Until the signal fires. @throws NshError `storeClosed` */
  async keep(signal: AbortSignal): Promise<void> {
    const timer = setInterval(() => void this.#tellFacts(), factsEveryMs);
    timer.unref();
    try {
      while (!signal.aborted && !this.#isClosing) {
        const session = await this.#take(signal);
        if (session === undefined) return;
        await this.#live(session, signal);
      }
    } finally {
      clearInterval(timer);
      clearTimeout(this.#fenceTimer);
    }
  }

  /** Leaves the session to the next agent. */
  release(): void {
    this.#session?.release();
  }

  /** Gives it back: only where nothing runs here any more, for others take everything over at once. */
  async close(deadlineMs: number): Promise<void> {
    const session = this.#session;
    this.#isClosing = true;
    this.#options.ids.session = undefined;
    await session?.close({ deadlineMs });
  }

  async #take(signal: AbortSignal): Promise<StoreSession | undefined> {
    const { store, ttlSeconds, ids } = this.#options;
    const onRenewed = (): void => this.#renewed();
    for (let failures = 1; !signal.aborted; failures++) {
      try {
        const known = ids.session;
        const session =
          known === undefined
            ? await store.openSession(ttlSeconds, { onRenewed, signal })
            : await store.adoptSession(known as SessionId, { onRenewed, signal });
        if (known === undefined) ids.session = session.id;
        return session;
      } catch (error) {
        if (signal.aborted) return undefined;
        if (isSessionLost(error)) ids.session = undefined;
        // One whose answer did not come ends by itself, since nobody renews it.
        else if (!isUnavailable(error) && !isUnknown(error)) throw error;
        else this.#options.onProblem((error as Error).message);
      }
      await pauseAfter(failures, signal);
    }
    return undefined;
  }

  async #live(session: StoreSession, signal: AbortSignal): Promise<void> {
    this.#session = session;
    const ends = AbortSignal.any([signal, session.lost]);
    try {
      await this.#tell(session, ends);
      this.#up();
      await new Promise<void>((resolve) => {
        ends.addEventListener('abort', () => resolve(), { once: true });
        if (ends.aborted) resolve();
      });
    } catch (error) {
      if (!ends.aborted && !isSessionLost(error)) throw error;
    }
    if (signal.aborted || this.#isClosing) return;
    log('groups: the session was lost', { session: session.id, why: String(session.lost.reason) });
    this.#session = undefined;
    this.#told = undefined;
    this.#options.ids.session = undefined;
    this.#cutOff();
    this.#options.onLost();
  }

  async #tell(session: StoreSession, signal: AbortSignal): Promise<void> {
    const { store, node, facts } = this.#options;
    const presence = facts();
    const value = Buffer.from(writePresence(presence));
    await untilAnswered(signal, () =>
      store.txn([], [{ op: 'put', key: aliveKey(node), value, session: session.id }], [], { signal }),
    );
    this.#told = presence;
  }

  async #tellFacts(): Promise<void> {
    const session = this.#session;
    if (session === undefined || !this.#isUp || this.#told === undefined) return;
    const { memAvailableBytes, memTotalBytes, labels } = this.#options.facts();
    const isLittle = Math.abs(memAvailableBytes - this.#told.memAvailableBytes) < worthTelling * memTotalBytes;
    if (isLittle && labels?.join() === this.#told.labels?.join()) return;
    // Later is soon enough.
    await this.#tell(session, session.lost).catch(() => undefined);
  }

  #renewed(): void {
    const session = this.#session;
    if (session === undefined) return;
    this.#options.onRenewed(this.#killAt(session));
    if (this.#isUp) this.#armFence(session);
    else if (this.#told !== undefined) this.#up();
  }

  #up(): void {
    const session = this.#session;
    if (session === undefined || session.lost.aborted) return;
    this.#isUp = true;
    this.#armFence(session);
    this.#options.onUp(session);
  }

  #armFence(session: StoreSession): void {
    clearTimeout(this.#fenceTimer);
    const { fenceMs } = fenceTimes(session.ttlMs);
    const leftMs = session.deadline() - session.ttlMs + fenceMs - performance.now();
    this.#fenceTimer = setTimeout(
      () => {
        const late = session.deadline() - session.ttlMs + fenceMs - performance.now();
        if (late > 0 && this.#session === session) this.#armFence(session);
        else this.#cutOff();
      },
      Math.max(0, Math.ceil(leftMs)),
    );
  }

  #cutOff(): void {
    clearTimeout(this.#fenceTimer);
    if (!this.#isUp) return;
    this.#isUp = false;
    this.#options.onCutOff();
  }

  #killAt(session: StoreSession): number {
    const { killMs } = fenceTimes(session.ttlMs);
    return Math.floor(uptime() * 1000 + session.deadline() - session.ttlMs + killMs - performance.now());
  }
}
