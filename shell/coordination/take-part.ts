/** A command that takes part in something: its connection to the store, a session of its own, and what it tells of itself. */
import { hostname } from 'node:os';
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import { isClaimId } from '../../src/coordination/keys.ts';
import type { Participant } from '../../src/coordination/participant.ts';
import type { Party } from '../../src/coordination/party.ts';
import { toGpid } from '../../src/ids/gpid.ts';
import { isUnknown } from '../../src/store/errors.ts';
import type { Store, StoreSession } from '../../src/store/store.ts';
import type { CommandContext } from '../command.ts';

/** Ids of the claims that a command runs under, those around them first, with `:` between. */
export const holdsVariable = 'NSH_HOLDS';

export interface TakingPart {
  readonly participant: Participant;
  /** Calls `listener` with the new deadline after each renewal of the session. */
  onRenewed(listener: (deadline: number) => void): void;
  /** Gives up at once all that was got through the session. */
  close(): Promise<void>;
}

/** How long whoever ends waits for the store to know; the session ends by itself later. */
const closeMs = 2_000;
/** To open a session whose answer did not come again costs nothing: the other one ends by itself. */
const openAttempts = 3;

/**
 * @param argv what runs, for those who look.
 * @throws NshError: why the store cannot be reached; `cancelled` after a signal.
 */
export async function takePart(
  context: CommandContext,
  argv: readonly string[],
  ttlSeconds: number,
  says?: string,
): Promise<TakingPart> {
  const client = await context.cluster();
  const store = await client.store(context.signal);
  const listeners: ((deadline: number) => void)[] = [];
  const onRenewed = (deadline: number): void => {
    for (const listener of listeners) listener(deadline);
  };
  const session = await openSession(store, ttlSeconds, { onRenewed, signal: context.signal });
  const party = { ...partyOf(client, context, argv), ...(says === undefined ? {} : { says }) };
  return {
    participant: { store, session, party },
    onRenewed: (listener) => {
      listeners.push(listener);
    },
    close: async () => {
      // Whatever goes wrong: the session ends with its TTL, since nobody renews it any more.
      await session.close({ deadlineMs: closeMs }).catch(() => undefined);
      await store.close();
    },
  };
}

async function openSession(
  store: Store,
  ttlSeconds: number,
  options: { readonly onRenewed: (deadline: number) => void; readonly signal: AbortSignal },
): Promise<StoreSession> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await store.openSession(ttlSeconds, options);
    } catch (error) {
      options.signal.throwIfAborted();
      if (!isUnknown(error) || attempt === openAttempts) throw error;
    }
  }
}

function partyOf(client: ClusterClient, { env }: CommandContext, argv: readonly string[]): Party {
  const { self, spec, nodes } = client;
  const isNode = spec.file === undefined || nodes.some(({ id }) => id === self.id);
  return {
    // A gateway's PIDs mean nothing in the cluster.
    gpid: isNode ? toGpid(self.id, process.pid) : 0,
    node: isNode ? self.name : hostname(),
    command: argv.join(' '),
    since: Date.now(),
    within: heldAround(env),
  };
}

/** What the command that runs this one holds. */
export function heldAround(env: CommandContext['env']): Party['within'] {
  return (env[holdsVariable] ?? '').split(':').filter((id) => isClaimId(id));
}
