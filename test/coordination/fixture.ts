/** Participants on a store in this process: the oracle, or the embedded one, each with a session of its own. */
import { afterEach } from 'vitest';
import type { Participant } from '../../src/coordination/participant.ts';
import type { Party } from '../../src/coordination/party.ts';
import { ClientStore } from '../../src/store/client-store.ts';
import type { Store } from '../../src/store/store.ts';
import { storeDirectory } from '../agent/store/fixture.ts';
import { OracleCore, OracleStore } from '../store/oracle.ts';

export interface World {
  /** A client of its own. */
  open(): Store;
  close(): Promise<void>;
}

export const worlds: Readonly<Record<string, () => World>> = {
  'the oracle': () => {
    const core = new OracleCore();
    return { open: () => new OracleStore(core), close: async () => await Promise.resolve() };
  },
  'the embedded store': () => {
    const directory = storeDirectory();
    const embedded = directory.open();
    return {
      open: () => new ClientStore(embedded),
      close: async () => {
        await embedded.close();
        directory.remove();
      },
    };
  },
};

export function party(gpid: number, over: Partial<Party> = {}): Party {
  return { gpid, node: `n${Math.floor(gpid / 10_000_000)}`, command: `work ${gpid}`, since: 0, within: [], ...over };
}

/** Makes participants, and closes at the end of each test all that it made. */
export function makeStage(makeWorld: () => World): {
  readonly world: () => World;
  /** @param wrap stands between the participant and the store: for faults. */
  readonly join: (gpid?: number, options?: JoinOptions) => Promise<Participant>;
} {
  let world: World | undefined;
  let count = 0;
  const stores: Store[] = [];
  const sessions: Participant[] = [];
  afterEach(async () => {
    for (const { session } of sessions.splice(0)) await session.close().catch(() => undefined);
    for (const store of stores.splice(0)) await store.close();
    await world?.close();
    world = undefined;
  });
  return {
    world: () => (world ??= makeWorld()),
    join: async (
      gpid = 10_000_000 + ++count,
      { ttlSeconds = 15, wrap = (store: Store): Store => store, over = {} } = {},
    ) => {
      world ??= makeWorld();
      const plain = world.open();
      stores.push(plain);
      const store = wrap(plain);
      const participant = { store, session: await plain.openSession(ttlSeconds), party: party(gpid, over) };
      sessions.push(participant);
      return participant;
    },
  };
}

export interface JoinOptions {
  readonly ttlSeconds?: number;
  readonly wrap?: (store: Store) => Store;
  readonly over?: Partial<Party>;
}

export function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('it was not granted');
  return value;
}

/** What `work` fails with, for when it is waited for later; undefined where it does not fail. */
export async function failureOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return error;
  }
}
