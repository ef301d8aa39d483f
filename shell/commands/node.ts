/** `nsh node`: drains nodes of the groups that run there, and gives them back. */
import { groupsNamed, resolveNodes } from '../../src/cluster/file/resolve-nodes.ts';
import type { NodeSpec } from '../../src/cluster/node-spec.ts';
import type { GroupsSnapshot } from '../../src/coordination/groups/snapshot.ts';
import { whereGroupsRun } from '../../src/coordination/groups/where.ts';
import { setDrained } from '../../src/coordination/groups/drain.ts';
import { nodeId } from '../../src/ids/gpid.ts';
import { quoteText } from '../../src/ids/quote-text.ts';
import { replicaName } from '../../src/policy/supervision/identity.ts';
import { NshError } from '../../src/protocol/errors.ts';
import { nearHost } from '../cluster/who.ts';
import type { Command, OptionSpec } from '../command.ts';
import { parseOptions } from '../getopt.ts';
import { awaitThings, onceWritten, readWait, waitOption } from '../group/await-groups.ts';
import { openGroups } from '../group/change.ts';
import { makeReporter } from '../run/report.ts';

const options: readonly OptionSpec[] = [waitOption];
const verbs = ['drain', 'undrain'];

export const nodeCommand: Command = {
  name: 'node',
  synopsis: ['drain [--wait] NODESET', 'undrain NODESET'],
  summary: 'drain nodes of the groups that run there',
  options,
  details: [
    'Replicas of groups leave a drained node for others, one at a time, and none comes there until undrain. What was started with ' +
      "'nsh run' stays. With --wait, drain is over when no replica is left.",
  ],
  run: async (context, args) => {
    const parsed = parseOptions(options, args);
    const [verb = '', nodeset, ...more] = parsed.operands;
    if (!verbs.includes(verb)) {
      const what = verb === '' ? 'it is not said what to do' : `${quoteText(verb)} cannot be done`;
      throw new NshError('usage', `${what}: drain or undrain`);
    }
    if (nodeset === undefined) throw new NshError('usage', `${verb}: no node is named`);
    if (more.length > 0) throw new NshError('usage', `${verb}: an operand too many: write web1,web2`);
    const waitMs = readWait(parsed.options);
    if (verb === 'undrain' && waitMs !== undefined) throw new NshError('usage', 'undrain does not take --wait');
    const { client, store, snapshot, nodes } = await openGroups(context, 'node');
    const known = nodes.map((node): NodeSpec => ({ ...node, id: nodeId(node.id) }));
    const groups = groupsNamed(nodeset, known);
    const picked = resolveNodes(nodeset, {
      nodes: known,
      ...(groups.length === 0 ? {} : { groups: whereGroupsRun(snapshot, groups) }),
    });
    const drained = verb === 'drain' ? { atMs: Date.now(), by: nearHost(client) } : undefined;
    const ids = picked.map(({ id }) => id);
    const reporter = makeReporter(context, 'node');
    for (const { id, name } of picked)
      if (snapshot.drained.has(id) === (drained !== undefined))
        reporter.say(`${name} is ${drained === undefined ? 'not drained' : 'drained already'}`);
    await setDrained(store, ids, drained, context.signal);
    if (waitMs === undefined) return 0;
    const things = new Map(
      picked.map(({ id, name }) => [
        name,
        {
          ask: (now: GroupsSnapshot) => (leftOn(now, id).length === 0 ? ({ isDone: true } as const) : undefined),
          lack: (now: GroupsSnapshot) => `still there: ${leftOn(now, id).join(', ')}${whyNot(now, id)}`,
        },
      ]),
    );
    const waiting = { command: 'node', store, things, prefix: 'group/', timeoutMs: waitMs };
    return await onceWritten(context, { command: 'node', names: [...things.keys()] }, () =>
      awaitThings(context, waiting),
    );
  },
};

/** Names of the replicas that a node has been ordered to run, or says that it has. */
export function leftOn({ orders, reports }: GroupsSnapshot, node: number): string[] {
  const ordered = orders
    .filter((each) => each.node === node)
    .flatMap(({ what }) => what.slots.map(({ slot }) => replicaName({ group: what.group, slot })));
  const reported = reports
    .filter((each) => each.node === node)
    .flatMap(({ what }) =>
      what.replicas
        .filter(({ phase }) => phase !== 'down' && phase !== 'ended' && phase !== 'held')
        .map(({ slot }) => replicaName({ group: what.group, slot })),
    );
  return [...new Set([...ordered, ...reported])].sort();
}

function whyNot({ statuses, present }: GroupsSnapshot, node: number): string {
  if (present.size === 0) return '; no agent takes part, so that nothing moves';
  if (!present.has(node)) return '; its agent does not take part';
  const waits = [...statuses.values()].flatMap((status) => [...status.waits.values()]);
  return waits.length === 0 ? '' : `; ${waits.slice(0, 3).join('; ')}`;
}
