/** What was granted, for as long as it is held: its fencing token, the signals that take it away, and writes that only a holder may do. */
import { NshError } from '../protocol/errors.ts';
import type { CallOptions, Compare, Op, TxnResult } from '../store/store.ts';
import { withdraw, type Claim } from './claim.ts';
import { describePlace, staleToken } from './errors.ts';
import { Fence } from './fence.ts';
import type { ClaimId, Place } from './keys.ts';
import { encodeParty, type Party } from './party.ts';
import type { Participant } from './participant.ts';

export class Hold {
  readonly place: Place;
  readonly id: ClaimId;
  /** Greater than that of every holder before: what it protects refuses smaller ones than it has seen. */
  readonly token: bigint;
  readonly #participant: Participant;
  readonly #claim: Claim;
  readonly #fence: Fence;
  #released: Promise<void> | undefined;

  constructor(participant: Participant, claim: Claim) {
    this.#participant = participant;
    this.#claim = claim;
    this.#fence = new Fence(participant.session);
    this.place = claim.place;
    this.id = claim.id;
    this.token = claim.token;
  }

  /**
   * Fires when the holder must stop, TTL/3 before the store may give it to another one; the reason is an NshError `sessionLost`. Call
   * `release` then, too: the session may still be renewed in time, and this would be kept for nobody.
   */
  get lost(): AbortSignal {
    return this.#fence.stop;
  }

  /** Fires when what has not stopped must be killed: TTL/5 before. */
  get kill(): AbortSignal {
    return this.#fence.kill;
  }

  /** Holds of the store exactly as long as this is held. */
  get guard(): Compare {
    return { key: this.#claim.key, on: 'create', to: this.token };
  }

  /**
   * A transaction that is done only while this is held, whatever the clocks say.
   * @throws NshError `staleToken`: nothing was written. `sessionLost` where that is known already. Else as `Store.txn`: it is never repeated.
   */
  async txn(
    compares: readonly Compare[],
    then: readonly Op[],
    otherwise: readonly Op[] = [],
    options: CallOptions = {},
  ): Promise<TxnResult> {
    if (this.#released !== undefined) throw new NshError('staleToken', `${describePlace(this.place)} was released`);
    this.lost.throwIfAborted();
    const { store } = this.#participant;
    const own: Op = { op: 'get', key: this.#claim.key };
    const result = await store.txn([this.guard, ...compares], then, [own, ...otherwise], options);
    if (result.succeeded) return result;
    const [first, ...results] = result.results;
    if (first?.op !== 'get' || first.entry?.createRevision !== this.token) throw staleToken(this.place, this.token);
    return { ...result, results };
  }

  /** Tells others something in the name of the holder: a leader its address. @throws NshError as `txn` */
  async tell(says: string): Promise<void> {
    const { session } = this.#participant;
    const party: Party = { ...this.#participant.party, says };
    await this.txn([], [{ op: 'put', key: this.#claim.key, value: encodeParty(party), session: session.id }]);
  }

  /** Gives it to the next one, at once. Resolves when the store has it, or the session has ended; again: nothing. */
  async release(): Promise<void> {
    this.#fence.close();
    this.#released ??= withdraw(this.#participant, this.#claim);
    await this.#released;
  }
}
