/** Where groups and replicas run, by their names: `web`, `web/2`. Pure. */
import { parseReplicaName } from '../../policy/supervision/identity.ts';
import type { GroupsSnapshot } from './snapshot.ts';
import { viewGroup, type ReplicaView } from './view.ts';

/** Nothing of it is there: it has ended for good, was never started, or its node is lost. */
const gone: ReadonlySet<ReplicaView['phase']> = new Set(['down', 'ended', 'lost', 'unplaced']);

/** @returns undefined where there is no such group, or none with that slot. One that moves is there twice. */
export function findReplicas(snapshot: GroupsSnapshot, name: string): readonly ReplicaView[] | undefined {
  const replica = parseReplicaName(name);
  const view = viewGroup(snapshot, replica?.group ?? name);
  if (view === undefined || replica === undefined) return view?.replicas;
  const found = view.replicas.filter(({ slot }) => slot === replica.slot);
  const isOne = found.length > 0 || replica.slot <= view.wanted.spec.replicas;
  return isOne ? found : undefined;
}

/** Ids of the nodes that run a group or a replica, or are about to, each once. */
export function nodesRunning(snapshot: GroupsSnapshot, name: string): readonly number[] | undefined {
  const there = findReplicas(snapshot, name)?.filter(({ phase }) => !gone.has(phase));
  if (there === undefined) return undefined;
  return [...new Set(there.flatMap(({ node }) => node ?? []))].sort((a, b) => a - b);
}

/** Each name with the nodes that run it. */
export function whereGroupsRun(
  snapshot: GroupsSnapshot,
  names: readonly string[],
): Map<string, readonly number[] | undefined> {
  const asked = names.map((name) => [name, nodesRunning(snapshot, name)] as const);
  // Those that there are help whoever has mistyped one.
  const others = asked.every(([, nodes]) => nodes !== undefined) ? [] : [...snapshot.wanted.keys()];
  return new Map([...others.map((name) => [name, [] as readonly number[]] as const), ...asked]);
}
