/**
 * Names of commands and files on nodes: asked from a few nodes of the set at once, with a deadline, and kept for some seconds, so that a
 * person who types on is answered at once.
 */
import type { NodeSpec } from '../../src/cluster/node-spec.ts';
import { listingCommand, readListing, type Listing } from './listing-script.ts';
import type { ListedName, NamesQuestion } from './sources.ts';

/** Runs a command on a node and gives its output, up to some length. Rejects where it cannot, or `signal` fires. */
export type NodeRunner = (node: NodeSpec, argv: readonly string[], signal: AbortSignal) => Promise<string>;

export interface NodeNamesOptions {
  readonly run: NodeRunner;
  /** Nodes of a nodeset as typed; undefined: the session's own. Throws for what means none; asks nobody for longer than the signal allows. */
  readonly resolve: (
    where: string | undefined,
    signal: AbortSignal,
  ) => readonly NodeSpec[] | Promise<readonly NodeSpec[]>;
  /** The session's working directory, as far as it is one on that node. */
  readonly cwd: (node: NodeSpec) => string;
  readonly deadlineMs?: number;
  readonly now?: () => number;
}

const defaultDeadlineMs = 2_000;
const keepForMs = 5_000;
/** Like nodes have like commands: asking a few tells enough. */
const maxNodes = 4;
const maxKept = 64;

interface Kept {
  readonly question: NamesQuestion;
  readonly base: string;
  readonly listing: Listing;
  readonly untilMs: number;
}

export class NodeNames {
  readonly #options: NodeNamesOptions;
  readonly #kept = new Map<string, Kept[]>();

  constructor(options: NodeNamesOptions) {
    this.#options = options;
  }

  /** Each time all names known so far. Nodes that fail or are late bring none. */
  async *names(question: NamesQuestion, signal: AbortSignal): AsyncGenerator<readonly ListedName[], void, undefined> {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(this.#options.deadlineMs ?? defaultDeadlineMs)]);
    const nodes = await this.#nodes(question.where, limit);
    const all = new Map<string, ListedName>();
    const waiting = new Map(
      nodes.map((node) => [node, this.#ask(node, question, limit).then((names) => ({ node, names }))]),
    );
    while (waiting.size > 0) {
      const { node, names } = await Promise.race(waiting.values());
      waiting.delete(node);
      for (const name of names) if (!all.has(name.name)) all.set(name.name, name);
      if (names.length > 0) yield [...all.values()];
    }
  }

  async #nodes(where: string | undefined, signal: AbortSignal): Promise<readonly NodeSpec[]> {
    try {
      const nodes = await within(Promise.resolve(this.#options.resolve(where, signal)), signal);
      return nodes.slice(0, maxNodes);
    } catch {
      return []; // Not a nodeset (yet), or of unknown nodes.
    }
  }

  async #ask(node: NodeSpec, question: NamesQuestion, signal: AbortSignal): Promise<readonly ListedName[]> {
    const cwd = this.#options.cwd(node);
    const key = JSON.stringify([node.id, question.kind, cwd, question.tilde, question.directory]);
    const kept = this.#find(key, question);
    if (kept !== undefined) return kept;
    try {
      const output = await within(this.#options.run(node, listingCommand(question, cwd), signal), signal);
      const listing = readListing(output, question);
      this.#keep(key, question, listing);
      return listing.names;
    } catch {
      return []; // Unreachable, slow, without bash: it completes nothing.
    }
  }

  #now(): number {
    return (this.#options.now ?? Date.now)();
  }

  #find(key: string, { base }: NamesQuestion): readonly ListedName[] | undefined {
    const now = this.#now();
    const found = this.#kept
      .get(key)
      ?.find(
        (kept) => kept.untilMs > now && (kept.base === base || (kept.listing.isComplete && startsSo(base, kept.base))),
      );
    return found?.listing.names;
  }

  #keep(key: string, question: NamesQuestion, listing: Listing): void {
    const untilMs = this.#now() + keepForMs;
    const others = (this.#kept.get(key) ?? []).filter(
      (kept) => kept.untilMs > this.#now() && kept.base !== question.base,
    );
    this.#kept.delete(key);
    this.#kept.set(key, [...others.slice(-8), { question, base: question.base, listing, untilMs }]);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= maxKept) break;
      this.#kept.delete(oldest);
    }
  }
}

/** In any case: a listing may have been made so. */
function startsSo(base: string, beginning: string): boolean {
  return base.toLowerCase().startsWith(beginning.toLowerCase());
}

/** Settles when the signal fires, whatever the promise does. */
function within<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) return Promise.reject(new Error('too late'));
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(new Error('too late'));
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
