/** The cluster file: found, read, checked, cached and watched. Its format is described in man/nsh-cluster.5. */
export { findClusterFile, type FindOptions, type FoundFile } from './file-paths.ts';
export { loadCluster } from './load.ts';
export { parseClusterFile } from './check-cluster.ts';
export { resolveNodes, type KnownNodes } from './resolve-nodes.ts';
export { watchCluster, type ClusterWatch } from './watch.ts';
