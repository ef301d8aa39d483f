/**
 * SSH connections of this process's own, beside those of this machine's agent: for streams that stay or carry much (shortcut.ts), and
 * for whoever opens one stream after the other. They ask nobody, and are not tried where the agent had to ask: whoever answered once must not be asked, or a host be knocked at, again.
 */
import type { Duplex } from 'node:stream';
import type { NodeStatus } from '../protocol/control.ts';
import { NshError, toNshError } from '../protocol/errors.ts';
import type { Link } from '../link/link.ts';
import type { ClusterSpec, NodeSpec } from './node-spec.ts';
import type { Environment } from './paths.ts';
import { mayPass } from './process-stream/retry.ts';

/** A process that has dialled a node so often is taken to go on: the login pays for itself. */
const busyAfterDials = 8;

export interface DirectLinksOptions {
  readonly spec: ClusterSpec;
  readonly env: Environment;
  /** What the agent knows of its own links. */
  readonly status: () => Promise<readonly NodeStatus[]>;
}

export class DirectLinks {
  readonly #options: DirectLinksOptions;
  readonly #links = new Map<number, Promise<Link>>();
  /** Those of `#links` that are up. */
  readonly #up = new Map<number, Link>();
  readonly #dials = new Map<number, number>();
  readonly #closing = new AbortController();

  constructor(options: DirectLinksOptions) {
    this.#options = options;
  }

  /**
   * A stream to a Unix socket of the node, paused. The link is opened with the first one and serves all.
   * @throws NshError where there is no way that asks nobody.
   */
  async openSocket(node: NodeSpec, socket: string, signal: AbortSignal): Promise<Duplex> {
    const link = await this.#link(node);
    return await link.openSocket(socket, signal);
  }

  /**
   * A stream over the link that a busy process has to a node; undefined where there is none yet, or it has just broken.
   * @throws NshError `noAgent` where nothing listens at `socket`.
   */
  async dialIfBusy(node: NodeSpec, socket: string, signal: AbortSignal): Promise<Duplex | undefined> {
    const link = this.#up.get(node.id);
    if (link === undefined) {
      this.#countDial(node);
      return undefined;
    }
    try {
      return await link.openSocket(socket, signal);
    } catch (error) {
      if (signal.aborted || toNshError(error).code === 'noAgent') throw error;
      return undefined;
    }
  }

  close(): void {
    this.#closing.abort(new NshError('cancelled', 'the cluster client is closed'));
    for (const link of this.#links.values()) {
      link.then(
        (open) => open.close(),
        () => undefined,
      );
    }
  }

  #link(node: NodeSpec): Promise<Link> {
    const known = this.#links.get(node.id);
    if (known !== undefined) return known;
    const link = this.#connect(node);
    this.#links.set(node.id, link);
    // One that was refused is not tried again by this process; one that broke is.
    link.then(
      (open) => {
        this.#up.set(node.id, open);
        void open.closed.then(() => this.#forget(node));
      },
      (error: unknown) => {
        if (mayPass(toNshError(error))) this.#links.delete(node.id);
      },
    );
    return link;
  }

  #forget(node: NodeSpec): void {
    this.#up.delete(node.id);
    this.#links.delete(node.id);
  }

  #countDial(node: NodeSpec): void {
    if (node.transport === 'openssh') return;
    const dials = (this.#dials.get(node.id) ?? 0) + 1;
    this.#dials.set(node.id, dials);
    // Where it fails everything stays as it is.
    if (dials === busyAfterDials) this.#link(node).catch(() => undefined);
  }

  async #connect(node: NodeSpec): Promise<Link> {
    const { spec, env, status } = this.#options;
    const known = (await status()).find(({ id }) => id === node.id);
    if (known?.state !== 'up') throw new NshError('unreachable', `${node.name}: no link is up yet`);
    if (known.asked === true) throw new NshError('authFailed', `${node.name}: the login there asks a person`);
    const { connectLink } = await import('../link/connect.ts');
    const sshAuthSock = env['SSH_AUTH_SOCK'];
    return await connectLink(
      { spec, node },
      {
        signal: this.#closing.signal,
        ...(sshAuthSock === undefined || sshAuthSock === '' ? {} : { sshAuthSock }),
      },
    );
  }
}
