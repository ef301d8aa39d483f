/** Telling a person for whom a command waits, and why it did not get what it wanted. */
import { readClaims, type ClaimState } from '../../src/coordination/claims.ts';
import { findDeadlocks } from '../../src/coordination/deadlock.ts';
import { describePlace } from '../../src/coordination/errors.ts';
import type { Place } from '../../src/coordination/keys.ts';
import { describeParty } from '../../src/coordination/party.ts';
import type { Store } from '../../src/store/store.ts';
import { progressAfterMs } from '../../src/protocol/limits.ts';
import type { CommandContext } from '../command.ts';
import { makeReporter } from '../run/report.ts';

/** More are only counted. */
const maxNamed = 3;

/** `30004711 on web1 (make)`, or those who hold it; undefined where nobody does, or the store does not say. */
async function describeHolders(store: Store, { prefix }: Place): Promise<string | undefined> {
  try {
    const claims = await readClaims(store, { deadlineMs: 2_000 });
    const holders = claims.filter(({ place, state }) => place.prefix === prefix && state === 'holds');
    if (holders.length === 0) return undefined;
    const named = holders.slice(0, maxNamed).map(({ party }) => describeParty(party));
    const more = holders.length > maxNamed ? [`${holders.length - maxNamed} more`] : [];
    return [...named, ...more].join(', ');
  } catch {
    // The message says less then; what failed is told by what needs it.
    return undefined;
  }
}

/** At a terminal: whom it waits for, once that takes a while, and that it is for ever where it is. @returns what ends it. */
export function tellWaiting(context: CommandContext, command: string, store: Store, place: Place): () => void {
  if (context.stderr.isTTY !== true) return () => undefined;
  let isOver = false;
  const timer = setTimeout(() => {
    void describeHolders(store, place).then((holders) => {
      if (isOver || holders === undefined) return;
      makeReporter(context, command).say(`waiting for ${describePlace(place)}, which ${holders} has`);
    });
  }, progressAfterMs);
  return () => {
    isOver = true;
    clearTimeout(timer);
  };
}

/** Why it was not got. */
export async function describeTaken(store: Store, place: Place, timeoutText: string | undefined): Promise<string> {
  const holders = await describeHolders(store, place);
  const by = holders === undefined ? '' : ` by ${holders}`;
  if (timeoutText === undefined) return `${describePlace(place)} is taken${by}`;
  return `${describePlace(place)} was not free within ${timeoutText}: it is taken${by}`;
}

/** One line for each deadlock among them. */
export function describeDeadlocks(claims: readonly ClaimState[]): string[] {
  return findDeadlocks(claims).map((circle) => {
    const waits = circle.filter(({ state }) => state === 'waits');
    const steps = waits.map(({ party, place }) => `${describeParty(party)} waits for ${describePlace(place)}`);
    return `deadlock: ${steps.join(', and ')}; each of them keeps the next from going on: end one of them`;
  });
}
