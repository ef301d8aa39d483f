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
 *       store/            the embedded store, on the node that holds it: data.mdb, lock.mdb (LMDB), lock
 *
 * Sockets lie in ID/ too, or in /tmp/nsh-UID-HASH/ where that path is too long for sun_path (108 bytes, unix(7)) or on a
 * network file system, which has no working sockets. That one is removed by the last of agent and shims that leaves it.
 */
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readFileSync, rmdirSync, statfsSync, statSync, type Stats } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import type { NodeId } from '../ids/gpid.ts';
import { NshError } from '../protocol/errors.ts';
import { xdgDirectory } from './file/file-paths.ts';
import { stateFault } from './state-fault.ts';

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
  readonly store: string;
}

export function clusterDirectory(env: Environment, cluster: string): string {
  return join(xdgDirectory(env, 'XDG_STATE_HOME', '.local/state'), 'nsh', cluster);
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
    store: join(state, 'store'),
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

const temporaryName = /^\/tmp\/nsh-\d+-[0-9a-f]{12}$/;

/**
 * A socket in this directory was removed: one in /tmp goes too where it was the last. Whoever is just coming makes it anew
 * (`bindIn`).
 */
export function leaveSocketDirectory(path: string): void {
  if (!temporaryName.test(path)) return;
  try {
    rmdirSync(path);
  } catch {
    // Somebody else's socket is in there, or somebody else was quicker: it is theirs to leave or has gone.
  }
}

const maxBindAttempts = 20;

/**
 * Binds a socket in a private directory, which is made where it is missing; also where the last one there removes it between that and
 * the binding. @throws NshError `unsafeSocket`, and what `bind` throws.
 */
export async function bindIn(directory: string, bind: () => Promise<void>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      makePrivateDirectory(directory);
      return await bind();
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // bind(2) says ENOENT, which libuv reports as EACCES.
      if ((code !== 'ENOENT' && code !== 'EACCES') || attempt === maxBindAttempts) throw error;
    }
  }
}

/** f_type of statfs(2): NFS, SMB, CIFS, SMB2, 9P, AFS, Coda, FUSE (sshfs and its like), Ceph, Lustre, GPFS. */
const networkFileSystems: ReadonlySet<number> = new Set([
  0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x01021997, 0x5346414f, 0x73757245, 0x65735546, 0x00c36400, 0x0bd00bd0,
  0x47504653,
]);

/** Also of a path that is not there yet: where it would lie. */
export function isOnNetworkFileSystem(path: string): boolean {
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
 * @throws NshError `unsafeSocket` where it is a link, another user's, or open to others and cannot be closed; `agentFailed` where it
 *   cannot be made.
 */
export function makePrivateDirectory(path: string): void {
  try {
    makeDirectories(path);
  } catch (error) {
    throw stateFault(path, error, temporaryName.test(path));
  }
  checkPrivateDirectory(path);
}

/** As mkdir(1) with -p. Node's own `recursive` says ENOENT of a read-only file system, and never ends below /proc. */
function makeDirectories(path: string): void {
  if (isMade(path)) return;
  makeDirectories(dirname(path));
  if (!isMade(path)) throw Object.assign(new Error(`${path} cannot be made`), { code: 'ENOENT' });
}

/** @returns false where what is above it is missing. */
function isMade(path: string): boolean {
  try {
    mkdirSync(path, { mode: 0o700 });
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && path !== '/') return false;
    if (code !== 'EEXIST') throw error;
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isDirectory() === true) return true;
    if (found !== undefined) throw error;
    // Another one has just removed it; or it is a link that leads nowhere.
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return isMade(path);
    throw Object.assign(new Error(`${path} leads nowhere`), { code: 'ENOENT' });
  }
}

/** @throws NshError `unsafeSocket`; `agentFailed` where it cannot be looked at; ENOENT as it is, where it is not there. */
export function checkPrivateDirectory(path: string): void {
  const stat = statPrivate(path);
  const uid = process.getuid?.() ?? 0;
  if (!stat.isDirectory()) throw unsafe(path, 'is not a directory');
  if (stat.uid !== uid) throw unsafe(path, `belongs to user ${stat.uid}, not to you (${uid})`);
  if ((stat.mode & 0o077) !== 0)
    throw unsafe(path, `is open to others (mode ${(stat.mode & 0o777).toString(8)}); chmod 700 it`);
}

function statPrivate(path: string): Stats {
  try {
    return lstatSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw error;
    throw stateFault(path, error, temporaryName.test(path));
  }
}

function unsafe(path: string, why: string): NshError {
  return new NshError('unsafeSocket', `${path} ${why}: nsh keeps no socket there`);
}
