/** From one want to the choices that fit what is typed: at once, or growing as nodes answer. */
import { optionChoices, processChoices, signalChoices } from './choices.ts';
import { groupChoices, groupNodesets } from './group-choices.ts';
import { matchDescribed, matchPrefix, sortChoices } from './match.ts';
import { nodesetChoices } from './nodeset-choices.ts';
import type { CompletionSources, ListedName } from './sources.ts';
import type { InsertStyle } from './target.ts';
import type { Choice, Want } from './types.ts';

export interface Offer {
  /** So many characters of `typed` stay. */
  readonly skip: number;
  readonly style: InsertStyle;
  readonly choices: readonly Choice[] | AsyncIterable<readonly Choice[]>;
}

export interface OfferContext {
  readonly sources: CompletionSources;
  readonly where: string | undefined;
  readonly signal: AbortSignal;
  /** The word begins with a tilde that means a home directory. */
  readonly hasTilde: boolean;
}

/** @param typed unquoted, without what the decision skips. */
export function offerFor(want: Want, typed: string, context: OfferContext): Offer {
  const { sources, signal } = context;
  const plain = (choices: Offer['choices'], skip = 0, style: InsertStyle = 'quoted'): Offer => ({
    choices,
    skip,
    style,
  });
  switch (want.kind) {
    case 'word':
      return plain(matchPrefix(want.words, typed));
    case 'builtin':
      return plain(matchPrefix(sources.builtins(), typed));
    case 'option':
      return plain(matchPrefix(optionChoices(typed, want.options), typed));
    case 'signal':
      return plain(matchPrefix(signalChoices(typed, want.dash), typed));
    case 'variable':
      return plain(matchPrefix(variableChoices(sources), typed), 0, 'raw');
    case 'job':
      return plain(typed === '' || typed.startsWith('%') ? matchDescribed(sources.jobs(), typed) : []);
    case 'nodeset':
      return nodesets(want.form, typed, context);
    case 'group': {
      // Where a process may be named too, only what begins like a group is one.
      const isNumber = want.form === 'replica' && !/^[A-Za-z]/.test(typed);
      if (isNumber) return plain([]);
      const { skip, choices } = groupChoices(typed, want.form);
      return plain(
        growing(sources.groups(signal), (known) => matchPrefix(choices(known), typed.slice(skip))),
        skip,
      );
    }
    case 'process':
      if (typed.startsWith('%')) return plain([]);
      // Of all processes of a cluster nobody wants a list; of those that nsh runs perhaps.
      return plain(
        growing(sources.processes(typed === '' && want.select === 'all' ? 'managed' : want.select, signal), (known) =>
          matchDescribed(processChoices(typed, known), typed),
        ),
      );
    case 'command':
      return plain(commands(typed, context));
    default:
      return paths(want.only, typed, context);
  }
}

/** Nodes and labels at once; groups, which the store has, where one may stand. */
function nodesets(form: 'at' | 'bare', typed: string, { sources, signal }: OfferContext): Offer {
  const nodes = sources.nodes();
  const { skip, choices } = nodesetChoices(typed, nodes, form);
  const operand = typed.slice(skip);
  const own = matchPrefix(choices, operand);
  const style = form === 'at' ? 'raw' : 'nodeset';
  if (operand !== '' && !operand.startsWith('@')) return { skip, style, choices: own };
  const labels = new Set(nodes.flatMap((node) => node.labels));
  const withGroups = async function* (): AsyncIterable<readonly Choice[]> {
    yield own;
    for await (const known of sources.groups(signal))
      yield matchPrefix([...choices, ...groupNodesets(known, labels)], operand);
  };
  return { skip, style, choices: withGroups() };
}

export function variableChoices(sources: CompletionSources): Choice[] {
  return sortChoices(
    sources
      .variables()
      .map(({ name, value }) => ({ value: name, ...(value === undefined ? {} : { description: value }) })),
  );
}

async function* growing<T>(
  source: AsyncIterable<T>,
  choose: (known: T) => readonly Choice[],
): AsyncIterable<readonly Choice[]> {
  for await (const known of source) yield choose(known);
}

async function* commands(typed: string, { sources, where, signal }: OfferContext): AsyncIterable<readonly Choice[]> {
  const own = [...sources.builtins(), ...sources.sessionCommands()];
  yield sortChoices(matchPrefix(own, typed));
  if (typed === '') return; // Thousands, of which nobody asked for any.
  const question = { where, kind: 'command' as const, tilde: '', directory: '', base: typed };
  for await (const names of sources.names(question, signal))
    yield sortChoices(matchPrefix([...own, ...names.map(({ name }) => ({ value: name }))], typed));
}

function paths(only: 'any' | 'directory' | 'executable', typed: string, context: OfferContext): Offer {
  const slash = typed.lastIndexOf('/') + 1;
  const tilde = context.hasTilde ? (/^~[^/]*/.exec(typed)?.[0] ?? '') : '';
  // `~na` names a user, of whom only the node knows.
  if (tilde !== '' && slash === 0)
    return { skip: 0, style: 'raw', choices: tilde === '~' ? [{ value: '~/', open: true }] : [] };
  const directory = typed.slice(tilde === '' ? 0 : tilde.length + 1, slash);
  const base = typed.slice(slash);
  const question = { where: context.where, kind: 'path' as const, tilde, directory, base };
  const fits = ({ type }: ListedName): boolean => only === 'any' || type === 'directory' || type === only;
  const choices = growing(context.sources.names(question, context.signal), (names) =>
    sortChoices(matchPrefix(names.filter(fits).map(pathChoice), base)),
  );
  return { skip: slash, style: 'quoted', choices };
}

function pathChoice({ name, type }: ListedName): Choice {
  return type === 'directory' ? { value: `${name}/`, open: true } : { value: name };
}
