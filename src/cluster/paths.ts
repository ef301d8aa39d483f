/**
 * Where things of one cluster and node lie on its machine:
 *
 *   ${XDG_STATE_HOME:-~/.local/state}/nsh/CLUSTER/
 *     names/NAME          the id that the node of this name was given here
 *     boots/BOOT          the id of the node that this machine is (by boot identity)
 *     ID/                 0700; for node 0 `0-` and a hash of the machine
 *       node.json         id and name, since the first start
 *       agent.lock, agent.log
 *       shims/SHIM/       shim.json, shim.log
 *       processes/PID-START-BOOT/
 *
 * Sockets lie in ID/ too, or in /tmp/nsh-UID-HASH/ where that path is too long for sun_path (108 bytes, unix(7)) or on a
 * network file system, which has no working sockets.
 */
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readFileSync, statfsSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import type { NodeId } from '../ids/gpid.ts';
import { NshError } from '../protocol/errors.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface NodePaths {
  readonly cluster: string;
  readonly state: string;
  readonly sockets: string;
  readonly agentSocket: string;
  readonly agentLock: string;
  readonly agentLog: string;
  readonly nodeFile: string;
  readonly shims: string;
  readonly processes: string;
}

export function clusterDirectory(env: Environment, cluster: string): string {
  const given = env['XDG_STATE_HOME'];
  const base = given !== undefined && given.startsWith('/') ? given : join(env['HOME'] ?? homedir(), '.local/state');
  return join(base, 'nsh', cluster);
}

/** Longest socket path that all of nsh's names fit into: 107 bytes less `/shim-XXXXXXXX.sock`. */
const maxSocketDirectoryBytes = 85;

export function nodePaths(env: Environment, cluster: string, node: NodeId): NodePaths {
  const directory = clusterDirectory(env, cluster);
  const state = join(directory, node === 0 ? `0-${machineHash()}` : String(node));
  const isShort = Buffer.byteLength(state) <= maxSocketDirectoryBytes;
  const sockets = isShort && !isOnNetworkFileSystem(state) ? state : temporaryDirectory(state);
  return {
    cluster: directory,
    state,
    sockets,
    agentSocket: join(sockets, 'agent.sock'),
    agentLock: join(state, 'agent.lock'),
    agentLog: join(state, 'agent.log'),
    nodeFile: join(state, 'node.json'),
    shims: join(state, 'shims'),
    processes: join(state, 'processes'),
  };
}

/** Machines that are in no cluster file are all node 0, and may share a home directory. */
function machineHash(): string {
  let machineId = '';
  try {
    machineId = readFileSync('/etc/machine-id', 'latin1');
  } catch {
    // Not every system has one: the host name tells machines apart then.
  }
  return createHash('sha256').update(`${machineId}\n${hostname()}`).digest('hex').slice(0, 8);
}

function temporaryDirectory(state: string): string {
  const hash = createHash('sha256').update(state).digest('hex').slice(0, 12);
  return `/tmp/nsh-${process.getuid?.() ?? 0}-${hash}`;
}

/** f_type of statfs(2): NFS, SMB, CIFS, SMB2, 9P, AFS, Coda, FUSE (sshfs and its like), Ceph, Lustre, GPFS. */
const networkFileSystems: ReadonlySet<number> = new Set([
  0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x01021997, 0x5346414f, 0x73757245, 0x65735546, 0x00c36400, 0x0bd00bd0,
  0x47504653,
]);

function isOnNetworkFileSystem(path: string): boolean {
  for (let directory = path; ; directory = join(directory, '..')) {
    try {
      return networkFileSystems.has(statfsSync(directory).type);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || directory === '/') return false;
    }
  }
}

/**
 * Makes a directory that is this user's alone, with what is missing above it.
 * @throws NshError `unsafeSocket` where it is a link, another user's, or open to others and cannot be closed.
 */
export function makePrivateDirectory(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  checkPrivateDirectory(path);
}

/** @throws NshError `unsafeSocket` */
export function checkPrivateDirectory(path: string): void {
  const stat = lstatSync(path);
  const uid = process.getuid?.() ?? 0;
  if (!stat.isDirectory()) throw unsafe(path, 'is not a directory');
  if (stat.uid !== uid) throw unsafe(path, `belongs to user ${stat.uid}, not to you (${uid})`);
  if ((stat.mode & 0o077) !== 0)
    throw unsafe(path, `is open to others (mode ${(stat.mode & 0o777).toString(8)}); chmod 700 it`);
}

function unsafe(path: string, why: string): NshError {
  return new NshError('unsafeSocket', `${path} ${why}: nsh keeps no socket there`);
}
