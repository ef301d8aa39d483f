/** Which nodes answer, kept up to date behind the prompt; says when that changes. */
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import type { NodeSpec } from '../../src/cluster/node-spec.ts';
import { toNshError } from '../../src/protocol/errors.ts';
import { describeFailure } from '../gather.ts';

export interface NodesSeen {
  readonly all: number;
  readonly up: number;
  /** Names, in the order of the cluster. */
  readonly down: readonly string[];
  /** Not heard of yet. */
  readonly unknown: number;
}

export interface WatchHandlers {
  readonly onChange: () => void;
  /** One sentence, safe for a terminal, when a node goes or comes back. */
  readonly onNews: (text: string) => void;
}

/** Links are looked at so often: that asks this machine's agent only. */
const lookMs = 2_000;
/** Each so many looks every node is asked: what has come back is reached again, what stands still is found out. */
const looksPerAsk = 8;
/** Those that are down are asked in between, too: who has mended one waits to see it. */
const looksPerRetry = 3;

/** Failures of a login that had something to ask, or would have. */
const asking: ReadonlySet<string> = new Set(['authFailed', 'hostKeyUnknown', 'hostKeyChanged', 'cancelled']);

type State = 'unknown' | 'up' | 'down';

export class ClusterWatch {
  readonly #open: () => Promise<ClusterClient>;
  readonly #handlers: WatchHandlers;
  readonly #abort = new AbortController();
  #nodes: readonly NodeSpec[] = [];
  readonly #states = new Map<number, State>();
  /** A person was asked for them and declined, or could not help: not again before somebody uses them. */
  readonly #refused = new Set<number>();
  #timer: NodeJS.Timeout | undefined;
  #looks = 0;
  #agentFailed = false;
  #cluster = '';

  /** @param open gives the client; starts this machine's agent where none runs. */
  constructor(open: () => Promise<ClusterClient>, handlers: WatchHandlers) {
    this.#open = open;
    this.#handlers = handlers;
  }

  /** Its name; empty until the cluster file has been read. */
  get cluster(): string {
    return this.#cluster;
  }

  get seen(): NodesSeen {
    const of = (state: State): readonly NodeSpec[] => this.#nodes.filter(({ id }) => this.#state(id) === state);
    return {
      all: this.#nodes.length,
      up: of('up').length,
      down: of('down').map(({ name }) => name),
      unknown: of('unknown').length,
    };
  }

  start(): void {
    void this.#round();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#abort.abort();
  }

  #state(id: number): State {
    return this.#states.get(id) ?? 'unknown';
  }

  async #round(): Promise<void> {
    try {
      const client = await this.#open();
      this.#nodes = client.nodes;
      this.#cluster = client.spec.cluster;
      this.#handlers.onChange();
      if (this.#looks % looksPerAsk === 0) await this.#ask(client, client.nodes);
      else await Promise.all([this.#look(client), this.#retry(client)]);
      this.#agentFailed = false;
    } catch (error) {
      // Said once; it is tried again all the same.
      if (!this.#agentFailed && !this.#abort.signal.aborted) this.#handlers.onNews(toNshError(error).message);
      this.#agentFailed = true;
    }
    this.#looks++;
    if (!this.#abort.signal.aborted) this.#timer = setTimeout(() => void this.#round(), lookMs).unref();
  }

  async #retry(client: ClusterClient): Promise<void> {
    if (this.#looks % looksPerRetry !== 0) return;
    const down = client.nodes.filter(({ id }) => this.#state(id) === 'down');
    if (down.length > 0) await this.#ask(client, down);
  }

  async #ask(client: ClusterClient, all: readonly NodeSpec[]): Promise<void> {
    const nodes = all.filter(({ id }) => !this.#refused.has(id));
    for await (const { node, error } of client.fanout(nodes, 'info', {}, { signal: this.#abort.signal })) {
      if (this.#abort.signal.aborted) return;
      if (error !== undefined && asking.has(error.code)) this.#refused.add(node.id);
      this.#note(node, error === undefined ? undefined : describeFailure({ node, error }));
    }
  }

  async #look(client: ClusterClient): Promise<void> {
    for (const { id, state, reason } of await client.status()) {
      const node = client.node(id);
      if (node === undefined) continue;
      // A link that idles, or is being opened, tells nothing new.
      if (state === 'up' || state === 'self') this.#note(node, undefined, !this.#refused.delete(id));
      else if (state === 'failed') this.#note(node, named(node, reason ?? 'it cannot be reached'));
    }
  }

  /** @param failure undefined: it answers. `linkOnly`: that its link is up does not mean that what failed before works again. */
  #note(node: NodeSpec, failure: string | undefined, linkOnly = false): void {
    const before = this.#state(node.id);
    const now: State = failure === undefined ? 'up' : 'down';
    if (before === now || (linkOnly && before === 'down')) return;
    this.#states.set(node.id, now);
    if (failure !== undefined) this.#handlers.onNews(failure);
    else if (before === 'down') this.#handlers.onNews(`${node.name}: it answers again`);
    this.#handlers.onChange();
  }
}

function named({ name }: NodeSpec, reason: string): string {
  return reason.startsWith(`${name}:`) ? reason : `${name}: ${reason}`;
}
