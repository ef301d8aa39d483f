/** `nsh ps`: processes of the whole cluster, in procps's options and formats. */
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import { everyNode } from '../../src/cluster/every-node.ts';
import type { NodeSpec } from '../../src/cluster/node-spec.ts';
import { splitGpid } from '../../src/ids/gpid.ts';
import type { ProcessNameContext } from '../../src/ids/process-name.ts';
import type { PsParams } from '../../src/protocol/control.ts';
import { NshError } from '../../src/protocol/errors.ts';
import { programVersion } from '../../src/protocol/version.ts';
import type { Command, CommandContext } from '../command.ts';
import { escapeLines } from '../escape.ts';
import { attachClaims } from '../ps/attach-claims.ts';
import { findCaller, knowsUser } from '../ps/caller.ts';
import { incompleteStatus } from '../gather.ts';
import { collectTables, knownNodes, nodesOn } from '../ps/collect.ts';
import { allColumns } from '../ps/columns/index.ts';
import { forestRows } from '../ps/forest.ts';
import { renderJson } from '../ps/json.ts';
import { needsClaims, needsFresh, rawNeeds } from '../ps/needs.ts';
import { parsePsArgs } from '../ps/parse/index.ts';
import { personalityOf } from '../ps/parse/personality.ts';
import { pidDigits } from '../ps/pid-digits.ts';
import type { PsQuery } from '../ps/query.ts';
import { renderRows, viewOf, type RenderOptions } from '../ps/render.ts';
import { tableRows, type Row } from '../ps/row.ts';
import { onlyManaged, onlyPids, selectRows } from '../ps/select.ts';
import { sortRows } from '../ps/sort.ts';
import { isFirstThread, withThreads } from '../ps/threads.ts';
import { helpHint } from '../usage.ts';

export const psCommand: Command = {
  name: 'ps',
  synopsis: ['[UNIX, BSD and GNU options as procps] [--on NODESET] [--ended] [--json]'],
  summary: 'show processes of the whole cluster',
  options: [
    { short: 'e', summary: 'every process of every node; also -A and ax' },
    { short: 'a', summary: 'every process that nsh runs; without option: those of this terminal or session' },
    { short: 'f', summary: 'full format; also -F, -l, -j, -y, -c, -M, and BSD u, l, j, s, v' },
    { short: 'o', long: 'format', argument: 'LIST', summary: 'show these columns: pid,node,user:12,args=WHAT' },
    { short: 'O', argument: 'LIST', summary: 'show these columns within the default ones' },
    { short: 'p', long: 'pid', argument: 'LIST', summary: 'by PID: 30004711, 3.4711, web1.4711' },
    { long: 'ppid', argument: 'LIST', summary: 'by parent' },
    { short: 's', long: 'sid', argument: 'LIST', summary: 'by session' },
    { short: 'g', long: 'group', argument: 'LIST', summary: 'by session or effective group' },
    { short: 'u', long: 'user', argument: 'LIST', summary: 'by effective user; -U, --User: real user' },
    { short: 'G', long: 'Group', argument: 'LIST', summary: 'by real group' },
    { short: 'C', argument: 'LIST', summary: 'by name of the command' },
    { short: 't', long: 'tty', argument: 'LIST', summary: 'by terminal' },
    { short: 'N', long: 'deselect', summary: 'all but these' },
    { long: 'sort', argument: 'KEYS', summary: 'in this order: -rss,+pid' },
    { long: 'forest', summary: 'as a tree, across nodes; -H indents only' },
    {
      short: 'L',
      summary: 'threads, with their number; -T as SPID, -m below their process, H as if they were processes',
    },
    { short: 'w', summary: 'wide; twice: nothing is cut' },
    { long: 'cols', argument: 'N', summary: 'cut at N columns' },
    { long: 'no-headers', summary: 'without heading; --headers repeats it' },
    { long: 'on', argument: 'NODESET', summary: 'only these nodes' },
    { long: 'ended', summary: 'ended processes that nsh ran too, with their exit status' },
    { long: 'json', summary: 'as JSON' },
  ],
  details: [
    "All options of ps(1) are understood, in its three syntaxes: aux, -ef, -eo pid,args --sort=-rss. 'man nsh' tells of them and of the columns.",
  ],
  run: runPs,
};

async function runPs(context: CommandContext, args: readonly string[]): Promise<number> {
  if (args.includes('--help')) return await printHelp(context);
  const query = parse(context, args);
  if (query === undefined) return 1;
  if (query.version) return printVersion(context);
  if (query.listColumns) return listColumns(context);
  for (const warning of query.warnings) context.stderr.write(`nsh ps: warning: ${escapeLines(warning)}\n`);
  const cluster = await context.cluster();
  const names: ProcessNameContext = { current: cluster.self.id, nodes: knownNodes(cluster) };
  const pids = onlyPids(query.selection, names);
  const nodes = await chooseNodes(cluster, query, pids, context.signal);
  const { tables, incomplete } = await collectTables(context, 'ps', nodes, psParams(query, pids));
  const all = tables.flatMap(tableRows);
  const isTold = !needsClaims(query) || (await attachClaims(context, all));
  const candidates = query.threads === 'below' ? all.filter(isFirstThread) : all;
  const selected = selectRows(candidates, query.selection, findCaller(cluster.self), names);
  const arranged = arrange(selected, query, pids);
  const rows = query.threads === 'below' ? withThreads(arranged, all) : arranged;
  context.stdout.write(
    query.json ? renderJson(rows, query) : renderRows(rows, query, renderOptions(context, query, nodes)),
  );
  if (incomplete || !isTold) return incompleteStatus;
  return rows.length === 0 ? 1 : 0;
}

/** Undefined, with a message, where the line is wrong: procps's ps exits 1 then. */
function parse({ env, stderr }: CommandContext, args: readonly string[]): PsQuery | undefined {
  try {
    const psFormat = env['PS_FORMAT'] === '' ? undefined : env['PS_FORMAT'];
    const hideKernel = env['LIBPROC_HIDE_KERNEL'] !== undefined;
    return parsePsArgs(args, { psFormat, knowsUser, hideKernel, personality: personalityOf(env) });
  } catch (error) {
    if (!(error instanceof NshError) || error.code !== 'usage') throw error;
    stderr.write(`nsh ps: error: ${escapeLines(error.message)}\n${helpHint('ps')}\n`);
    return undefined;
  }
}

async function chooseNodes(
  cluster: ClusterClient,
  query: PsQuery,
  pids: readonly number[] | undefined,
  signal: AbortSignal,
): Promise<readonly NodeSpec[]> {
  if (query.on !== undefined) return await nodesOn(cluster, query.on, signal);
  const known = knownNodes(cluster);
  if (pids !== undefined) {
    const wanted = new Set<number | undefined>(pids.map((pid) => splitGpid(pid)?.node));
    return known.filter((node) => wanted.has(node.id));
  }
  // What nsh runs may run on this machine though it is in no cluster file.
  const { selection } = query;
  return selection.scopes.has('session') || onlyManaged(selection) ? known : everyNode(cluster);
}

function psParams(query: PsQuery, pids: readonly number[] | undefined): PsParams {
  return {
    columns: rawNeeds(query),
    select: onlyManaged(query.selection) ? 'managed' : 'all',
    ...(query.ended ? { ended: true } : {}),
    ...(needsFresh(query) ? { fresh: true } : {}),
    ...(query.threads === 'none' ? {} : { threads: true }),
    ...(pids === undefined ? {} : { pids: pids.flatMap((pid) => splitGpid(pid)?.pid ?? []) }),
  };
}

function arrange(rows: readonly Row[], query: PsQuery, pids: readonly number[] | undefined): Row[] {
  const view = { ...viewOf(query), wideSignals: true };
  if (query.forest !== 'none') return forestRows(rows, query.sort, view, query.forest);
  const quick = query.selection.lists.some(({ kind }) => kind === 'quickPid');
  if (!quick || pids === undefined) return sortRows(rows, query.sort, view);
  return [...rows].sort((a, b) => pids.indexOf(a.gpid) - pids.indexOf(b.gpid));
}

function renderOptions({ terminal, env }: CommandContext, query: PsQuery, nodes: readonly NodeSpec[]): RenderOptions {
  const screen = terminal.columns === undefined ? undefined : (environmentNumber(env['COLUMNS']) ?? terminal.columns);
  const asked = query.columns ?? screen ?? Number.POSITIVE_INFINITY;
  return {
    screenWidth: query.wide ? Math.max(asked, 132) : asked,
    screenRows: query.rows ?? environmentNumber(env['LINES']) ?? terminal.rows ?? 24,
    colour: terminal.colour,
    pidDigits: pidDigits(nodes),
  };
}

function environmentNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^[1-9]\d{0,4}$/.test(text) ? Number(text) : undefined;
}

async function printHelp({ stdout, terminal }: CommandContext): Promise<number> {
  const { renderHelp } = await import('../help.ts');
  stdout.write(renderHelp(psCommand, terminal.columns));
  return 0;
}

function printVersion({ stdout }: CommandContext): number {
  stdout.write(`nsh ${programVersion}\n`);
  return 0;
}

function listColumns({ stdout }: CommandContext): number {
  const lines = allColumns.map(({ name, header }) => `${name.padEnd(12)} ${header}\n`);
  stdout.write(lines.join(''));
  return 0;
}
