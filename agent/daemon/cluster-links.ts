/** The nodes of the cluster file and the connections to them. The file is read anew when it changes, or when a client saw a newer one. */
import { existsSync } from 'node:fs';
import type { ClusterSpec, NodeSpec } from '../../src/cluster/node-spec.ts';
import { loadCluster, watchCluster, type ClusterWatch } from '../../src/cluster/file/index.ts';
import { localhost } from '../../src/cluster/own-agent.ts';
import type { NodeStatus } from '../../src/protocol/control.ts';
import { NshError, toNshError } from '../../src/protocol/errors.ts';
import { log } from './log.ts';
import { NodeConnection } from './node-connection.ts';

export interface FileStamp {
  readonly path: string;
  readonly mtimeMs: number;
  readonly size: number;
}

export class ClusterLinks {
  readonly cluster: string;
  readonly self: NodeSpec;
  #spec: ClusterSpec;
  #watch: ClusterWatch | undefined;
  readonly #connections = new Map<number, NodeConnection>();
  /** The file in use was found by this agent itself: a client's goes before it. */
  #hasFound = false;
  #isClosed = false;
  /** The cluster file has been read, or read anew. */
  onReplaced: () => void = () => undefined;

  constructor(cluster: string, self: NodeSpec) {
    this.cluster = cluster;
    this.self = self;
    this.#spec = { cluster, agentCommand: 'nsh-agent', nodes: [] };
  }

  /** As the cluster file says; without a `file` where none is known yet. */
  get spec(): ClusterSpec {
    return this.#spec;
  }

  get nodes(): readonly NodeSpec[] {
    return this.#spec.file === undefined ? [this.self] : this.#spec.nodes;
  }

  /**
   * Takes over the cluster file that a client of this machine goes by.
   * @throws NshError `clusterFile` where it is broken, another cluster's, or another file than the one in use.
   */
  async useFile(stamp: FileStamp): Promise<void> {
    const current = this.#spec.file;
    const isOwnFind = this.#hasFound;
    this.#hasFound = false;
    if (current !== undefined && current.path !== stamp.path && !isOwnFind && existsSync(current.path)) {
      throw new NshError(
        'clusterFile',
        `the agent of cluster ${this.cluster} goes by ${current.path}, not ${stamp.path}: ` +
          `give that cluster another name, or end the agent with 'nsh agent stop' first`,
      );
    }
    if (current?.mtimeMs === stamp.mtimeMs && current.size === stamp.size) return;
    await this.#load(stamp.path);
    if (current !== undefined && current.path !== stamp.path) await this.#unwatch();
    this.#watch ??= await watchCluster(
      stamp.path,
      (spec) => this.#replace(spec),
      (error) => log('cluster file', { message: error.message }),
    );
  }

  /**
   * Looks for the cluster file where a client of this machine would find it, for an agent that was started from elsewhere. One that is of
   * another cluster is not this agent's to use. @throws NshError `clusterFile` where it is broken.
   */
  async findFile(): Promise<void> {
    const { cluster, file } = await loadCluster({ env: process.env });
    if (file === undefined || cluster !== this.cluster || this.#spec.file !== undefined) return;
    await this.useFile(file);
    this.#hasFound = true;
  }

  /** @throws NshError `unknownNode` */
  connection(id: number): NodeConnection {
    const known = this.#connections.get(id);
    if (known !== undefined) return known;
    const node = this.#spec.nodes.find((candidate) => candidate.id === id);
    if (node === undefined) throw new NshError('unknownNode', `the cluster ${this.cluster} has no node ${id}`);
    const connection = new NodeConnection(this.#spec, node);
    this.#connections.set(id, connection);
    return connection;
  }

  status(): NodeStatus[] {
    return this.nodes.map((node) => this.#statusOf(node));
  }

  /** The agent is ending: what fails from now on says nothing of a node. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  close(): void {
    this.#isClosed = true;
    void this.#watch?.close();
    for (const connection of this.#connections.values()) connection.close('the agent of this machine ends');
  }

  #statusOf({ id, name, labels }: NodeSpec): NodeStatus {
    const base = { id, name, labels: [...labels] };
    if (id === this.self.id) return { ...base, state: 'self' };
    const connection = this.#connections.get(id);
    const address = connection?.address;
    const reason = connection?.failure?.message;
    return {
      ...base,
      state: connection?.state ?? 'idle',
      ...(address === undefined ? {} : { address }),
      ...(reason === undefined ? {} : { reason }),
      ...(connection?.hasAsked === true ? { asked: true } : {}),
    };
  }

  async #unwatch(): Promise<void> {
    await this.#watch?.close();
    this.#watch = undefined;
  }

  async #load(path: string): Promise<void> {
    try {
      this.#replace(await loadCluster({ flag: path, env: process.env }));
    } catch (error) {
      throw toNshError(error, 'clusterFile');
    }
  }

  /** Connections of nodes that the new file leaves as they were stay; the others end. */
  #replace(spec: ClusterSpec): void {
    if (spec.cluster !== this.cluster) {
      log('cluster file names another cluster', { now: spec.cluster });
      return;
    }
    const isSameWay = spec.agentCommand === this.#spec.agentCommand && spec.sshConfig === this.#spec.sshConfig;
    this.#spec = spec;
    for (const [id, connection] of this.#connections) {
      const now = spec.nodes.find((node) => node.id === id);
      if (isSameWay && now !== undefined && isSameNode(now, connection.node)) continue;
      connection.close('the cluster file has changed');
      this.#connections.delete(id);
    }
    log('cluster file read', { nodes: spec.nodes.length });
    this.onReplaced();
  }
}

/** Labels say nothing of how a node is reached. */
function isSameNode(a: NodeSpec, b: NodeSpec): boolean {
  const way = ({ id, name, host, port, user, identityFile, transport }: NodeSpec): string =>
    JSON.stringify([id, name, host, port, user, identityFile, transport]);
  return way(a) === way(b);
}

/** The node that an agent serves, before any cluster file tells more of it. */
export function selfSpec(id: NodeSpec['id'], name: string): NodeSpec {
  return id === 0 ? localhost : { id, name, labels: [] };
}
