/** `nsh agent start|stop|status|enable|disable`: the daemons, of this machine unless nodes are named. */
import { localhost } from '../../src/cluster/own-agent.ts';
import type { CallOptions, ClusterClient } from '../../src/cluster/cluster-client.ts';
import type { NodeSpec } from '../../src/cluster/node-spec.ts';
import { nodePaths, type Environment } from '../../src/cluster/paths.ts';
import { hasShim } from '../../src/cluster/shim-file.ts';
import { toGpid } from '../../src/ids/gpid.ts';
import type { AgentStatus, Result } from '../../src/protocol/control.ts';
import { NshError } from '../../src/protocol/errors.ts';
import { defaultDeadlineMs } from '../../src/protocol/limits.ts';
import type { Command, CommandContext } from '../command.ts';
import { escapeJson, escapeLines } from '../escape.ts';
import { gather, incompleteStatus, tellFailures, type Gathered } from '../gather.ts';
import { parseOptions } from '../getopt.ts';
import { namedNodes } from '../nodeset/named-nodes.ts';
import { renderTable, type TableColumn } from '../table.ts';

/** Ending shims and their processes takes up to 10 s. */
const stopDeadlineMs = 30_000;
/** systemd and cron are asked through programs of theirs, each with a deadline of its own. */
const bootDeadlineMs = 45_000;
const verbs = 'start, stop, status, enable and disable';

export const agentCommand: Command = {
  name: 'agent',
  synopsis: [
    'start [-n NODESET]',
    'stop [--kill] [-n NODESET]',
    'status [--json] [-n NODESET]',
    'enable [-n NODESET]',
    'disable [-n NODESET]',
  ],
  summary: 'start, stop and inspect the agents; have them started at boot',
  options: [
    { short: 'n', long: 'on', argument: 'NODESET', summary: 'the nodes (default: this machine; status: all)' },
    { long: 'kill', summary: 'stop: end the shims and all that nsh runs there too' },
    { long: 'json', summary: 'status: print an array of objects' },
  ],
  async run(context, args) {
    const { options, operands } = parseOptions(agentCommand.options, args);
    const [verb, ...more] = operands;
    if (more.length > 0) throw usage(`extra operand '${more[0]}'`);
    const has = (long: string): boolean => options.some(({ option }) => option.long === long);
    for (const [option, only] of [
      ['kill', 'stop'],
      ['json', 'status'],
    ] as const) {
      if (has(option) && verb !== undefined && verb !== only) throw usage(`--${option} goes with ${only} only`);
    }
    const nodeset = options.findLast(({ option }) => option.long === 'on')?.value;
    switch (verb) {
      case 'start':
        return await startAgents(context, nodeset);
      case 'stop':
        return await stopAgents(context, nodeset, has('kill'));
      case 'status':
        return await showAgents(context, nodeset, has('json'));
      case 'enable':
      case 'disable':
        return await setBoot(context, nodeset, verb === 'enable');
      default:
        throw usage(
          verb === undefined ? `one of ${verbs} is needed` : `unknown operand '${verb}'; one of ${verbs} is needed`,
        );
    }
  },
};

function usage(why: string): NshError {
  return new NshError('usage', why);
}

async function nodesFor(
  { signal }: CommandContext,
  client: ClusterClient,
  nodeset: string | undefined,
  fallback: readonly NodeSpec[],
): Promise<readonly NodeSpec[]> {
  return nodeset === undefined ? fallback : await namedNodes(client, nodeset, signal);
}

async function startAgents(context: CommandContext, nodeset: string | undefined): Promise<number> {
  const client = await context.cluster();
  const { failures } = await gather(
    client,
    await nodesFor(context, client, nodeset, [client.self]),
    'info',
    {},
    { signal: context.signal },
  );
  return finish(context, failures);
}

async function stopAgents(context: CommandContext, nodeset: string | undefined, kill: boolean): Promise<number> {
  const client = await context.cluster();
  const nodes = await nodesFor(context, client, nodeset, [client.self]);
  const options = { signal: context.signal, deadlineMs: kill ? stopDeadlineMs : defaultDeadlineMs };
  // This machine's agent carries the others' answers, so it goes last.
  const others = await gather(
    client,
    nodes.filter((node) => node.id !== client.self.id),
    'stop',
    { kill },
    options,
  );
  const isOwnMeant = nodes.some((node) => node.id === client.self.id);
  const own = isOwnMeant ? await stopOwn(client, context.env, kill, options) : [];
  return finish(
    context,
    [...others.failures, ...own].filter(({ error }) => !isNotRunning(error)),
  );
}

/** One that does not run is not started to be stopped; unless a shim is left that only an agent can end. */
async function stopOwn(
  client: ClusterClient,
  env: Environment,
  kill: boolean,
  options: CallOptions,
): Promise<Gathered<unknown>['failures']> {
  try {
    const stop = (mayStartAgent: boolean) =>
      gather(client, [client.self], 'stop', { kill }, { ...options, mayStartAgent });
    return (await stop(kill && hasShim(nodePaths(env, client.spec.cluster, client.self.id)))).failures;
  } catch (error) {
    if (error instanceof NshError && isNotRunning(error)) return [];
    throw error;
  }
}

async function setBoot(context: CommandContext, nodeset: string | undefined, enable: boolean): Promise<number> {
  const client = await context.cluster();
  const nodes = await nodesFor(context, client, nodeset, [client.self]);
  const options = { signal: context.signal, deadlineMs: bootDeadlineMs };
  const { results, failures } = await gather(client, nodes, 'boot', { enable }, options);
  for (const { node, result } of results) {
    if (enable) context.stdout.write(`${escapeLines(`${node.name}: ${describeBoot(result)}`)}\n`);
    if (result.warning !== undefined)
      context.stderr.write(`nsh agent: ${escapeLines(`${node.name}: ${result.warning}`)}\n`);
  }
  return finish(context, failures);
}

function describeBoot({ how, unit, why }: Result<'boot'>): string {
  if (how === 'systemd') return `the agent is started at boot by systemd (user unit ${unit ?? ''})`;
  return `the agent is started at boot by cron (crontab, @reboot), not by systemd: ${why ?? ''}`;
}

async function showAgents(context: CommandContext, nodeset: string | undefined, json: boolean): Promise<number> {
  const client = await context.cluster();
  const everything =
    client.self.id === localhost.id && client.nodes[0]?.id !== localhost.id
      ? [localhost, ...client.nodes]
      : client.nodes;
  const nodes = await nodesFor(context, client, nodeset, everything);
  const gathered = await askStatus(context, client, nodes);
  const rows = nodes.map((node) => toRow(node, gathered));
  context.stdout.write(
    json
      ? `${escapeJson(JSON.stringify(rows.map(toJson), undefined, 2))}\n`
      : renderTable(rows, columns, { width: context.terminal.columns, colour: context.terminal.colour }),
  );
  return finish(
    context,
    gathered.failures.filter(({ error }) => !isNotRunning(error)),
  );
}

/** An agent that is only looked at is not started for it; without this machine's nobody can be asked about the others. */
async function askStatus(
  context: CommandContext,
  client: ClusterClient,
  nodes: readonly NodeSpec[],
): Promise<Gathered<AgentStatus>> {
  try {
    return await gather(client, nodes, 'status', {}, { signal: context.signal, mayStartAgent: false });
  } catch (error) {
    if (!(error instanceof NshError) || !isNotRunning(error)) throw error;
    const notAsked = new NshError(
      'noAgent',
      "it was not asked: the agent of this machine, which asks the others, does not run; 'nsh agent start' starts it",
    );
    const failures = nodes.map((node) => ({ node, error: node.id === client.self.id ? error : notAsked }));
    return { results: [], failures };
  }
}

function isNotRunning(error: NshError): boolean {
  return error.data?.['notRunning'] === true;
}

function finish(context: CommandContext, failures: Gathered<unknown>['failures']): number {
  tellFailures(context, 'agent', failures);
  return failures.length > 0 ? incompleteStatus : 0;
}

interface Row {
  readonly node: NodeSpec;
  readonly state: 'up' | 'stopped' | 'unreachable';
  readonly status: AgentStatus | undefined;
  readonly error: NshError | undefined;
}

function toRow(node: NodeSpec, { results, failures }: Gathered<AgentStatus>): Row {
  const result = results.find((candidate) => candidate.node.id === node.id)?.result;
  const error = failures.find((candidate) => candidate.node.id === node.id)?.error;
  const isStopped = error !== undefined && isNotRunning(error);
  return { node, state: result !== undefined ? 'up' : isStopped ? 'stopped' : 'unreachable', status: result, error };
}

const columns: readonly TableColumn<Row>[] = [
  { header: 'NODE', text: ({ node }) => node.name },
  {
    header: 'STATE',
    text: ({ state }) => state,
    style: ({ state }) => (state === 'up' ? 'green' : state === 'stopped' ? 'dim' : 'red'),
  },
  { header: 'VERSION', text: ({ status }) => status?.version ?? '-' },
  {
    header: 'PID',
    align: 'right',
    text: ({ node, status }) => (status === undefined ? '-' : String(toGpid(node.id, status.pid))),
  },
  {
    header: 'RSS',
    align: 'right',
    text: ({ status }) => (status === undefined ? '-' : `${Math.round(status.rssKb / 1024)}M`),
  },
  { header: 'SHIMS', align: 'right', text: ({ status }) => (status === undefined ? '-' : String(status.shims.length)) },
  { header: 'BOOT', text: ({ status }) => status?.boot ?? '-' },
  { header: 'NSH', align: 'right', text: ({ status }) => (status === undefined ? '-' : String(status.managed)) },
];

function toJson({ node, state, status, error }: Row): Record<string, unknown> {
  return {
    node: node.name,
    state,
    version: status?.version ?? null,
    pid: status === undefined ? null : toGpid(node.id, status.pid),
    lpid: status?.pid ?? null,
    shims: status?.shims.map(({ lpid, id, version, processes }) => ({ lpid, id, version, processes })) ?? [],
    managed: status?.managed ?? 0,
    boot: status?.boot ?? null,
    ...(error === undefined || state === 'stopped' ? {} : { error: { code: error.code, message: error.message } }),
  };
}
