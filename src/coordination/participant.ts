/** A process that takes part: the store it speaks to, the session whose end gives up all that it has, and what it tells of itself. */
import type { Store, StoreSession } from '../store/store.ts';
import type { Party } from './party.ts';

export interface Participant {
  readonly store: Store;
  readonly session: StoreSession;
  readonly party: Party;
}
