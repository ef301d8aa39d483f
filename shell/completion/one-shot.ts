/**
 * `nsh __complete SHELL LINE [WORDBREAKS]`: what the completion scripts of other shells ask. Prints a line of flags, then a choice a line with
 * its description behind a tab. Paths and commands are left to the shell, by flag. Nothing is asked of anybody where the line does not
 * need it: no agent is started for it, and whatever fails completes nothing.
 */
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import type { Command, CommandContext } from '../command.ts';
import { loadCommand, summaries } from '../commands/index.ts';
import { escapeText } from '../escape.ts';
import { decide, builtinOf } from './decide.ts';
import { eachOnce } from './match.ts';
import { offerFor } from './offers.ts';
import type { Unit } from './scan-word.ts';
import { splitLine, type SplitLine } from './split-line.ts';
import type { CompletionSources, KnownNode } from './sources.ts';
import { insertText, targetAfter, type InsertStyle } from './target.ts';
import type { Choice, Decision, Want } from './types.ts';

export const completeCommand: Command = {
  name: '__complete',
  synopsis: ['SHELL LINE [WORDBREAKS]'],
  summary: 'choices for the completion scripts of other shells',
  options: [],
  async run(context, [shell = '', line = '', wordBreaks = '']) {
    const split = splitLine(line);
    const typed = split.word.units.map(({ text }) => text).join('');
    const builtin = builtinOf(split.words);
    const shape = builtin === undefined ? undefined : await loadCommand(builtin);
    const decision = decide({ words: split.words, typed }, (name) => (name === builtin ? shape : undefined));
    const left = leftToTheShell(decision.wants);
    if (left !== undefined) {
      context.stdout.write(`${left}\n`);
      return 0;
    }
    const answer = await gatherChoices(context, decision, typed);
    const print = shell === 'bash' ? printForBash(split, answer, wordBreaks) : printWords(answer, typed);
    context.stdout.write(print);
    return 0;
  },
};

function leftToTheShell(wants: readonly Want[]): string | undefined {
  for (const want of wants) {
    if (want.kind === 'path') return want.only === 'directory' ? 'directories' : 'files';
    if (want.kind === 'command') return 'commands';
  }
  return undefined;
}

interface Answer {
  /** So many characters of the word stay before each choice. */
  readonly skip: number;
  readonly style: InsertStyle;
  readonly choices: readonly Choice[];
}

async function gatherChoices(context: CommandContext, { wants, skip }: Decision, typed: string): Promise<Answer> {
  const sources = await oneShotSources(context, wants);
  const around = { sources, where: undefined, signal: context.signal, hasTilde: false };
  const offers = wants.map((want) => offerFor(want, typed.slice(skip), around));
  const first = offers[0];
  const choices: Choice[] = [];
  for (const offer of offers.filter((each) => each.skip === first?.skip)) {
    if (!(Symbol.asyncIterator in offer.choices)) {
      choices.push(...offer.choices);
      continue;
    }
    let last: readonly Choice[] = [];
    for await (const known of offer.choices) last = known;
    choices.push(...last);
  }
  return { skip: skip + (first?.skip ?? 0), style: first?.style ?? 'quoted', choices: eachOnce(choices) };
}

async function oneShotSources(context: CommandContext, wants: readonly Want[]): Promise<CompletionSources> {
  const needsNodes = wants.some(({ kind }) => kind === 'nodeset');
  const nodes: readonly KnownNode[] = needsNodes ? await knownNodes(context) : [];
  return {
    nodes: () => nodes,
    builtins: () => summaries.map(([value, description]) => ({ value, description })),
    shape: (name) => loadCommand(name),
    sessionCommands: () => [],
    variables: () => Object.keys(context.env).map((name) => ({ name })),
    jobs: () => [],
    async *processes(select, signal) {
      const client = await quietClient(context);
      if (client === undefined) return;
      const { clusterProcesses } = await import('./cluster-processes.ts');
      try {
        yield* clusterProcesses(client, select, signal, { mayStartAgent: false });
      } finally {
        client.close();
      }
    },
    async *groups(signal) {
      const client = await quietClient(context);
      if (client === undefined) return;
      const { ClusterGroups } = await import('./cluster-groups.ts');
      try {
        yield* new ClusterGroups(client).groups(signal);
      } finally {
        client.close();
      }
    },
    async *names() {
      // The shell itself completes paths and commands.
    },
  };
}

/** Not the command's own, which would ask the person for a passphrase: nobody is asked anything because of a Tab key. */
async function quietClient(context: CommandContext): Promise<ClusterClient | undefined> {
  try {
    const spec = await context.clusterSpec();
    const { connectCluster } = await import('../../src/cluster/connect.ts');
    return connectCluster(spec, { env: context.env, mayStart: false });
  } catch {
    return undefined; // A cluster file that is wrong: the command will tell.
  }
}

async function knownNodes(context: CommandContext): Promise<readonly KnownNode[]> {
  try {
    return (await context.clusterSpec()).nodes;
  } catch {
    return []; // A cluster file that is wrong is told by the command, not by the Tab key.
  }
}

/** Whole words, unquoted: zsh and fish quote them. */
function printWords({ skip, choices }: Answer, typed: string): string {
  const words = choices.map(({ value, ...rest }) => ({ ...rest, value: typed.slice(0, skip) + value }));
  // zsh drops what does not begin with the word, as a process that was found by its command line.
  const isOther = words.length > 0 && !words.some(({ value }) => value.startsWith(typed));
  return `${isOther ? 'replace' : 'words'}\n${words.map((choice) => formatChoice(choice, choice.value)).join('')}`;
}

/** What takes the place of the word from its last word break on, quoted: bash replaces that part only. */
function printForBash({ word, source }: SplitLine, answer: Answer, wordBreaks: string): string {
  const values = word.units.map(({ text }) => text);
  const target = targetAfter(word, 0, values, answer.skip);
  const isInQuotes = word.quoting !== 'none';
  const kept = lastBreak(word.units, wordBreaks);
  const lines = answer.choices.map((choice) => {
    // Inside quotes bash adds what quotes need.
    if (isInQuotes) return formatChoice(choice, choice.value);
    const text = source.slice(0, target.start) + insertText(choice.value, target, answer.style, choice.open !== true);
    return formatChoice(choice, text.slice(kept));
  });
  return `${answer.choices.some(({ open }) => open === true) ? 'nospace' : 'words'}\n${lines.join('')}`;
}

function lastBreak(units: readonly Unit[], wordBreaks: string): number {
  const last = units.findLast(
    ({ text, quoting, escaped }) => quoting === 'none' && !escaped && text !== '' && wordBreaks.includes(text),
  );
  // readline's special prefixes belong to the word that they break off.
  return last === undefined ? 0 : '@$'.includes(last.text) ? last.start : last.end;
}

function formatChoice({ description = '', open = false }: Choice, text: string): string {
  return `${text}\t${open ? 'open' : ''}\t${escapeText(description)}\n`;
}
