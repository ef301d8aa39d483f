/** `nsh store status`: which coordination store the cluster has, how it is, and which nodes cannot use it. */
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import type { NodeSpec } from '../../src/cluster/node-spec.ts';
import { storeNode, storeOf } from '../../src/cluster/store-spec.ts';
import { readRecord, type SeenRecord } from '../../src/coordination/cluster-record.ts';
import { NshError, toNshError } from '../../src/protocol/errors.ts';
import type { StoreStatus } from '../../src/store/store.ts';
import type { Command, CommandContext } from '../command.ts';
import { escapeJson } from '../escape.ts';
import { gather, incompleteStatus } from '../gather.ts';
import { parseOptions } from '../getopt.ts';
import { reportDifference } from '../cluster/record.ts';
import { namedNodes } from '../nodeset/named-nodes.ts';
import { makeReporter } from '../run/report.ts';
import { renderStatus, statusToJson, type StoreReport } from '../store/render-status.ts';

/** A node may have to log in to that of the store, and to start its agent. */
const reachDeadlineMs = 30_000;

export const storeCommand: Command = {
  name: 'store',
  synopsis: ['status [--json] [-n NODESET]'],
  summary: 'show the coordination store and who can use it',
  options: [
    { short: 'n', long: 'on', argument: 'NODESET', summary: 'the nodes to ask whether they can use it (default: all)' },
    { long: 'json', summary: 'print an object' },
  ],
  details: [
    "Which store it is stands in the cluster file: 'man nsh-cluster'. " +
      'Exits with 3 where it is not well or a node cannot use it, and with 255 where it cannot be asked.',
  ],
  async run(context, args) {
    const { options, operands } = parseOptions(storeCommand.options, args);
    const [verb, ...more] = operands;
    if (verb !== 'status' || more.length > 0) throw new NshError('usage', explainOperands(operands));
    const client = await context.cluster();
    const nodeset = options.findLast(({ option }) => option.long === 'on')?.value;
    const nodes = nodeset === undefined ? client.nodes : await namedNodes(client, nodeset, context.signal);
    const { seen, ...report } = await findOut(context, client, nodes);
    context.stdout.write(
      options.some(({ option }) => option.long === 'json')
        ? `${escapeJson(JSON.stringify(statusToJson(report), undefined, 2))}\n`
        : renderStatus(report, { width: context.terminal.columns, colour: context.terminal.colour }),
    );
    const differs = seen === undefined ? undefined : reportDifference(client, seen);
    if (differs !== undefined) makeReporter(context, 'store').say(differs);
    if (report.failure !== undefined) return report.failure.exitStatus;
    return report.status?.health === 'ok' && report.unable.length === 0 ? 0 : incompleteStatus;
  },
};

function explainOperands([verb, operand]: readonly string[]): string {
  if (verb === undefined) return 'status is needed';
  return verb === 'status' ? `extra operand '${operand}'` : `unknown operand '${verb}'`;
}

async function findOut(
  context: CommandContext,
  client: ClusterClient,
  nodes: readonly NodeSpec[],
): Promise<StoreReport & { readonly seen?: SeenRecord }> {
  // Without a cluster file this machine is the cluster, and has its store to itself.
  const spec = { ...client.spec, nodes: client.nodes };
  const store = storeOf(spec);
  const holder = storeNode(spec);
  const [asked, unable] = await Promise.all([
    ask(context, client),
    holder === undefined ? [] : findUnable(context, client, nodes, holder),
  ]);
  return { store, ...asked, unable, ...(holder === undefined ? {} : { holder, asked: nodes }) };
}

async function ask(
  context: CommandContext,
  client: ClusterClient,
): Promise<{ readonly status: StoreStatus; readonly seen?: SeenRecord } | { readonly failure: NshError }> {
  try {
    const store = await client.store(context.signal);
    const status = await store.status({ signal: context.signal });
    // Of a store that is down it is not known, and one that cannot be read is `nsh cluster`'s to tell.
    const record = status.health === 'down' ? undefined : readRecord(store, { signal: context.signal });
    const seen = await record?.catch(() => undefined);
    await store.close();
    return { status, ...(seen === undefined ? {} : { seen }) };
  } catch (error) {
    if (context.signal.aborted) throw error;
    return { failure: toNshError(error) };
  }
}

/** Those that cannot log in to the node of the embedded store. */
async function findUnable(
  context: CommandContext,
  client: ClusterClient,
  nodes: readonly NodeSpec[],
  holder: NodeSpec,
): Promise<StoreReport['unable']> {
  const others = nodes.filter(({ id }) => id !== holder.id);
  if (others.length === 0) return [];
  const { id, name, host, port, user, transport } = holder;
  const way = Object.entries({ host, port, user, transport }).filter(([, value]) => value !== undefined);
  const { failures } = await gather(
    client,
    others,
    'store.reach',
    { id, name, agentCommand: client.spec.agentCommand, ...Object.fromEntries(way) },
    { signal: context.signal, deadlineMs: reachDeadlineMs },
  );
  return failures;
}
