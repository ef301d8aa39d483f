/** Which coordination store a cluster uses, as the cluster file says (nsh-cluster(5), `store`). */
import { selfNode, type NodeId } from '../ids/gpid.ts';
import type { ClusterSpec, NodeSpec } from './node-spec.ts';

export interface EtcdSpec {
  readonly backend: 'etcd';
  /** http: or https: URLs, all of one kind, without a path. */
  readonly endpoints: readonly string[];
  /** Absolute paths of PEM files: the authority that signed the servers' certificates (default: those of the system), and a client's own. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** Begins every key; default: the name of the cluster. */
  readonly namespace?: string;
  /** Absolute path of a file with the password of an etcd user, which its user alone may read; the file is never in this record. */
  readonly passwordFile?: string;
  /** Name of that user; default: whose keys they are. */
  readonly login?: string;
  /** Whose keys they are; default: the login name of whoever runs nsh. */
  readonly user?: string;
}

export interface EmbeddedSpec {
  readonly backend: 'embedded';
  readonly node: NodeId;
}

export type StoreSpec = EtcdSpec | EmbeddedSpec;

/** Where the cluster file says nothing: embedded, on the node with the lowest id. */
export function storeOf({ store, nodes }: Pick<ClusterSpec, 'store' | 'nodes'>): StoreSpec {
  return store ?? { backend: 'embedded', node: nodes[0]?.id ?? selfNode };
}

/** The node that holds the embedded store; undefined with etcd. */
export function storeNode(spec: Pick<ClusterSpec, 'store' | 'nodes'>): NodeSpec | undefined {
  const store = storeOf(spec);
  return store.backend === 'embedded' ? spec.nodes.find(({ id }) => id === store.node) : undefined;
}

/**
 * What begins every key in etcd, so that clusters, environments and users who share one see nothing of each other. None of them begins
 * another's: the parts have no `/`, which the directory service of a site may have in a login name.
 */
export function keyPrefix({ namespace, user }: EtcdSpec, cluster: string, login: string): string {
  return `nsh/${namespace ?? cluster}/${user ?? login.replaceAll('%', '%25').replaceAll('/', '%2F')}/`;
}
