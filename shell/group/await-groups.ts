/** Waiting until groups are as they are wanted, with a deadline. */
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import { readGroups, type GroupsSnapshot } from '../../src/coordination/groups/snapshot.ts';
import { describeLack, outcomeOf, viewGroup } from '../../src/coordination/groups/view.ts';
import { unlessAborted, untilAnswered } from '../../src/coordination/patience.ts';
import { isCompacted } from '../../src/store/errors.ts';
import type { Store } from '../../src/store/store.ts';
import type { CommandContext, OptionSpec } from '../command.ts';
import { timedOutStatus } from '../coordination/options.ts';
import { makeReporter, type Reporter } from '../run/report.ts';
import { formatDuration, parseDuration } from '../run/values.ts';
import type { ParsedOption } from '../getopt.ts';

const defaultWaitMs = 60_000;

export const waitOption: OptionSpec = {
  short: 'w',
  long: 'wait',
  argument: '[DURATION]',
  summary: `wait until it is so, no longer than this (default 60s); then status ${timedOutStatus}`,
};

/** ms; undefined: not at all. `-w=20s` is taken as the long option suggests it. @throws NshError `usage` */
export function readWait(options: readonly ParsedOption[]): number | undefined {
  const found = options.findLast(({ option }) => option === waitOption);
  if (found === undefined) return undefined;
  return found.value === undefined ? defaultWaitMs : parseDuration(found.value.replace(/^=/, ''), '--wait');
}

export interface Awaited {
  /** Undefined: it is on its way. `why`: it will not come, or not without a person. */
  (snapshot: GroupsSnapshot): { readonly isDone: true } | { readonly isDone: false; readonly why: string } | undefined;
}

interface Thing {
  readonly ask: Awaited;
  readonly lack: (snapshot: GroupsSnapshot) => string;
}

export interface Waiting {
  readonly command: string;
  readonly store: Store;
  /** Name of what is waited for → what is asked of each state of the store, and what is said when the time is over. */
  readonly things: ReadonlyMap<string, Thing>;
  /** Keys whose changes matter. */
  readonly prefix: string;
  readonly timeoutMs: number;
}

/** @returns 0; 1 where it will not come, and `timedOutStatus`, having said why. */
export async function awaitThings(
  context: CommandContext,
  { command, store, things, prefix, timeoutMs }: Waiting,
): Promise<number> {
  const reporter = makeReporter(context, command);
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = AbortSignal.any([context.signal, timeout]);
  const open = new Map(things);
  let status = 0;
  let last: GroupsSnapshot | undefined;
  for (;;) {
    let snapshot: GroupsSnapshot;
    try {
      snapshot = await untilAnswered(signal, () => readGroups(store, { signal }));
    } catch (error) {
      if (!timeout.aborted || context.signal.aborted) throw error;
      break;
    }
    last = snapshot;
    for (const [name, { ask }] of open) {
      const outcome = ask(snapshot);
      if (outcome === undefined) continue;
      open.delete(name);
      if (outcome.isDone) continue;
      reporter.say(`${name}: ${outcome.why}`);
      status = 1;
    }
    if (open.size === 0) return status;
    await untilAnyChange(store, prefix, snapshot.revision + 1n, signal);
    context.signal.throwIfAborted();
    if (timeout.aborted) break;
  }
  sayLacks(reporter, open, last, timeoutMs);
  return timedOutStatus;
}

function sayLacks(
  reporter: Reporter,
  open: Waiting['things'],
  last: GroupsSnapshot | undefined,
  timeoutMs: number,
): void {
  for (const [name, { lack }] of open) {
    const how = last === undefined ? 'the store did not answer' : lack(last);
    reporter.say(`${name}: after ${formatDuration(timeoutMs)}: ${how}`);
  }
}

/** What comes behind a change that is written: whoever breaks it off is told that the change stands. */
export async function onceWritten<T>(
  context: CommandContext,
  { command, names }: { readonly command: string; readonly names: readonly string[] },
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (context.signal.aborted)
      makeReporter(context, command).say(`${names.join(', ')}: no longer waited for; it goes on all the same`);
    throw error;
  }
}

/** @param since name → revision of the change that is waited for. */
export function groupsAwaited(since: ReadonlyMap<string, bigint>): Waiting['things'] {
  return new Map(
    [...since].map(([name, revision]) => [
      name,
      {
        ask: (snapshot: GroupsSnapshot) => outcomeOf(viewGroup(snapshot, name), revision),
        lack: (snapshot: GroupsSnapshot) => {
          const view = viewGroup(snapshot, name);
          return view === undefined ? 'it is gone' : describeLack(view);
        },
      },
    ]),
  );
}

/**
 * Resolves when something of groups has changed in the store since `revision`; without one not before the signal.
 * @throws NshError where the store cannot be asked, and what `signal` fired with.
 */
export async function untilGroupsChange(
  client: ClusterClient,
  revision: bigint | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (revision === undefined) return await unlessAborted(signal, new Promise<never>(() => undefined));
  const store = await client.store(signal);
  try {
    await untilAnyChange(store, 'group/', revision + 1n, signal);
  } finally {
    await store.close();
  }
}

async function untilAnyChange(store: Store, prefix: string, from: bigint, signal: AbortSignal): Promise<void> {
  try {
    for await (const _batch of store.watch(prefix, from, { signal })) return;
  } catch (error) {
    if (!isCompacted(error)) throw error;
  }
}
