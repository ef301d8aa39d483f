/** Whether a group can be placed at all on the nodes of record: what no node could ever run is refused before it is written. Pure. */
import { resolveNodes } from '../../src/cluster/file/resolve-nodes.ts';
import { nodeId } from '../../src/ids/gpid.ts';
import type { RecordedNode } from '../../src/coordination/cluster-record.ts';
import type { GroupsSnapshot } from '../../src/coordination/groups/snapshot.ts';
import { placeGroups, type PlaceableNode } from '../../src/policy/placement/place.ts';
import { parseReplicaName } from '../../src/policy/supervision/identity.ts';
import type { GroupSpec } from '../../src/policy/supervision/spec.ts';
import { NshError } from '../../src/protocol/errors.ts';

/** As if it were alone in the cluster, all nodes were up, none was drained, and nothing used their memory. */
function checkEver(spec: GroupSpec, nodes: readonly RecordedNode[], { present }: GroupsSnapshot): string | undefined {
  const empty = nodes.map((node): PlaceableNode => {
    // Of a node that nobody has heard of it is not known how much it has.
    const bytes = present.get(node.id)?.memTotalBytes ?? Number.MAX_SAFE_INTEGER;
    return { ...node, isAlive: true, isDrained: false, memTotalBytes: bytes, memAvailableBytes: bytes };
  });
  return firstOf(placeGroups({ groups: [spec], nodes: empty, current: new Map() }).unplaced);
}

/** @throws NshError `unplaceable`: why, and what to do. */
export function refuseUnplaceable(spec: GroupSpec, nodes: readonly RecordedNode[], snapshot: GroupsSnapshot): void {
  const why = checkEver(spec, nodes, snapshot);
  if (why === undefined) return;
  const unknown = spec.on === undefined ? undefined : explainUnknown(spec.on, nodes);
  const told = spec.on === undefined || unknown !== undefined ? '' : ` Its nodes are --on ${spec.on};`;
  throw new NshError(
    'unplaceable',
    `no node could run all of ${spec.name}: ${unknown ?? why}.${told} 'nsh cluster show' lists the nodes and labels that count; ask for less, or for other nodes`,
    { data: { group: spec.name, why } },
  );
}

/** Near names say more than that no node is among them. */
function explainUnknown(on: string, nodes: readonly RecordedNode[]): string | undefined {
  try {
    resolveNodes(on, { nodes: nodes.map((node) => ({ ...node, id: nodeId(node.id) })) });
    return undefined;
  } catch (error) {
    return error instanceof NshError
      ? `--on ${on}: ${error.message.replace(/^nodeset '.*', column \d+: /, '')}`
      : undefined;
  }
}

/** What keeps it from being placed whole for now, beside the other groups: for a warning. */
export function findObstacle(
  spec: GroupSpec,
  nodes: readonly RecordedNode[],
  { present, drained, wanted, orders }: GroupsSnapshot,
): string | undefined {
  const known = nodes.map((node): PlaceableNode => {
    const told = present.get(node.id);
    return {
      ...node,
      isAlive: told !== undefined,
      isDrained: drained.has(node.id),
      memTotalBytes: told?.memTotalBytes ?? 0,
      memAvailableBytes: told?.memAvailableBytes ?? 0,
    };
  });
  const others = [...wanted.values()]
    .filter(({ wanted: each }) => each.rest === undefined && each.spec.name !== spec.name)
    .map((each) => each.wanted.spec);
  const current = new Map(
    orders.flatMap(({ node, what }) => what.slots.map(({ slot }): [string, number] => [`${what.group}/${slot}`, node])),
  );
  const { unplaced } = placeGroups({ groups: [...others, spec], nodes: known, current });
  return firstOf(new Map([...unplaced].filter(([name]) => parseReplicaName(name)?.group === spec.name)));
}

function firstOf(unplaced: ReadonlyMap<string, string>): string | undefined {
  const [first] = unplaced;
  return first === undefined ? undefined : `${first[0]}: ${first[1]}`;
}
