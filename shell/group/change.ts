/** How every command that changes groups goes about it: decide and write, say what keeps it from coming true, wait where that is asked for. */
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import { readRecord, type RecordedNode } from '../../src/coordination/cluster-record.ts';
import { editGroups, maxGroupsAtOnce, type SeenWanted, type WantedChange } from '../../src/coordination/groups/edit.ts';
import { readGroups, type GroupsSnapshot } from '../../src/coordination/groups/snapshot.ts';
import { viewGroup } from '../../src/coordination/groups/view.ts';
import type { GroupSpec } from '../../src/policy/supervision/spec.ts';
import { NshError } from '../../src/protocol/errors.ts';
import type { Store } from '../../src/store/store.ts';
import { firstRecord, localNodes, reportDifference } from '../cluster/record.ts';
import { nearHost } from '../cluster/who.ts';
import type { CommandContext } from '../command.ts';
import { makeReporter } from '../run/report.ts';
import { awaitThings, groupsAwaited, onceWritten } from './await-groups.ts';
import { findObstacle, refuseUnplaceable } from './check-place.ts';
import type { Around, Decision } from './decide.ts';

export interface GroupsChange {
  /** Of nsh, for messages. */
  readonly command: string;
  readonly names: readonly string[];
  readonly decide: (seen: SeenWanted, around: Around) => Decision;
  /** What comes of it is to be placed: see whether it can be. */
  readonly places: boolean;
  /** It makes a group, or begins another round of one. */
  readonly isStart?: true;
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
  const reporter = makeReporter(context, command);
  const store = await client.store(context.signal, (note) => reporter.say(note));
  const snapshot = await readGroups(store, { signal: context.signal });
  for (const problem of snapshot.problems) reporter.say(problem);
  const differs = reportDifference(client, snapshot.record);
  if (differs !== undefined) reporter.say(differs);
  return { client, store, snapshot, nodes: snapshot.record.record?.nodes ?? localNodes(client) };
}

/** @returns the exit status. @throws NshError */
export async function changeGroups(context: CommandContext, change: GroupsChange): Promise<number> {
  const { command, names, places, isStart = false, waitMs } = change;
  if (names.length > maxGroupsAtOnce)
    throw new NshError('usage', `${names.length} groups at once; ${maxGroupsAtOnce} is the most`);
  const opened = await openGroups(context, command);
  const { client, store, snapshot } = opened;
  const known = new Map(names.map((name) => [name, { name, revision: 0n, ...snapshot.wanted.get(name) }]));
  const foreseen = decideAll(known, change, opened, []);
  const specs = [...foreseen.values()].flatMap(({ to }) => (to.rest === undefined ? [to.spec] : []));
  // Without any agent nobody would carry out an end, either.
  const asksAll = isStart || snapshot.present.size === 0;
  const asks = foreseen.size > 0 && (places || asksAll);
  const rousing = async (): Promise<Roused | undefined> =>
    asks ? await rouse(context, opened, { command, asksAll, specs }) : undefined;
  // Where no group is wanted no agent stays, however often it is asked: a first one is written before, and the leader waits for them.
  const isFirst = specs.length > 0 && snapshot.wanted.size === 0;
  const before = isFirst ? undefined : await rousing();
  const notes: string[] = [];
  const after = await editGroups(store, names, (seen) => decideAll(seen, change, opened, notes), {
    by: nearHost(client),
    signal: context.signal,
    along: async () => firstRecord(client, await readRecord(store, { signal: context.signal })),
  });
  const reporter = makeReporter(context, command);
  for (const note of [...notes, ...(isStart ? sharedNames(names, opened) : [])]) reporter.say(note);
  return await onceWritten(context, { command, names }, async () => {
    const roused = isFirst ? await rousing() : before;
    await roused?.all;
    if (waitMs === undefined) return 0;
    const since = new Map([...after].map(([name, { revision }]) => [name, revision]));
    const things = groupsAwaited(since);
    return await awaitThings(context, { command, store, things, prefix: 'group/', timeoutMs: waitMs });
  });
}

/** New ones that are called as a label is: behind `@` that comes first. */
function sharedNames(names: readonly string[], { snapshot, nodes }: Opened): string[] {
  const labels = new Set(nodes.flatMap((node) => node.labels));
  return names
    .filter((name) => labels.has(name) && !snapshot.wanted.has(name))
    .map((name) => `${name} is a label, too: @@${name} are the nodes that have it, @@group:${name} those of the group`);
}

/** @param notes is filled with what is so already. @throws NshError: why not. */
function decideAll(
  seen: ReadonlyMap<string, SeenWanted>,
  { names, decide, places }: GroupsChange,
  { snapshot, nodes }: Opened,
  notes: string[],
): Map<string, WantedChange> {
  notes.length = 0;
  return new Map(
    names.flatMap((name) => {
      const known = seen.get(name) ?? { name, revision: 0n };
      const { change: to, note } = decide(known, aroundOf(snapshot, name, known));
      if (to === undefined) {
        notes.push(note);
        return [];
      }
      if (places && to.to.rest === undefined) refuseUnplaceable(to.to.spec, nodes, snapshot);
      return [[name, to] as const];
    }),
  );
}

function aroundOf(snapshot: GroupsSnapshot, name: string, known: SeenWanted): Around {
  const names = [...snapshot.wanted.keys()];
  const view = viewGroup(snapshot, name);
  // Another round has begun since the snapshot: what failed is over.
  const isSame = view?.wanted.round === known.wanted?.round;
  return view?.state === 'failed' && isSame ? { names, failed: view.why ?? 'it stopped' } : { names };
}

/** Beyond what an agent itself takes until others see it (10 s). */
const rouseMs = 15_000;
/** Nodes that have not answered by then are not waited for: what is written is placed on those that have. */
const patienceMs = 5_000;

interface Roused {
  /** All have answered, or failed, and what there is to say has been said. */
  readonly all: Promise<void>;
}

/**
 * Agents take part from when they are asked to, until no group is wanted any more: whoever wants one asks them, all for a group that is new
 * and else those who do not; and, but for a first one, before it is written, since what has a place stays there when further nodes come.
 */
async function rouse(context: CommandContext, opened: Opened, asking: Asking): Promise<Roused> {
  const all = askAgents(context, opened, asking);
  // Its failure is that of whoever awaits it.
  all.catch(() => undefined);
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, patienceMs);
  });
  await Promise.race([all, enough]);
  clearTimeout(timer);
  return { all };
}

interface Asking {
  readonly command: string;
  readonly asksAll: boolean;
  /** Of the groups that are to be placed. */
  readonly specs: readonly GroupSpec[];
}

/** Then it is said what keeps the groups from being placed for now. */
async function askAgents(
  context: CommandContext,
  { client, store, snapshot, nodes }: Opened,
  { command, asksAll, specs }: Asking,
): Promise<void> {
  const reporter = makeReporter(context, command);
  const recorded = new Set(nodes.map(({ id }) => id));
  const asked = client.nodes.filter(({ id }) => recorded.has(id) && (asksAll || !snapshot.present.has(id)));
  const options = { signal: context.signal, deadlineMs: rouseMs };
  for await (const { node, result, error } of client.fanout(asked, 'supervise', {}, options)) {
    const problem = error?.message ?? result?.problem ?? undefined;
    if (problem === undefined) continue;
    const told = problem.startsWith(`${node.name}:`) ? problem : `${node.name}: ${problem}`;
    reporter.say(`${told}: it takes part in no group until that is mended`);
  }
  // What they have told of themselves by now was not known when it was decided.
  if (asked.length === 0) return;
  const now = await readGroups(store, { signal: context.signal });
  for (const spec of specs) {
    const obstacle = findObstacle(spec, nodes, now);
    if (obstacle !== undefined) reporter.say(`${obstacle}: it is placed as soon as that changes`);
  }
}
