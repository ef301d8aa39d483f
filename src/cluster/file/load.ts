/** From `--cluster` and the environment to the cluster: found, read through the cache, checked. */
import { selfNode } from '../../ids/gpid.ts';
import type { ClusterSpec } from '../node-spec.ts';
import { readCache, writeCache } from './cache.ts';
import { defaultAgentCommand, localCluster, parseClusterFile } from './check-cluster.ts';
import { findClusterFile, type Environment, type FindOptions, type FoundFile } from './file-paths.ts';
import { openClusterFile, type FileStamp } from './read-file.ts';

export interface LoadedCluster {
  readonly spec: ClusterSpec;
  /** Absent without a file. */
  readonly stamp?: FileStamp;
}

/**
 * The cluster that a command works on; this machine alone where there is no cluster file and none was named.
 * @throws NshError `clusterFile`, with a line `FILE:LINE:COLUMN: …` for each fault.
 */
export async function loadCluster(options: FindOptions): Promise<ClusterSpec> {
  return (await loadFoundFile(findClusterFile(options), options.env)).spec;
}

export async function loadFoundFile(found: FoundFile, env: Environment): Promise<LoadedCluster> {
  const file = await openClusterFile(found);
  if (file === undefined) return { spec: thisMachine };
  try {
    const { stamp } = file;
    const parsed = readCache(stamp, env) ?? (await parseAndCache(await file.readText(), stamp, env));
    const { path, mtimeMs, size } = stamp;
    return { spec: { ...parsed, file: { path, mtimeMs, size } }, stamp };
  } finally {
    await file.close();
  }
}

async function parseAndCache(text: string, stamp: FileStamp, env: Environment): Promise<Omit<ClusterSpec, 'file'>> {
  const parsed = await parseClusterFile(text, { path: stamp.path, env });
  writeCache(stamp, env, parsed);
  return parsed;
}

const thisMachine: ClusterSpec = {
  cluster: localCluster,
  agentCommand: defaultAgentCommand,
  nodes: [{ id: selfNode, name: 'localhost', labels: [] }],
};
