/**
 * The daemon: one agent of one user, cluster and node. It owns the socket, the shims' control connections, the links to other
 * nodes, and its own end: told to stop, or idle for long with nothing to hold.
 */
import { chmodSync, renameSync, rmSync, writeSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { bindIn, leaveSocketDirectory, makePrivateDirectory, nodePaths } from '../../src/cluster/paths.ts';
import type { AgentIdentity, ReadyReport } from '../../src/cluster/start-agent.ts';
import { setCommandName } from '../../src/cluster/this-machine.ts';
import { toWireError } from '../../src/protocol/errors.ts';
import { bootContext } from '../boot/boot.ts';
import { ClusterLinks, selfSpec } from './cluster-links.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import { takeLock, waitForLock, type Lock } from './lock.ts';
import { log } from './log.ts';
import { claimIdentity, registerThisMachine } from './node-file.ts';
import { NodeService } from './node-service.ts';
import { inheritedOpenFiles } from './open-files.ts';
import { ShimPool } from './shim-pool.ts';
import { StoreAccess } from './store-access.ts';
import { Supervision } from '../supervision/supervision.ts';
import { Waiters } from './waiters.ts';

export interface ServeOptions extends AgentIdentity {
  /** Seconds without clients and running processes after which the agent ends. 0: never. Default 600. */
  readonly idleSeconds: number;
  /** Ended processes to keep. Default 1,000. */
  readonly keepEnded: number;
  /** Seconds to keep an ended process. Default 7 days. */
  readonly keepAgeSeconds: number;
  /** Seconds without a renewal after which others take this node for lost. Default 15. */
  readonly sessionTtl: number;
  /** False: clients of this machine do not take this agent for their own (several nodes share its PID namespace). */
  readonly isThisMachine: boolean;
  /** Where another agent of the node runs, wait for its end instead of refusing. */
  readonly waits: boolean;
}

/** A queue of connections as long as the kernel lets it be: bursts of channels must not be refused. */
const backlog = 4096;
const storeCloseMs = 1_000;
const groupsCloseMs = 2_500;

export async function serve(options: ServeOptions): Promise<void> {
  // What starts many streams must not die with the terminal it was started from.
  process.on('SIGHUP', () => undefined);
  setCommandName('nsh-agent');
  try {
    const agent = new Agent(options);
    await agent.start();
    report({ ok: true });
  } catch (error) {
    log('not started', { message: String(error) });
    report({ ok: false, error: toWireError(error) });
    process.exit(1);
  }
}

/** Descriptor 3 goes to whoever started this daemon; there may be none (run by hand, or by a service manager). */
function report(ready: ReadyReport): void {
  try {
    writeSync(3, `${JSON.stringify(ready)}\n`);
  } catch {
    // Nobody listens: the log has it.
  }
}

class Agent {
  readonly #options: ServeOptions;
  readonly #connections = new Set<Connection>();
  readonly #server: Server;
  readonly #links: ClusterLinks;
  #shims: ShimPool | undefined;
  #store: StoreAccess | undefined;
  #supervision: Supervision | undefined;
  #lock: Lock | undefined;
  #idleTimer: NodeJS.Timeout | undefined;
  #isStopping = false;

  constructor(options: ServeOptions) {
    this.#options = options;
    this.#links = new ClusterLinks(options.cluster, selfSpec(options.node, options.name));
    this.#server = createServer({ allowHalfOpen: true });
  }

  async start(): Promise<void> {
    const { cluster, node, keepEnded, keepAgeSeconds, isThisMachine, waits } = this.#options;
    // What this agent writes is its user's alone; what it starts has the umask that the user has.
    const umask = process.umask(0o077);
    const paths = nodePaths(process.env, cluster, node);
    makePrivateDirectory(paths.state);
    this.#lock = waits ? await waitForLock(paths.agentLock) : takeLock(paths.agentLock);
    process.on('exit', () => this.#lock?.release());
    makePrivateDirectory(paths.sockets);
    claimIdentity(paths, this.#options);
    if (isThisMachine) registerThisMachine(paths, this.#options);
    const shims: ShimPool = new ShimPool({ paths, keepEnded, keepAgeSeconds, openFiles: inheritedOpenFiles() }, () => {
      waiters.check();
      this.#supervision?.check();
      this.#checkIdle();
    });
    const waiters = new Waiters(shims.table);
    this.#shims = shims;
    await Promise.all([shims.adopt(), this.#findClusterFile()]);
    const service = new NodeService({
      node: this.#links.self,
      paths,
      shims,
      waiters,
      clusterFile: () => this.#links.spec.file?.path,
      umask,
      startedAtMs: Date.now(),
      boot: bootContext({ ...this.#options, paths, options: bootOptions(this.#options), env: process.env }),
      stop: (kill) => this.#stop(kill),
    });
    const store = new StoreAccess(this.#links, paths, {
      onChange: () => this.#checkIdle(),
      onMoved: () => void this.#supervision?.beginAnew(),
    });
    this.#store = store;
    const supervision = new Supervision({
      node: this.#links.self,
      paths,
      shims,
      service,
      openStore: () => store.open(),
      labels: () => this.#links.nodes.find(({ id }) => id === node)?.labels ?? [],
      expected: () => this.#links.nodes.map(({ id }) => id),
      ttlSeconds: this.#options.sessionTtl,
      onChange: () => this.#checkIdle(),
    });
    this.#supervision = supervision;
    this.#server.on('connection', (socket) =>
      this.#accept(socket, { links: this.#links, service, store, supervision }),
    );
    await bindIn(paths.sockets, () => listen(this.#server, paths.agentSocket));
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void this.#stop(false));
    // Before the lock goes: who holds it next has a socket of the same name.
    process.prependListener('exit', () => {
      rmSync(paths.agentSocket, { force: true });
      leaveSocketDirectory(paths.sockets);
    });
    log('serves', { cluster, node, socket: paths.agentSocket });
    supervision.start();
    this.#checkIdle();
  }

  /** On a node nobody else tells this agent of the cluster: where the store is, who the others are. It serves without that too. */
  async #findClusterFile(): Promise<void> {
    if (this.#options.node === 0) return;
    try {
      await this.#links.findFile();
    } catch (error) {
      log('cluster file', { message: String(error) });
    }
  }

  #accept(socket: Socket, options: ConnectionOptions): void {
    const connection = new Connection(socket, options);
    this.#connections.add(connection);
    socket.on('close', () => {
      this.#connections.delete(connection);
      this.#checkIdle();
    });
    this.#checkIdle();
  }

  /** Answers what is asked meanwhile; ends when the answer to `stop` had time to go out. */
  async #stop(kill: boolean): Promise<void> {
    if (this.#isStopping) return;
    this.#isStopping = true;
    log('stops', { kill });
    if (kill) {
      this.#supervision?.freeze();
      await this.#shims?.kill();
    }
    this.#server.close();
    await Promise.race([this.#supervision?.stop(kill), delay(groupsCloseMs)]);
    this.#links.close();
    // What it has acknowledged is on the disk already; a disk that hangs must not hold up the end.
    await Promise.race([this.#store?.close(), delay(storeCloseMs)]);
    setTimeout(() => process.exit(0), 50);
  }

  /** Starts or ends the countdown to this agent's end. */
  #checkIdle(): void {
    const { idleSeconds } = this.#options;
    const isRunning = (this.#shims?.table.runningCount ?? 0) > 0;
    const isBusy =
      this.#connections.size > 0 || isRunning || this.#store?.isHeld === true || this.#supervision?.isHeld === true;
    clearTimeout(this.#idleTimer);
    if (isBusy || idleSeconds === 0) return;
    this.#idleTimer = setTimeout(() => {
      log('idle', { seconds: idleSeconds });
      void this.#stop(false);
    }, idleSeconds * 1000);
  }
}

/** For the agent of a later boot; it has no idle time. */
function bootOptions({ keepEnded, keepAgeSeconds, sessionTtl, isThisMachine }: ServeOptions): string[] {
  const here = isThisMachine ? [] : ['--not-this-machine'];
  return [
    '--keep-ended',
    String(keepEnded),
    '--keep-age',
    String(keepAgeSeconds),
    '--session-ttl',
    String(sessionTtl),
    ...here,
  ];
}

/** Binds under a name of its own and moves it into place: clients find the old socket or the new one, never none. */
function listen(server: Server, path: string): Promise<void> {
  const draft = `${path}~`;
  rmSync(draft, { force: true });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path: draft, backlog }, () => {
      server.off('error', reject);
      chmodSync(draft, 0o600);
      renameSync(draft, path);
      resolve();
    });
  });
}
