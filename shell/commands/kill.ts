/**
 * `nsh kill`: signals processes and process groups of any node, in kill(1)'s syntax. Goes on through its list and exits 1 where any
 * target was not signalled.
 */
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import { parseProcessName, type ProcessNameContext } from '../../src/ids/process-name.ts';
import { quoteText } from '../../src/ids/quote-text.ts';
import { parseReplicaName } from '../../src/policy/supervision/identity.ts';
import { findSignal, listSignals, lookUpSignal, parseSignal, tabulateSignals } from '../../src/ids/signals.ts';
import { NshError } from '../../src/protocol/errors.ts';
import { programVersion } from '../../src/protocol/version.ts';
import type { Command, CommandContext } from '../command.ts';
import { escapeLines, escapeText } from '../escape.ts';
import { knownNodes } from '../ps/collect.ts';
import { sendSignals, type SignalTarget } from '../ps/send-signals.ts';
import { helpHint } from '../usage.ts';

export const killCommand: Command = {
  name: 'kill',
  synopsis: ['[-s SIGNAL | -n NUMBER | -SIGNAL] [--force] PID…', '-l [SIGNAL…]', '-L'],
  summary: 'signal processes by their cluster PIDs',
  options: [
    {
      short: 's',
      long: 'signal',
      argument: 'SIGNAL',
      summary: 'by name or number; TERM where none is given, 0 only checks',
    },
    { short: 'n', argument: 'NUMBER', summary: 'by number' },
    {
      short: 'l',
      long: 'list',
      argument: '[SIGNAL]',
      summary: 'names of all signals, or the name for a number, or the number for a name',
    },
    { short: 'L', long: 'table', summary: 'a table of all signals' },
    { short: 'h', long: 'help', summary: 'print this' },
    { short: 'V', long: 'version', summary: 'the version of nsh' },
    { long: 'force', summary: 'even where the number was once a process of nsh that has ended' },
  ],
  details: [
    'A PID is 30004711, 3.4711 or web1.4711, or web/2: the second replica of the group web. In a session a job, such as %1, is taken too.',
  ],
  run: runKill,
};

/** Up to here a first `-NUMBER` is a mistyped signal rather than a process group. */
const maxPlainSignal = 999;

interface KillQuery {
  readonly signal: number;
  readonly force: boolean;
  readonly targets: readonly string[];
  /** Print this instead of signalling. */
  readonly listing: Listing | undefined;
}

interface Listing {
  readonly text: string;
  /** One for each word of `-l` that is no signal. */
  readonly problems: readonly string[];
}

async function runKill(context: CommandContext, args: readonly string[]): Promise<number> {
  const query = parse(context, args);
  if (query === undefined) return 1;
  if (query.listing !== undefined) {
    const { text, problems } = query.listing;
    if (text !== '') context.stdout.write(text);
    for (const problem of problems) context.stderr.write(`nsh kill: ${escapeLines(problem)}\n`);
    return problems.length > 0 ? 1 : 0;
  }
  const cluster = await context.cluster();
  const names: ProcessNameContext = { current: cluster.self.id, nodes: knownNodes(cluster) };
  const targets: SignalTarget[] = [];
  let failed = 0;
  for (const text of query.targets) {
    try {
      targets.push(await readTarget(text, names, cluster, context.signal));
    } catch (error) {
      if (!(error instanceof NshError)) throw error;
      context.stderr.write(`nsh kill: ${escapeLines(error.message)}\n`);
      failed++;
    }
  }
  const { force, signal } = query;
  for (const { target, error } of await sendSignals(cluster, targets, signal, { force, abort: context.signal })) {
    if (error === undefined) continue;
    failed++;
    context.stderr.write(`nsh kill: (${target.group === true ? '-' : ''}${target.gpid}): ${error.message}\n`);
  }
  return failed > 0 ? 1 : 0;
}

/** @throws NshError */
async function readTarget(
  text: string,
  names: ProcessNameContext,
  cluster: ClusterClient,
  signal: AbortSignal,
): Promise<SignalTarget> {
  const word = text.replace(/^-/, '');
  if (parseReplicaName(word) !== undefined) {
    const { runningReplica } = await import('../group/find-replicas.ts');
    const { node, gpid, record } = await runningReplica(cluster, word, signal);
    const { pid, start, boot } = record;
    return { node, gpid, pid, start, boot, ...(word === text ? {} : { group: true }) };
  }
  const { node, pid, gpid, group } = parseProcessName(text, names);
  return { node: cluster.node(node) ?? cluster.self, pid, gpid, ...(group ? { group } : {}) };
}

/** Undefined, with a message, where the line is wrong: procps's kill exits 1 then. */
function parse({ stderr, terminal }: CommandContext, args: readonly string[]): KillQuery | undefined {
  try {
    return parseKillArgs(args, terminal.columns);
  } catch (error) {
    if (!(error instanceof NshError) || error.code !== 'usage' || error.data?.['help'] === true) throw error;
    stderr.write(`nsh kill: ${escapeLines(error.message)}\n${helpHint('kill')}\n`);
    return undefined;
  }
}

/**
 * kill's own syntax: a first `-WORD` is a signal; where it is none, and after the signal, `-PID` is a process group.
 * @throws NshError `usage`
 */
export function parseKillArgs(args: readonly string[], columns?: number): KillQuery {
  const targets: string[] = [];
  let signal: number | undefined;
  let force = false;
  const rest = [...args];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--') break;
    const list = /^(?:-l|--list)(?:=?(?<name>.+))?$/.exec(word);
    if (list !== null)
      return listing(list.groups?.['name'] === undefined ? rest : [list.groups['name'], ...rest], columns);
    if (word === '-L' || word === '--table') return toPrint(tabulateSignals());
    if (word === '-V' || word === '--version') return toPrint(`nsh ${programVersion}\n`);
    if (word === '-h' || word === '--help') throw new NshError('usage', `option '${word}'`, { data: { help: true } });
    const chosen = chooseSignal(word, rest);
    if (word === '--force') force = true;
    else if (chosen === undefined && word.startsWith('--')) throw usage(`unrecognized option ${quoteText(word)}`);
    else if (chosen !== undefined) {
      if (signal !== undefined) throw usage(`a second signal: '${word}'`);
      signal = chosen;
    } else if (!word.startsWith('-')) targets.push(word);
    else signal = readDashWord(word, signal, targets);
  }
  targets.push(...rest);
  if (targets.length === 0) throw usage('no process to signal');
  return { signal: signal ?? parseSignal('TERM'), force, targets, listing: undefined };
}

/** -s NAME, -sNAME, --signal NAME, --signal=NAME, -n NUMBER. */
function chooseSignal(word: string, rest: string[]): number | undefined {
  const short = /^-(?<letter>[sn])(?<attached>.*)$/.exec(word)?.groups;
  const long = /^--signal(?:=(?<attached>.*))?$/.exec(word)?.groups;
  if (short === undefined && long === undefined) return undefined;
  if (short !== undefined && short['attached'] !== '' && findSignal(word.slice(1)) !== undefined) return undefined;
  const attached = short?.['attached'] ?? long?.['attached'];
  const text = attached === undefined || attached === '' ? rest.shift() : attached;
  if (text === undefined) throw usage(`option '${word}' requires an argument`);
  if (short?.['letter'] === 'n' && !/^\d+$/.test(text))
    throw usage(`'${escapeText(text)}' is not the number of a signal`);
  return parseSignal(text);
}

/** The first is the signal; what reads as a PID and no signal is a process group. */
function readDashWord(word: string, signal: number | undefined, targets: string[]): number | undefined {
  if (signal === undefined && targets.length === 0) {
    const named = findSignal(word.slice(1));
    if (named !== undefined) return named;
    if (!/\d$/.test(word) || /^-(?:SIG|RT)/i.test(word)) return parseSignal(word.slice(1));
  }
  if (signal === undefined && targets.length === 0 && Number(word.slice(1)) <= maxPlainSignal)
    throw usage(`unknown signal '${word.slice(1)}'; for a process group name the signal first: kill -TERM ${word}`);
  if (!/\d$/.test(word)) throw usage(`'${escapeText(word)}' is neither a signal in its place nor a process group`);
  targets.push(word);
  return signal;
}

/** Each word by itself, as bash does: what is no signal does not keep the others from being told. */
function listing(words: readonly string[], columns: number | undefined): KillQuery {
  if (words.length === 0) return toPrint(listSignals(columns));
  const problems: string[] = [];
  const lines = words.map((word) => {
    try {
      return `${lookUpSignal(word)}\n`;
    } catch (error) {
      if (!(error instanceof NshError)) throw error;
      problems.push(error.message);
      return '';
    }
  });
  return toPrint(lines.join(''), problems);
}

function toPrint(text: string, problems: readonly string[] = []): KillQuery {
  return { signal: 0, force: false, targets: [], listing: { text, problems } };
}

function usage(message: string): NshError {
  return new NshError('usage', message);
}
