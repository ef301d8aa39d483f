/**
 * One other node: its link and the control connection to its agent, opened when somebody needs them and kept warm.
 *
 *   idle ──need──▶ connecting ──▶ up ──link lost──▶ idle (failed, with the reason)
 *                      └─────────▶ failed ──need──▶ connecting
 *
 * Several who need it at once share one attempt. Where that fails and another of them could bring more to it (a terminal, an
 * ssh-agent), it is made again for that one.
 */
import type { Duplex } from 'node:stream';
import type { ClusterSpec, NodeSpec } from '../../src/cluster/node-spec.ts';
import { connectLink } from '../../src/link/connect.ts';
import type { Link, LinkStage } from '../../src/link/link.ts';
import { NshError, toNshError } from '../../src/protocol/errors.ts';
import { loginDeadlineMs } from '../../src/protocol/limits.ts';
import { abilities, PausableDeadline, type Requester } from './link-context.ts';
import { log } from './log.ts';
import { reachAgent, type ReachedAgent } from './reach-agent.ts';

export interface UpLink extends ReachedAgent {
  readonly link: Link;
}

interface Attempt {
  readonly requester: Requester;
  readonly result: Promise<UpLink>;
  readonly stages: Stages;
  readonly abort: AbortController;
  waiters: number;
}

export class NodeConnection {
  readonly node: NodeSpec;
  readonly #spec: ClusterSpec;
  #link: Link | undefined;
  #up: UpLink | undefined;
  #attempt: Attempt | undefined;
  #closed: NshError | undefined;
  #hasAsked = false;
  #failure: { readonly error: NshError; readonly atMs: number } | undefined;

  constructor(spec: ClusterSpec, node: NodeSpec) {
    this.#spec = spec;
    this.node = node;
  }

  get state(): 'idle' | 'connecting' | 'up' | 'failed' {
    if (this.#up !== undefined) return 'up';
    if (this.#attempt !== undefined) return 'connecting';
    return this.#failure === undefined ? 'idle' : 'failed';
  }

  get failure(): NshError | undefined {
    return this.#failure?.error;
  }

  /** The login of the present link had to ask a person for a secret. */
  get hasAsked(): boolean {
    return this.#hasAsked;
  }

  get address(): string | undefined {
    return this.#link?.address;
  }

  /** The link and the agent behind it, opened where they are not. @throws NshError naming the node. */
  async need(requester: Requester): Promise<UpLink> {
    for (;;) {
      if (this.#closed !== undefined) throw this.#closed;
      if (this.#up !== undefined) return this.#up;
      if (requester.isOneOfMany && this.#attempt === undefined) this.#throwFreshFailure();
      const attempt = this.#attempt ?? this.#begin(requester);
      try {
        return await this.#join(attempt, requester);
      } catch (error) {
        const mayDoBetter = attempt.requester !== requester && abilities(requester) > abilities(attempt.requester);
        const wasAbandoned = attempt.requester !== requester && attempt.requester.signal.aborted;
        if (requester.signal.aborted || !(mayDoBetter || wasAbandoned)) throw error;
      }
    }
  }

  /** A stream to a Unix socket of the node. */
  async openSocket(path: string | undefined, requester: Requester): Promise<Duplex> {
    const { link, agentSocket } = await this.need(requester);
    return await link.openSocket(
      path ?? agentSocket,
      AbortSignal.any([requester.signal, AbortSignal.timeout(loginDeadlineMs)]),
    );
  }

  /** For good: who needs the node from now on needs another connection to it. */
  close(why: string): void {
    this.#closed = new NshError('linkLost', `${this.node.name}: ${why}`);
    this.#attempt?.abort.abort(this.#closed);
    this.#up?.peer.close();
    this.#link?.close();
  }

  /** A node that keeps everybody waiting until a timeout does so once in a while only. */
  #throwFreshFailure(): void {
    const failure = this.#failure;
    if (failure?.error.code !== 'timeout') return;
    const ageMs = performance.now() - failure.atMs;
    if (ageMs > failureMemoryMs) return;
    const { message, data } = failure.error;
    const seconds = Math.max(1, Math.round(ageMs / 1000));
    throw new NshError('timeout', `${message} (tried ${seconds} s ago)`, {
      cause: failure.error,
      ...(data === undefined ? {} : { data }),
    });
  }

  #begin(requester: Requester): Attempt {
    const abort = new AbortController();
    const stages = new Stages();
    const attempt: Attempt = {
      requester,
      abort,
      stages,
      waiters: 0,
      result: this.#connect(requester, stages, abort.signal),
    };
    this.#attempt = attempt;
    attempt.result.then(
      () => {
        this.#attempt = undefined;
        this.#failure = undefined;
      },
      (error: unknown) => {
        this.#attempt = undefined;
        this.#failure = { error: toNshError(error), atMs: performance.now() };
        log('no link', { node: this.node.name, code: toNshError(error).code, message: toNshError(error).message });
      },
    );
    return attempt;
  }

  /** Waits for an attempt as one of several; the last one to leave ends it. */
  async #join(attempt: Attempt, requester: Requester): Promise<UpLink> {
    attempt.waiters++;
    if (requester.onStage !== undefined) attempt.stages.add(requester.onStage);
    let onAbort: (() => void) | undefined;
    const left = new Promise<never>((_, reject) => {
      onAbort = () => reject(new NshError('cancelled', `${this.node.name}: nobody waits for it any more`));
      requester.signal.addEventListener('abort', onAbort, { once: true });
    });
    try {
      return await Promise.race([attempt.result, left]);
    } finally {
      if (onAbort !== undefined) requester.signal.removeEventListener('abort', onAbort);
      if (requester.onStage !== undefined) attempt.stages.delete(requester.onStage);
      requester.onStage?.('done');
      attempt.waiters--;
      if (attempt.waiters === 0 && this.#attempt === attempt)
        attempt.abort.abort(new NshError('cancelled', `${this.node.name}: nobody waits for it any more`));
    }
  }

  async #connect(requester: Requester, stages: Stages, abandoned: AbortSignal): Promise<UpLink> {
    const tell = (stage: LinkStage): void => stages.tell(stage);
    const link = this.#link ?? (await this.#openLink(requester, tell, abandoned));
    tell('agent');
    const deadline = AbortSignal.timeout(loginDeadlineMs);
    const signal = AbortSignal.any([abandoned, deadline]);
    try {
      const target = { spec: this.#spec, node: this.node };
      const agent = await reachAgent(link, target, requester.mayStart, signal, () => this.#link === link);
      return this.#adopt({ link, ...agent });
    } catch (error) {
      if (!deadline.aborted) throw error;
      throw new NshError('timeout', `${this.node.name}: its agent did not start within ${loginDeadlineMs / 1000} s`, {
        cause: error,
      });
    }
  }

  async #openLink(requester: Requester, tell: (stage: LinkStage) => void, abandoned: AbortSignal): Promise<Link> {
    const { prompt, sshAuthSock } = requester;
    const deadline = new PausableDeadline(
      loginHardDeadlineMs,
      `${this.node.name}: login took longer than ${loginHardDeadlineMs / 1000} s`,
    );
    let hasAsked = false;
    const noting = (ask: NonNullable<typeof prompt>): typeof ask => {
      return (request) => {
        if (request.kind !== 'host-key') hasAsked = true;
        return ask(request);
      };
    };
    const askThePerson = prompt && pausing(deadline, noting(prompt));
    try {
      const link = await connectLink(
        { spec: this.#spec, node: this.node },
        {
          signal: AbortSignal.any([abandoned, deadline.signal]),
          onStage: tell,
          ...(askThePerson === undefined ? {} : { prompt: askThePerson }),
          ...(sshAuthSock === undefined ? {} : { sshAuthSock }),
        },
      );
      this.#link = link;
      this.#hasAsked = hasAsked;
      log('link up', { node: this.node.name, address: link.address });
      void link.closed.then((error) => this.#linkLost(link, error));
      return link;
    } finally {
      deadline.stop();
    }
  }

  #adopt(up: UpLink): UpLink {
    this.#up = up;
    void up.peer.closed.then(() => {
      // The agent there died; the link may well stand: the next one who needs it starts the agent again.
      if (this.#up === up) this.#up = undefined;
    });
    return up;
  }

  #linkLost(link: Link, error: Error | undefined): void {
    if (this.#link !== link) return;
    this.#link = undefined;
    this.#up?.peer.close(
      new NshError(
        'linkLost',
        `${this.node.name}: the link was lost${error === undefined ? '' : `: ${error.message}`}`,
      ),
    );
    this.#up = undefined;
    log('link lost', { node: this.node.name, error: error?.message });
    if (error !== undefined) this.#failure = { error: toNshError(error, 'linkLost'), atMs: performance.now() };
  }
}

/** How far an attempt is, for all who wait for it: who comes later is told at once. */
class Stages {
  readonly #listeners = new Set<(stage: LinkStage) => void>();
  #now: LinkStage | undefined;

  add(onStage: (stage: LinkStage) => void): void {
    this.#listeners.add(onStage);
    if (this.#now !== undefined) onStage(this.#now);
  }

  delete(onStage: (stage: LinkStage) => void): void {
    this.#listeners.delete(onStage);
  }

  tell(stage: LinkStage): void {
    this.#now = stage;
    for (const onStage of this.#listeners) onStage(stage);
  }
}

/** For so long a node that timed out is not tried again for requests to many nodes. */
const failureMemoryMs = 20_000;

/** Links keep ConnectTimeout (or 15 s) themselves; this only bounds one that does not. */
const loginHardDeadlineMs = 120_000;

function pausing<T, R>(deadline: PausableDeadline, ask: (request: T) => Promise<R>): (request: T) => Promise<R> {
  return async (request) => {
    deadline.pause();
    try {
      return await ask(request);
    } finally {
      deadline.resume();
    }
  };
}
