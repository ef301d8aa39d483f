/** What the highlighting asks of each word: whether there is such a command or node. Answers come from what is known already. */
import { readdir } from 'node:fs/promises';
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import { groupsNamed, resolveNodes } from '../../src/cluster/file/resolve-nodes.ts';
import type { HighlightLookup, Known } from '../highlight/highlight-style.ts';
import type { Surroundings } from '../language/nsh-words.ts';

/** Bash's own, which lie in no directory. */
const bashBuiltins: ReadonlySet<string> = new Set(
  `. : [ alias bg bind break builtin caller cd command compgen complete compopt continue declare dirs disown echo enable eval exec exit
   export false fc fg getopts hash help history jobs kill let local logout mapfile popd printf pushd pwd read readarray readonly return
   set shift shopt source suspend test times trap true type typeset ulimit umask unalias unset wait`.split(/\s+/),
);

export interface KnownWordsOptions {
  readonly around: () => Surroundings;
  /** The session is on the machine where nsh runs, whose directories can be read here. */
  readonly isHere: () => boolean;
  readonly path: () => string;
  readonly onChange: () => void;
}

export class KnownWords implements HighlightLookup {
  version = 0;
  readonly #options: KnownWordsOptions;
  #client: ClusterClient | undefined;
  #programs: { readonly path: string; readonly names: ReadonlySet<string> } | undefined;
  #reading: string | undefined;
  readonly #nodesets = new Map<string, Known>();

  constructor(options: KnownWordsOptions) {
    this.#options = options;
  }

  get around(): Surroundings {
    return this.#options.around();
  }

  /** From now on nodes are known. */
  connected(client: ClusterClient): void {
    if (this.#client === client) return;
    this.#client = client;
    this.#changed();
  }

  /** A line has run: what it has installed or defined may be known now. */
  refresh(): void {
    this.#programs = undefined;
    this.version++;
  }

  command(name: string, nodeset: string | undefined): Known {
    const { around, isHere } = this.#options;
    const words = around();
    if (words.builtins.has(name) || bashBuiltins.has(name) || words.isDefined(name)) return 'known';
    if (nodeset !== undefined || !isHere() || name.includes('/')) return 'unsure';
    const names = this.#readPrograms();
    if (names === undefined) return 'unsure';
    return names.has(name) ? 'known' : 'missing';
  }

  nodeset(nodeset: string): Known {
    if (nodeset === 'all' || nodeset === 'any') return 'known';
    if (this.#client === undefined) return 'unsure';
    const known = this.#nodesets.get(nodeset) ?? judge(nodeset, this.#client);
    if (this.#nodesets.size > 256) this.#nodesets.clear();
    this.#nodesets.set(nodeset, known);
    return known;
  }

  #readPrograms(): ReadonlySet<string> | undefined {
    const path = this.#options.path();
    if (this.#programs?.path === path) return this.#programs.names;
    if (this.#reading !== path) {
      this.#reading = path;
      void listPrograms(path).then((names) => {
        this.#reading = undefined;
        this.#programs = { path, names };
        this.#changed();
      });
    }
    return undefined;
  }

  #changed(): void {
    this.#nodesets.clear();
    this.version++;
    this.#options.onChange();
  }
}

function judge(nodeset: string, client: ClusterClient): Known {
  if (/[$`]/.test(nodeset)) return 'unsure';
  // Groups stand in the store, which is not asked for a colour.
  if (groupsNamed(nodeset, client.nodes).length > 0) return 'unsure';
  try {
    resolveNodes(nodeset, client);
    return 'known';
  } catch {
    return 'missing'; // Malformed, or of nodes that are not there: running it says which.
  }
}

async function listPrograms(path: string): Promise<ReadonlySet<string>> {
  const directories = path.split(':').filter((directory) => directory.startsWith('/'));
  // One that cannot be read has nothing to run.
  const lists = await Promise.all(directories.map((directory) => readdir(directory).catch(() => [])));
  return new Set(lists.flat());
}
