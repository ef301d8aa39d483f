/**
 * The coordination store as this agent reaches it: embedded in this very agent, in that of another node (over the link to it), or an
 * etcd. One of each for all clients, opened when somebody needs it. An agent holds an embedded store where its own cluster file says so,
 * or, for it may have none, where another node's agent asks it as that node (`at`).
 */
import type { NodeSpec } from '../../src/cluster/node-spec.ts';
import type { NodePaths } from '../../src/cluster/paths.ts';
import { storeOf, type StoreSpec } from '../../src/cluster/store-spec.ts';
import { selfNode, type NodeId } from '../../src/ids/gpid.ts';
import type { CheckedParams } from '../../src/protocol/control.ts';
import { NshError } from '../../src/protocol/errors.ts';
import { callMethod } from '../../src/rpc/typed.ts';
import { ClientStore } from '../../src/store/client-store.ts';
import { storeUnavailable } from '../../src/store/errors.ts';
import { foundCalls } from '../../src/store/found-calls.ts';
import { RemoteStore } from '../../src/store/remote-store.ts';
import type { StoreCalls } from '../../src/store/store-calls.ts';
import type { Store } from '../../src/store/store.ts';
import type { EmbeddedStore } from '../store/embedded-store.ts';
import type { ClusterLinks } from './cluster-links.ts';
import { EtcdAccess } from './etcd-access.ts';
import type { Requester } from './link-context.ts';
import { log } from './log.ts';
import { callsOf } from './store-generation.ts';
import { describeStore, identityOf, StoreInUse } from './store-in-use.ts';
import { NodeConnection } from './node-connection.ts';

export interface StoreAccessEvents {
  /** After which `isHeld` may be another. */
  readonly onChange: () => void;
  /** The cluster file names another store: what was known of the one before is of no use. */
  readonly onMoved: () => void;
}

export class StoreAccess {
  readonly #links: ClusterLinks;
  readonly #paths: NodePaths;
  readonly #events: StoreAccessEvents;
  readonly #inUse: StoreInUse;
  #generation = new AbortController();
  readonly #remotes = new Map<NodeId, RemoteStore>();
  readonly #etcd: EtcdAccess;
  #embedded: Promise<EmbeddedStore> | undefined;
  #opened: EmbeddedStore | undefined;
  #isClosed = false;

  constructor(links: ClusterLinks, paths: NodePaths, events: StoreAccessEvents) {
    this.#links = links;
    this.#paths = paths;
    this.#events = events;
    this.#inUse = new StoreInUse(paths.state);
    this.#etcd = new EtcdAccess(links.cluster);
    // What nobody has asked yet is not left.
    links.onReplaced = () => {
      if (this.#inUse.store !== undefined || this.#opened !== undefined) this.#follow();
    };
  }

  /** Sessions live in this agent's embedded store: it must not end for want of clients. */
  get isHeld(): boolean {
    return this.#opened?.hasSessions === true;
  }

  /** The store for what this agent does itself, also where it cannot be reached yet; whoever asks closes it. */
  open(): Store {
    return new ClientStore(foundCalls(() => this.find(undefined, unattended)));
  }

  /**
   * @param at the node whose embedded store another agent means; undefined: that of the cluster.
   * @param requester for whom a login to that node is made, where one is needed.
   * @throws NshError `storeUnavailable`; why the node of the store cannot be logged in to; `agentFailed` where it cannot be opened here.
   */
  async find(at: number | undefined, requester: (node: NodeSpec) => Requester): Promise<StoreCalls> {
    if (at !== undefined) {
      await this.#checkIsHere(at);
      const calls = await this.#openEmbedded();
      return callsOf(calls, { over: this.#generation.signal, note: () => undefined });
    }
    const store = await this.#spec();
    this.#follow();
    const { signal: over } = this.#generation;
    return callsOf(await this.#callsOf(store, requester), { over, note: () => this.note });
  }

  /** What a person should know where the cluster file has named another store lately. */
  get note(): string | undefined {
    const { before } = this.#inUse;
    if (before === undefined) return undefined;
    const was = describeStore(before.store, (id) => this.#nameOf(id));
    const again =
      before.store.backend === 'embedded'
        ? `{embedded: ${this.#nameOf(before.store.node)}}`
        : `{etcd: [${before.store.endpoints.join(', ')}], …}`;
    return (
      `until ${new Date(before.untilMs).toISOString()} the store was ${was}: what it holds has not moved here, groups that were kept ` +
      `by it were ended, and locks and names of it are no more; 'store: ${again}' in the cluster file goes back to it`
    );
  }

  async #callsOf(store: StoreSpec, requester: (node: NodeSpec) => Requester): Promise<StoreCalls> {
    if (store.backend === 'etcd') return await this.#etcd.open(store);
    if (store.node === this.#links.self.id) return await this.#openEmbedded();
    const connection = this.#links.connection(store.node);
    await connection.need(requester(connection.node));
    return this.#remote(store.node);
  }

  /** Goes over to the store that the cluster file names now, where that is another one. */
  #follow(): void {
    const { spec, self } = this.#links;
    if (spec.file === undefined && self.id !== selfNode) return;
    const store = storeOf({ ...spec, nodes: this.#links.nodes });
    const prefix = store.backend === 'etcd' ? this.#etcd.prefixOf(store) : '';
    const isMoved = this.#inUse.note(identityOf(store, prefix));
    const isHere = store.backend === 'embedded' && store.node === self.id;
    const leavesEmbedded = !isHere && this.#embedded !== undefined;
    if (!isMoved && !leavesEmbedded) return;
    log('store: the cluster file names another one', { store: this.#describe(store) });
    const before = this.#generation;
    this.#generation = new AbortController();
    before.abort();
    if (store.backend !== 'etcd') this.#etcd.leave();
    if (leavesEmbedded) this.#leaveEmbedded();
    this.#events.onMoved();
  }

  #leaveEmbedded(): void {
    void closeOpened(this.#embedded);
    this.#embedded = undefined;
    this.#opened = undefined;
    this.#events.onChange();
  }

  #nameOf(id: number): string {
    return this.#links.nodes.find((node) => node.id === id)?.name ?? `node ${id}`;
  }

  /** Can this node use the embedded store of that one? @throws NshError: why not. */
  async reach({ agentCommand, ...node }: CheckedParams<'store.reach'>, signal: AbortSignal): Promise<void> {
    if (this.#links.spec.file === undefined) await this.#links.findFile();
    const { self, spec, cluster } = this.#links;
    if (node.id === self.id) return;
    const known = spec.file === undefined ? undefined : storeOf(spec);
    if (known !== undefined && (known.backend !== 'embedded' || known.node !== node.id))
      throw new NshError(
        'storeUnavailable',
        `by its own cluster file (${spec.file?.path ?? ''}) the store is ${this.#describe(known)}, not on ${node.name}: make the files alike`,
      );
    const ad = known === undefined ? { cluster, agentCommand, nodes: [definedNode(node)] } : undefined;
    const connection = ad === undefined ? this.#links.connection(node.id) : new NodeConnection(ad, definedNode(node));
    try {
      const { peer } = await connection.need({ ...unattended(), signal });
      await callMethod(peer, 'store.open', { at: node.id }, { signal });
    } finally {
      if (ad !== undefined) connection.close('it was asked once');
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([closeOpened(this.#embedded), this.#etcd.close()]);
  }

  async #spec(): Promise<StoreSpec> {
    const { self } = this.#links;
    // On node 0 without a file this machine is the whole cluster.
    if (this.#links.spec.file === undefined && self.id !== selfNode) await this.#links.findFile();
    if (this.#links.spec.file === undefined && self.id !== selfNode)
      throw storeUnavailable(
        `${self.name} has no cluster file that tells where the store of ${this.#links.cluster} is: put it there, see nsh-cluster(5)`,
      );
    return storeOf({ ...this.#links.spec, nodes: this.#links.nodes });
  }

  async #checkIsHere(at: number): Promise<void> {
    const { self, spec } = this.#links;
    if (at !== self.id) throw storeUnavailable(`${self.name} is node ${self.id}, and has no store of node ${at}`);
    if (spec.file === undefined) return;
    const store = await this.#spec();
    if (store.backend === 'embedded' && store.node === self.id) return;
    throw storeUnavailable(
      `by the cluster file on ${self.name} (${spec.file.path}) the store is ${this.#describe(store)}, not there: make the files alike`,
    );
  }

  #describe(store: StoreSpec): string {
    if (store.backend === 'etcd') return `the etcd at ${store.endpoints.join(', ')}`;
    return `on ${this.#nameOf(store.node)}`;
  }

  #remote(id: NodeId): RemoteStore {
    const known = this.#remotes.get(id);
    if (known !== undefined) return known;
    const remote = new RemoteStore({
      who: `the store on ${this.#links.connection(id).node.name}`,
      at: id,
      // A login that takes longer than one call may is there for the next.
      connect: async () => (await this.#links.connection(id).need(unattended())).peer,
    });
    this.#remotes.set(id, remote);
    return remote;
  }

  async #openEmbedded(): Promise<EmbeddedStore> {
    if (this.#isClosed) throw storeUnavailable('the agent ends');
    this.#embedded ??= this.#openNow();
    try {
      return await this.#embedded;
    } catch (error) {
      this.#embedded = undefined;
      throw error;
    }
  }

  async #openNow(): Promise<EmbeddedStore> {
    const { openEmbeddedStore } = await import('../store/open-store.ts');
    const store = openEmbeddedStore({
      directory: this.#paths.store,
      node: this.#links.self.name,
      onLog: log,
      onSessions: this.#events.onChange,
    });
    log('store: opened', { directory: this.#paths.store });
    this.#opened = store;
    return store;
  }
}

async function closeOpened(opened: Promise<{ close(): Promise<void> }> | undefined): Promise<void> {
  const store = await opened?.catch(() => undefined);
  await store?.close();
}

/** For nobody in particular: what this agent does by itself. */
function unattended(): Requester {
  return { mayStart: true, isOneOfMany: false, signal: new AbortController().signal };
}

function definedNode(node: Omit<CheckedParams<'store.reach'>, 'agentCommand'>): NodeSpec {
  const given = Object.entries(node).filter(([, value]) => value !== undefined);
  return { ...(Object.fromEntries(given) as unknown as NodeSpec), labels: [] };
}
