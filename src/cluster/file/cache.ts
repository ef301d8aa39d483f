/**
 * The parsed cluster file as JSON under ${XDG_CACHE_HOME:-~/.cache}/nsh/, so that a one-shot command need not load the YAML
 * parser. It only ever saves time: what is damaged, stale, too open or another user's is passed over, and a cache that cannot be
 * written is no error.
 */
import { createHash } from 'node:crypto';
import { constants, fstatSync, openSync, readFileSync, closeSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { isNodeId, maxNodeId, type NodeId } from '../../ids/gpid.ts';
import { programVersion } from '../../protocol/version.ts';
import { transports, type ClusterSpec } from '../node-spec.ts';
import { makePrivateDirectory } from '../paths.ts';
import { homeDirectory, xdgDirectory, type Environment } from './file-paths.ts';
import type { FileStamp } from './read-file.ts';

type ParsedFile = Omit<ClusterSpec, 'file'>;

const nodeSchema = v.strictObject({
  id: v.custom<NodeId>((value) => typeof value === 'number' && value !== 0 && isNodeId(value)),
  name: v.pipe(v.string(), v.regex(/^[A-Za-z][A-Za-z0-9_.-]*$/)),
  host: v.exactOptional(v.string()),
  port: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535))),
  user: v.exactOptional(v.string()),
  identityFile: v.exactOptional(v.string()),
  transport: v.exactOptional(v.picklist(transports)),
  labels: v.array(v.string()),
});

const storeSchema = v.variant('backend', [
  v.strictObject({ backend: v.literal('embedded'), node: nodeSchema.entries.id }),
  v.strictObject({
    backend: v.literal('etcd'),
    endpoints: v.pipe(v.array(v.string()), v.minLength(1)),
    ca: v.exactOptional(v.string()),
    cert: v.exactOptional(v.string()),
    key: v.exactOptional(v.string()),
    passwordFile: v.exactOptional(v.string()),
    login: v.exactOptional(v.string()),
    namespace: v.exactOptional(v.string()),
    user: v.exactOptional(v.string()),
  }),
]);

const cacheSchema = v.strictObject({
  key: v.string(),
  spec: v.strictObject({
    cluster: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-][A-Za-z0-9_.-]*$/)),
    sshConfig: v.exactOptional(v.string()),
    agentCommand: v.string(),
    store: v.exactOptional(storeSchema),
    nodes: v.pipe(v.array(nodeSchema), v.maxLength(maxNodeId)),
  }),
});

/** A file changed so shortly ago may change again within the clock tick of its time stamp. */
const settledAfterMs = 1_000;

export function readCache(stamp: FileStamp, env: Environment): ParsedFile | undefined {
  try {
    const text = readOwnFile(join(cacheDirectory(env), cacheName(stamp)));
    const cached = v.safeParse(cacheSchema, JSON.parse(text));
    return cached.success && cached.output.key === cacheKey(stamp, env) ? cached.output.spec : undefined;
  } catch {
    // Missing, damaged or not ours: the file itself is read instead.
    return undefined;
  }
}

export function writeCache(stamp: FileStamp, env: Environment, spec: ParsedFile): void {
  if (Date.now() - Math.max(stamp.mtimeMs, stamp.ctimeMs) < settledAfterMs) return;
  const path = join(cacheDirectory(env), cacheName(stamp));
  const temporary = `${path}.${process.pid}`;
  try {
    makePrivateDirectory(cacheDirectory(env));
    writeFileSync(temporary, JSON.stringify({ key: cacheKey(stamp, env), spec }), { mode: 0o600, flag: 'wx' });
    renameSync(temporary, path);
  } catch {
    // A read-only or full home directory costs time, nothing else.
    removeQuietly(temporary);
  }
}

function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // It was never there: what is above it is no directory, or is not ours.
  }
}

/** Where the parsed form of a cluster file lies, for whoever removes that file for good. */
export function cachePath(path: string, env: Environment): string {
  return join(cacheDirectory(env), cacheName({ path }));
}

function cacheDirectory(env: Environment): string {
  return join(xdgDirectory(env, 'XDG_CACHE_HOME', '.cache'), 'nsh');
}

/** One file for each cluster file, so that old versions do not pile up. */
function cacheName({ path }: Pick<FileStamp, 'path'>): string {
  return `cluster-${createHash('sha256').update(path).digest('hex').slice(0, 16)}.json`;
}

/** Everything that the parsed form depends on; HOME for paths that begin with `~`. */
function cacheKey(stamp: FileStamp, env: Environment): string {
  return JSON.stringify([
    programVersion,
    homeDirectory(env),
    stamp.path,
    stamp.mtimeMs,
    stamp.ctimeMs,
    stamp.size,
    stamp.inode,
  ]);
}

function readOwnFile(path: string): string {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(file);
    const isOurs = stat.isFile() && stat.uid === process.getuid?.() && (stat.mode & 0o022) === 0;
    if (!isOurs) throw new Error('not our own file');
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
}
