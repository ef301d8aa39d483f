/** `nsh pgrep`: cluster PIDs of the processes that match, on every node. Exit status as procps: 0, 1 no match, 2 usage; 3 where a node did not answer. */
import type { Command, CommandContext, OptionSpec } from '../command.ts';
import { escapeText } from '../escape.ts';
import { incompleteStatus } from '../gather.ts';
import { knownNodes } from '../ps/collect.ts';
import { commandLine } from '../ps/columns/identity.ts';
import { matchOptions, parseCriteria, type MatchQuery } from '../ps/match/criteria.ts';
import { findProcesses } from '../ps/match/find-processes.ts';
import type { Row } from '../ps/row.ts';

const ownOptions: readonly OptionSpec[] = [
  { short: 'v', long: 'inverse', summary: 'those that do not match' },
  { short: 'w', long: 'lightweight', summary: 'the numbers of threads, each with its own name' },
  { short: 'l', long: 'list-name', summary: 'with their names' },
  { short: 'a', long: 'list-full', summary: 'with their command lines' },
  { short: 'd', long: 'delimiter', argument: 'TEXT', summary: 'between them, instead of a line feed' },
  { long: 'signal', argument: 'SIGNAL', summary: 'taken and not used, for the sake of pkill' },
];

export const pgrepCommand: Command = {
  name: 'pgrep',
  synopsis: ['[OPTION…] [PATTERN]'],
  summary: 'find processes by name and other attributes',
  options: [...ownOptions, ...matchOptions],
  async run(context, args) {
    const cluster = await context.cluster();
    const query = parseCriteria(args, ownOptions, { current: cluster.self.id, nodes: knownNodes(cluster) });
    const { rows, incomplete } = await findProcesses(context, 'pgrep', query);
    print(context, rows, query);
    if (incomplete) return incompleteStatus;
    return rows.length === 0 ? 1 : 0;
  },
};

function print({ stdout }: CommandContext, rows: readonly Row[], { count, own }: MatchQuery): void {
  if (count) {
    stdout.write(`${rows.length}\n`);
    return;
  }
  if (rows.length === 0) return;
  const texts = rows.map((row) => {
    if (own.has('list-full')) return `${row.threadGpid} ${escapeText(commandLine(row))}`;
    return own.has('list-name') ? `${row.threadGpid} ${escapeText(row.text('comm') ?? '-')}` : String(row.threadGpid);
  });
  stdout.write(`${texts.join(own.get('delimiter') ?? '\n')}\n`);
}
