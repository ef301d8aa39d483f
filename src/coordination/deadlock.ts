/**
 * Deadlocks among claims: who waits for each other in a circle. Pure.
 *
 * A claim that waits depends on those before it in its queue; one that is held depends on what the same process, or one that runs under it
 * (Party.within), waits for. Of several holders of a semaphore one that goes is enough, so a circle alone is no deadlock there: first
 * everything is taken away that can still come to an end (Coffman, Elphick, Shoshani, System Deadlocks, 1971); what is left is stuck for ever.
 * A barrier may always be completed by somebody new, so nothing at one counts as stuck.
 */
import type { ClaimState } from './claims.ts';
import type { ClaimId } from './keys.ts';
import { allBefore } from './queue.ts';

/** Each a circle: every member waits for the next, the last one for the first. Empty: nobody is stuck. */
export function findDeadlocks(claims: readonly ClaimState[]): readonly (readonly ClaimState[])[] {
  const stuck = findStuck(claims);
  const found: ClaimState[][] = [];
  const done = new Set<ClaimId>();
  for (const start of stuck.values()) {
    const trail: ClaimState[] = [];
    let at: ClaimState | undefined = start;
    while (at !== undefined && !done.has(at.id)) {
      done.add(at.id);
      trail.push(at);
      at = nextOf(at, stuck, claims);
    }
    const begin = at === undefined ? -1 : trail.indexOf(at);
    if (begin !== -1) found.push(trail.slice(begin));
  }
  return found;
}

function findStuck(claims: readonly ClaimState[]): ReadonlyMap<ClaimId, ClaimState> {
  const stuck = new Map(claims.filter(({ place }) => place.kind !== 'barrier').map((claim) => [claim.id, claim]));
  for (let before = -1; before !== stuck.size; ) {
    before = stuck.size;
    for (const claim of stuck.values()) if (canEnd(claim, stuck, claims)) stuck.delete(claim.id);
  }
  return stuck;
}

function canEnd(claim: ClaimState, stuck: ReadonlyMap<ClaimId, ClaimState>, claims: readonly ClaimState[]): boolean {
  if (claim.state === 'holds') return !claims.some((other) => stuck.has(other.id) && dependsOn(claim, other));
  return stuckBefore(claim, stuck, claims).length < claim.size;
}

/** A stuck one that keeps this one from going on. */
function nextOf(
  claim: ClaimState,
  stuck: ReadonlyMap<ClaimId, ClaimState>,
  claims: readonly ClaimState[],
): ClaimState | undefined {
  if (claim.state === 'holds') return claims.find((other) => stuck.has(other.id) && dependsOn(claim, other));
  return stuckBefore(claim, stuck, claims)[0];
}

function stuckBefore(
  claim: ClaimState,
  stuck: ReadonlyMap<ClaimId, ClaimState>,
  claims: readonly ClaimState[],
): readonly ClaimState[] {
  const queue = claims.filter(({ id, place }) => place.prefix === claim.place.prefix && stuck.has(id));
  return allBefore(queue, claim);
}

/** A held claim is given up only after what waits under it, or in the same process. */
function dependsOn(held: ClaimState, other: ClaimState): boolean {
  if (other.state !== 'waits' || other.id === held.id) return false;
  const isSameProcess =
    held.party.gpid !== 0 && held.party.gpid === other.party.gpid && held.party.node === other.party.node;
  return isSameProcess || other.party.within.includes(held.id);
}
