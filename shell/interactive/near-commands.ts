/** What may have been meant by a command that was not found where it was to run: asked of that node, behind the line that failed. */
import { askWhether, findNear } from '../../src/ids/near.ts';
import { quoteText } from '../../src/ids/quote-text.ts';
import type { CompletionSources } from '../completion/index.ts';
import { programsAlone } from '../commands/index.ts';
import { highlight } from '../highlight/highlighter.ts';
import type { Surroundings } from '../language/nsh-words.ts';

export interface CommandWord {
  readonly name: string;
  /** `web[1-8]` of `@web[1-8]`; undefined: where the session is. */
  readonly where: string | undefined;
}

const maxWords = 8;

/** A sentence for each command of the line that nobody there knows and that is near to others. */
export async function nearCommands(
  line: string,
  around: Surroundings,
  sources: CompletionSources,
  signal: AbortSignal,
): Promise<string[]> {
  const words = commandWords(line, around).slice(0, maxWords);
  const sentences = await Promise.all(words.map((word) => describe(word, sources, signal)));
  return sentences.filter((sentence) => sentence !== undefined);
}

/** Each once. Those with a path have said all that there is to say. */
export function commandWords(line: string, around: Surroundings): CommandWord[] {
  const found = new Map<string, CommandWord>();
  highlight(line, {
    version: 0,
    around,
    nodeset: () => 'unsure',
    command: (name, where) => {
      if (!name.includes('/')) found.set(`${where ?? ''} ${name}`, { name, where });
      return 'unsure';
    },
  });
  return [...found.values()];
}

async function describe(
  { name, where }: CommandWord,
  sources: CompletionSources,
  signal: AbortSignal,
): Promise<string | undefined> {
  const own = [...sources.builtins(), ...sources.sessionCommands()].map(({ value }) => value);
  const there = await listCommands(name.slice(0, 1), where, sources, signal);
  if (there.length === 0 || there.includes(name) || own.includes(name)) return undefined;
  const near = programsAlone.has(name) ? [`nsh ${name}`] : findNear(name, [...own, ...there]);
  const place = where === undefined ? '' : ` on ${quoteText(where)}`;
  return near.length === 0 ? undefined : `no command ${quoteText(name)}${place}${askWhether(near)}`;
}

/** Names that begin so: slips are seldom in the first letter, and a node has thousands. */
async function listCommands(
  base: string,
  where: string | undefined,
  sources: CompletionSources,
  signal: AbortSignal,
): Promise<readonly string[]> {
  let names: readonly string[] = [];
  for await (const listed of sources.names({ kind: 'command', where, tilde: '', directory: '', base }, signal))
    names = listed.map((each) => each.name);
  return names;
}
