/** `nsh nodes`: every node of the cluster, reached or not, and how it is. */
import type { NodeSpec } from '../../src/cluster/node-spec.ts';
import type { NodeInfo, NodeStatus } from '../../src/protocol/control.ts';
import { toNshError, type NshError } from '../../src/protocol/errors.ts';
import type { Command } from '../command.ts';
import { escapeJson } from '../escape.ts';
import { gather, incompleteStatus, tellFailures } from '../gather.ts';
import { parseOptions } from '../getopt.ts';
import { namedNodes } from '../nodeset/named-nodes.ts';
import { renderTable, type TableColumn } from '../table.ts';

interface Row {
  readonly node: NodeSpec;
  readonly state: 'up' | 'down';
  readonly address: string | undefined;
  readonly info: NodeInfo | undefined;
  readonly error: NshError | undefined;
}

export const nodesCommand: Command = {
  name: 'nodes',
  synopsis: ['[--json] [NODESET…]'],
  summary: 'show the nodes of the cluster and how they are',
  options: [
    { long: 'json', summary: 'print an array of objects' },
    { long: 'no-headers', summary: 'print no heading' },
  ],
  details: [
    "Nodesets: web1,db1 web[1-8] web* @LABEL @GROUP @all. Which nodes there are stands in the cluster file: 'man nsh-cluster'.",
  ],
  async run(context, args) {
    const { options, operands } = parseOptions(nodesCommand.options, args);
    const chosen = new Set(options.map(({ option }) => option.long));
    const client = await context.cluster();
    const { signal } = context;
    const nodes = operands.length === 0 ? client.nodes : await namedNodes(client, operands.join(','), signal);
    const { results, failures } = await gather(client, nodes, 'info', {}, { signal });
    // An agent that has gone since leaves the addresses out, not the answers.
    const statuses = await client.status().catch((error: unknown): readonly NodeStatus[] => {
      if (toNshError(error).code === 'linkLost' || results.length > 0) return [];
      throw error;
    });
    const addresses = new Map<number, NodeStatus>(statuses.map((status) => [status.id, status]));
    const infos = new Map(results.map(({ node, result }) => [node.id, result]));
    const errors = new Map(failures.map(({ node, error }) => [node.id, error]));
    const rows = nodes.map((node) =>
      toRow(node, client.self.id === node.id, addresses.get(node.id), infos.get(node.id), errors.get(node.id)),
    );
    const text = chosen.has('json')
      ? `${escapeJson(JSON.stringify(rows.map(toJson), undefined, 2))}\n`
      : renderTable(rows, columns, {
          width: context.terminal.columns,
          colour: context.terminal.colour,
          heading: !chosen.has('no-headers'),
        });
    context.stdout.write(text);
    tellFailures(context, 'nodes', failures);
    return failures.length > 0 ? incompleteStatus : 0;
  },
};

function toRow(
  node: NodeSpec,
  isSelf: boolean,
  status: NodeStatus | undefined,
  info: NodeInfo | undefined,
  error: NshError | undefined,
): Row {
  const address = isSelf ? 'this machine' : status?.address;
  return { node, info, error, address, state: info === undefined ? 'down' : 'up' };
}

const columns: readonly TableColumn<Row>[] = [
  { header: 'ID', align: 'right', text: ({ node }) => String(node.id) },
  { header: 'NODE', text: ({ node }) => node.name },
  { header: 'STATE', text: ({ state }) => state, style: ({ state }) => (state === 'up' ? 'green' : 'red') },
  { header: 'CPUS', align: 'right', text: ({ info }) => number(info?.cpus) },
  { header: 'LOAD', align: 'right', text: ({ info }) => info?.load1.toFixed(2) ?? '-' },
  { header: 'MEM', align: 'right', text: ({ info }) => (info === undefined ? '-' : gibibytes(info.memTotalKb)) },
  { header: 'FREE', align: 'right', text: ({ info }) => (info === undefined ? '-' : gibibytes(info.memAvailableKb)) },
  { header: 'PROCS', align: 'right', text: ({ info }) => number(info?.processes) },
  { header: 'NSH', align: 'right', text: ({ info }) => number(info?.managed) },
  { header: 'UP', align: 'right', text: ({ info }) => (info === undefined ? '-' : duration(info.uptimeSeconds)) },
  { header: 'ADDRESS', text: ({ address, node }) => address ?? node.host ?? node.name },
  { header: 'LABELS', text: ({ node }) => node.labels.join(',') },
];

function number(value: number | undefined): string {
  return value === undefined ? '-' : String(value);
}

function gibibytes(kb: number): string {
  return `${(kb / 1024 / 1024).toFixed(1)}G`;
}

/** The two largest units: `12d4h`, `3h05m`, `59s`. */
function duration(seconds: number): string {
  const s = Math.floor(seconds);
  if (s >= 86_400) return `${Math.floor(s / 86_400)}d${Math.floor((s % 86_400) / 3600)}h`;
  if (s >= 3600) return `${Math.floor(s / 3600)}h${String(Math.floor((s % 3600) / 60)).padStart(2, '0')}m`;
  return s >= 60 ? `${Math.floor(s / 60)}m${String(s % 60).padStart(2, '0')}s` : `${s}s`;
}

function toJson({ node, state, address, info, error }: Row): Record<string, unknown> {
  return {
    id: node.id,
    node: node.name,
    state,
    address: address ?? null,
    labels: node.labels,
    ...(error === undefined ? {} : { error: { code: error.code, message: error.message } }),
    ...info,
  };
}
