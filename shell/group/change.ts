/** How every command that changes groups goes about it: decide and write, say what keeps it from coming true, wait where that is asked for. */
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import { readRecord, type RecordedNode } from '../../src/coordination/cluster-record.ts';
import { editGroups, maxGroupsAtOnce, type SeenWanted } from '../../src/coordination/groups/edit.ts';
import { readGroups, type GroupsSnapshot } from '../../src/coordination/groups/snapshot.ts';
import { viewGroup } from '../../src/coordination/groups/view.ts';
import type { GroupSpec } from '../../src/policy/supervision/spec.ts';
import { NshError } from '../../src/protocol/errors.ts';
import type { Store } from '../../src/store/store.ts';
import { firstRecord, localNodes, reportDifference } from '../cluster/record.ts';
import { nearHost } from '../cluster/who.ts';
import type { CommandContext } from '../command.ts';
import { makeReporter } from '../run/report.ts';
import { awaitThings, groupsAwaited } from './await-groups.ts';
import { findObstacle, refuseUnplaceable } from './check-place.ts';
import type { Around, Decision } from './decide.ts';

export interface GroupsChange {
  /** Of nsh, for messages. */
  readonly command: string;
  readonly names: readonly string[];
  readonly decide: (seen: SeenWanted, around: Around) => Decision;
  /** What comes of it is to be placed: see whether it can be. */
  readonly places: boolean;
  /** ms; undefined: do not wait. */
  readonly waitMs: number | undefined;
}

/** The store, what it has, and what had to be said of it. */
export interface Opened {
  readonly client: ClusterClient;
  readonly store: Store;
  readonly snapshot: GroupsSnapshot;
  /** Those of record; where there is no record yet, of the cluster file. */
  readonly nodes: readonly RecordedNode[];
}

/** @throws NshError: why there is no store to ask. */
export async function openGroups(context: CommandContext, command: string): Promise<Opened> {
  const client = await context.cluster();
  const store = await client.store(context.signal);
  const snapshot = await readGroups(store, { signal: context.signal });
  const reporter = makeReporter(context, command);
  for (const problem of snapshot.problems) reporter.say(problem);
  const differs = reportDifference(client, snapshot.record);
  if (differs !== undefined) reporter.say(differs);
  return { client, store, snapshot, nodes: snapshot.record.record?.nodes ?? localNodes(client) };
}

/** @returns the exit status. @throws NshError */
export async function changeGroups(context: CommandContext, change: GroupsChange): Promise<number> {
  const { command, names, decide, places, waitMs } = change;
  if (names.length > maxGroupsAtOnce)
    throw new NshError('usage', `${names.length} groups at once; ${maxGroupsAtOnce} is the most`);
  const opened = await openGroups(context, command);
  const { client, store, snapshot, nodes } = opened;
  const notes = new Set<string>();
  const after = await editGroups(
    store,
    names,
    (seen) => {
      notes.clear();
      return new Map(
        names.flatMap((name) => {
          const known = seen.get(name) ?? { name, revision: 0n };
          const { change: to, note } = decide(known, aroundOf(snapshot, name, known));
          if (to === undefined) {
            notes.add(note);
            return [];
          }
          if (places && to.to.rest === undefined) refuseUnplaceable(to.to.spec, nodes, snapshot);
          return [[name, to] as const];
        }),
      );
    },
    {
      by: nearHost(client),
      signal: context.signal,
      along: async () => firstRecord(client, await readRecord(store, { signal: context.signal })),
    },
  );
  const reporter = makeReporter(context, command);
  for (const note of notes) reporter.say(note);
  const specs = [...after.values()].flatMap(({ wanted, revision }) => {
    const isChanged = snapshot.wanted.get(wanted?.spec.name ?? '')?.revision !== revision;
    return wanted === undefined || wanted.rest !== undefined || !isChanged ? [] : [wanted.spec];
  });
  if (places && specs.length > 0) await rouse(context, opened, specs, command);
  if (waitMs === undefined) return 0;
  const since = new Map([...after].map(([name, { revision }]) => [name, revision]));
  return await awaitThings(context, {
    command,
    store,
    things: groupsAwaited(since),
    prefix: 'group/',
    timeoutMs: waitMs,
  });
}

function aroundOf(snapshot: GroupsSnapshot, name: string, known: SeenWanted): Around {
  const names = [...snapshot.wanted.keys()];
  const view = viewGroup(snapshot, name);
  // Another round has begun since the snapshot: what failed is over.
  const isSame = view?.wanted.round === known.wanted?.round;
  return view?.state === 'failed' && isSame ? { names, failed: view.why ?? 'it stopped' } : { names };
}

const rouseMs = 15_000;

/**
 * Agents are started on demand, and one that nobody has asked yet takes part in nothing: those are asked. Then it is said what
 * keeps a group from being placed for now.
 */
async function rouse(
  context: CommandContext,
  { client, store, snapshot, nodes }: Opened,
  specs: readonly GroupSpec[],
  command: string,
): Promise<void> {
  const obstacles = (now: GroupsSnapshot): string[] => specs.flatMap((spec) => findObstacle(spec, nodes, now) ?? []);
  // Where no group was wanted before, those that take part may just be leaving.
  const mayLeave = snapshot.wanted.size === 0;
  const isThere = (id: number): boolean => !mayLeave && snapshot.present.has(id);
  if (obstacles(snapshot).length === 0 && nodes.every(({ id }) => isThere(id))) return;
  const reporter = makeReporter(context, command);
  const recorded = new Set(nodes.map(({ id }) => id));
  const absent = client.nodes.filter(({ id }) => recorded.has(id) && !isThere(id));
  const options = { signal: context.signal, deadlineMs: rouseMs };
  let failed = 0;
  for await (const { node, error, result } of client.fanout(absent, 'supervise', {}, options)) {
    const problem = error?.message ?? result?.problem ?? undefined;
    if (problem === undefined) continue;
    failed++;
    reporter.say(problem.startsWith(`${node.name}:`) ? problem : `${node.name}: ${problem}`);
  }
  // Those that were spoken with come a moment later: what the leader then says of it is its status.
  if (failed === 0) return;
  for (const text of obstacles(await readGroups(store, { signal: context.signal })))
    reporter.say(`${text}: it is placed as soon as that changes`);
}
