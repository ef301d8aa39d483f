/**
 * For whom a link is opened: the client connection that needs it first. Its terminal gets the prompts, its ssh-agent may be
 * used. Time that a person takes to answer does not count against the login.
 */
import type { LinkStage } from '../../src/link/link.ts';
import type { PromptParams } from '../../src/protocol/control.ts';
import { NshError } from '../../src/protocol/errors.ts';

export interface Requester {
  readonly sshAuthSock?: string;
  readonly prompt?: (request: PromptParams) => Promise<string>;
  /** `done` comes last, whether the link is up or has failed. */
  readonly onStage?: (stage: LinkStage | 'done') => void;
  /** False: an agent that does not run is left so (`agent status`, `agent stop`). */
  readonly mayStart: boolean;
  /** One of many nodes: a node that did not answer a moment ago is not waited for again. */
  readonly isOneOfMany: boolean;
  readonly signal: AbortSignal;
}

/** What a requester can bring to an attempt; more is better where one with less has failed. */
export function abilities(requester: Requester): number {
  const { prompt, sshAuthSock, mayStart } = requester;
  return (mayStart ? 4 : 0) + (prompt === undefined ? 0 : 2) + (sshAuthSock === undefined ? 0 : 1);
}

/** Fires `deadlineMs` after its start, less the time between pause and resume. */
export class PausableDeadline {
  readonly #controller = new AbortController();
  readonly #message: string;
  #leftMs: number;
  #startedAt = performance.now();
  #timer: NodeJS.Timeout | undefined;

  constructor(deadlineMs: number, message: string) {
    this.#leftMs = deadlineMs;
    this.#message = message;
    this.resume();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  pause(): void {
    clearTimeout(this.#timer);
    this.#leftMs -= performance.now() - this.#startedAt;
  }

  resume(): void {
    this.#startedAt = performance.now();
    this.#timer = setTimeout(
      () => this.#controller.abort(new NshError('timeout', this.#message)),
      Math.max(0, this.#leftMs),
    );
    this.#timer.unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
