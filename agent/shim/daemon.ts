/** Puts server, control and processes together, and decides when the shim goes. */
import { NshError } from '../../src/protocol/errors.ts';
import type { RpcPeer } from '../../src/rpc/peer.ts';
import { serveControl } from './control-connection.ts';
import { findFacilities } from './facilities.ts';
import { FifoPool } from './fifo-pool.ts';
import { ShimServer } from './server.ts';
import { Shim } from './shim.ts';
import { log } from './shim-log.ts';
import type { ShimOptions } from './shim-options.ts';
import { Singletons } from './singletons.ts';
import { ProcessStarter } from './start-process.ts';

/** Between TERM and KILL at `stop` with kill. */
const killAfterMs = 1_000;
const goneDeadlineMs = 5_000;
/** A control connection that leaves more than this unread is closed. */
const maxUnreadBytes = 64 * 1024 * 1024;

export class Daemon {
  readonly #options: ShimOptions;
  readonly #onGone: () => void;
  readonly #pipes = new FifoPool();
  readonly #controls = new Set<RpcPeer>();
  readonly #server: ShimServer;
  #shim: Shim | undefined;
  #idleTimer: NodeJS.Timeout | undefined;
  #isStopping = false;
  #isGoing = false;

  constructor(options: ShimOptions, onGone: () => void) {
    this.#options = options;
    this.#onGone = onGone;
    this.#server = new ShimServer({
      onControl: (socket) => {
        const peer = serveControl(socket, this.#running(), (kill) => this.#stop(kill));
        this.#controls.add(peer);
        void peer.closed.then(() => this.#controls.delete(peer));
      },
      openStream: (open) => this.#running().openStream(open),
      onChange: () => this.#considerGoing(),
    });
  }

  async start(): Promise<void> {
    const [facilities] = await Promise.all([findFacilities(), this.#pipes.refill()]);
    const starter = new ProcessStarter(facilities, this.#pipes, this.#options.openFiles);
    const singletons = new Singletons({
      shell: facilities.bash ?? facilities.shell,
      cover: (stdio, harmless) => starter.cover(stdio, harmless),
    });
    this.#shim = new Shim(this.#options, starter, singletons, {
      started: (process) => this.#notify('started', { process }),
      exited: (process) => {
        const { pid, start, boot } = process.record;
        this.#notify('exited', { process: { pid, start, boot }, exit: process.exit });
        this.#considerGoing();
      },
      changed: () => this.#considerGoing(),
    });
    this.#shim.sweep();
    await this.#server.listen(this.#options.socket);
    this.#considerGoing();
  }

  leaveWhenEmpty(): void {
    this.#shim?.leave();
  }

  #running(): Shim {
    if (this.#shim === undefined) throw new NshError('internal', 'the shim is not up yet');
    return this.#shim;
  }

  #notify(method: 'started' | 'exited', params: unknown): void {
    for (const peer of this.#controls) {
      if (peer.stream.writableLength <= maxUnreadBytes) peer.notify(method, params);
      else peer.close(new NshError('tooLarge', 'the other end does not read what it is told'));
    }
  }

  async #stop(kill: boolean): Promise<void> {
    const shim = this.#running();
    shim.leave();
    if (!kill) return;
    this.#isStopping = true;
    shim.killAll('terminate');
    const isEmpty = (): boolean => shim.runningCount === 0;
    if (!(await within(killAfterMs, isEmpty))) {
      shim.killAll('kill');
      await within(goneDeadlineMs, isEmpty);
    }
    // The answer goes out first.
    setImmediate(() => this.#go('was told to'));
  }

  #considerGoing(): void {
    const shim = this.#shim;
    if (shim === undefined || this.#isStopping || this.#isGoing) return;
    if (shim.size > 0) {
      clearTimeout(this.#idleTimer);
      this.#idleTimer = undefined;
    } else if (shim.isLeaving) {
      setImmediate(() => this.#go('was told to, and is empty'));
    } else if (this.#server.connectionCount > 0) {
      clearTimeout(this.#idleTimer);
      this.#idleTimer = undefined;
    } else {
      this.#idleTimer ??= setTimeout(() => this.#go('is idle'), this.#options.idleMs);
    }
  }

  #go(why: string): void {
    const shim = this.#running();
    if (this.#isGoing || (shim.size > 0 && !shim.isLeaving)) return;
    this.#isGoing = true;
    log('the shim goes', { why });
    this.#server.close();
    this.#pipes.close();
    // What was written to connections has a moment to leave.
    setTimeout(this.#onGone, 50);
  }
}

const pollMs = 10;

async function within(ms: number, isTrue: () => boolean): Promise<boolean> {
  for (let waited = 0; waited < ms && !isTrue(); waited += pollMs) {
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  return isTrue();
}
