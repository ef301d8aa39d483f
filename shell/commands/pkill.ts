/** `nsh pkill`: signals the processes that match, on every node. Exit status as procps: 0 some were signalled, 1 none, 2 usage; 3 where a node did not answer. */
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import { findSignal, parseSignal } from '../../src/ids/signals.ts';
import type { Command, CommandContext, OptionSpec } from '../command.ts';
import { escapeText } from '../escape.ts';
import { incompleteStatus } from '../gather.ts';
import { knownNodes } from '../ps/collect.ts';
import { matchOptions, parseCriteria, type RefusedOption } from '../ps/match/criteria.ts';
import { findProcesses } from '../ps/match/find-processes.ts';
import type { Row } from '../ps/row.ts';
import { sendSignals, type SignalTarget } from '../ps/send-signals.ts';

const ownOptions: readonly OptionSpec[] = [
  { long: 'signal', argument: 'SIGNAL', summary: 'this signal instead of TERM; also -SIGNAL' },
  { short: 'e', long: 'echo', summary: 'say what is signalled' },
  { long: 'inverse', summary: 'those that do not match' },
];

const refused: readonly RefusedOption[] = [
  { short: 'v', summary: '', why: 'too easily typed for what it would do; --inverse is there' },
  { short: 'w', long: 'lightweight', summary: '', why: 'a signal goes to a whole process' },
];

export const pkillCommand: Command = {
  name: 'pkill',
  synopsis: ['[-SIGNAL] [OPTION…] [PATTERN]'],
  summary: 'signal processes by name and other attributes',
  options: [...ownOptions, ...matchOptions],
  async run(context, args) {
    const cluster = await context.cluster();
    const { signal, rest } = takeSignal(args);
    const query = parseCriteria(rest, [...ownOptions, ...refused], {
      current: cluster.self.id,
      nodes: knownNodes(cluster),
    });
    const named = query.own.get('signal');
    const chosen = named === undefined ? (signal ?? parseSignal('TERM')) : parseSignal(named);
    const { rows, incomplete } = await findProcesses(context, 'pkill', query);
    const signalled = await signalRows(context, cluster, rows, chosen, query.own.has('echo'));
    if (query.count) context.stdout.write(`${rows.length}\n`);
    if (incomplete) return incompleteStatus;
    return signalled === 0 ? 1 : 0;
  },
};

/** The first word that is a dash and a signal, wherever it stands: `pkill -HUP -u www nginx`. */
function takeSignal(args: readonly string[]): { signal: number | undefined; rest: readonly string[] } {
  for (const [i, word] of args.entries()) {
    if (word === '--') break;
    const signal = /^-[A-Za-z0-9+-]+$/.test(word) && !word.startsWith('--') ? findSignal(word.slice(1)) : undefined;
    if (signal !== undefined) return { signal, rest: [...args.slice(0, i), ...args.slice(i + 1)] };
  }
  return { signal: undefined, rest: args };
}

/** @returns how many were signalled. */
async function signalRows(
  { stdout, stderr, signal: abort }: CommandContext,
  cluster: ClusterClient,
  rows: readonly Row[],
  signal: number,
  echo: boolean,
): Promise<number> {
  const names = new Map(rows.map((row) => [row.gpid, row.text('comm') ?? '-']));
  const outcomes = await sendSignals(cluster, rows.map(toTarget), signal, { abort });
  let signalled = 0;
  for (const { target, error } of outcomes) {
    if (error === undefined) {
      signalled++;
      if (echo) stdout.write(`${escapeText(names.get(target.gpid) ?? '-')} killed (pid ${target.gpid})\n`);
    } else if (error.code !== 'noSuchProcess') {
      stderr.write(`nsh pkill: killing pid ${target.gpid} failed: ${error.message}\n`);
    }
  }
  return signalled;
}

/** With the incarnation that was seen: a number that is another process's meanwhile is left alone. */
function toTarget(row: Row): SignalTarget {
  const start = row.number('start');
  return {
    node: row.node,
    gpid: row.gpid,
    pid: row.pid,
    boot: row.table.boot,
    ...(start === null ? {} : { start }),
  };
}
