/**
 * Which raft term the members are in, as far as their answers tell: a member that answers in an earlier one has not heard of the present
 * leader. Pure.
 */

/** A term that nobody has told of for so long, ms, is forgotten: etcd was set up anew or restored, and counts from the beginning. */
const rememberedMs = 30_000;

export class RaftTerm {
  #term = 0n;
  #toldAt = 0;

  /**
   * @param now ms, monotonic
   * @returns false: the answer is from an earlier term
   */
  note(term: bigint, now: number): boolean {
    if (term < this.#term && now - this.#toldAt < rememberedMs) return false;
    this.#term = term;
    this.#toldAt = now;
    return true;
  }
}
