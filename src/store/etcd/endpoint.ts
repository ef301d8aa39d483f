/**
 * One etcd member as clients see it: a gRPC channel to one URL, which connects when it is needed and again when it was lost. It makes one
 * attempt at a time and tells exactly how that ended; which endpoint is tried, and whether another one is, is decided in endpoints.ts.
 */
import {
  Client,
  connectivityState,
  Metadata,
  type CallOptions as GrpcOptions,
  type ClientDuplexStream,
  type ServiceError,
} from '@grpc/grpc-js';
import { isIP } from 'node:net';
import { grpcStatus, type Failure } from './failures.ts';
import { status as statusMethod, type Method } from './methods.ts';
import { plainReason } from './plain-reason.ts';
import type { CredentialFiles } from './credentials.ts';
import { SignsOfLife } from './signs-of-life.ts';
import { authorityOf, hostOf } from './etcd-url.ts';

export interface Attempt {
  /** In ms of `performance.now()`. */
  readonly deadline: number;
  readonly signal: AbortSignal;
  /** False: also a member without a leader answers. Default true. */
  readonly needsLeader?: boolean;
}

/** An attempt that failed. `endpoint` is the URL. */
export class AttemptFailed extends Error implements Failure {
  override readonly name = 'AttemptFailed';
  readonly endpoint: string;
  readonly code: number;
  readonly details: string;
  readonly wasSent: boolean;

  constructor(endpoint: string, { code, details, wasSent }: Failure, cause?: unknown) {
    super(`etcd at ${endpoint}: ${details}`, cause === undefined ? undefined : { cause });
    this.endpoint = endpoint;
    this.code = code;
    this.details = details;
    this.wasSent = wasSent;
  }
}

const channelOptions = {
  // A write is never repeated by itself.
  'grpc.enable_retries': 0,
  // etcd closes a connection that is pinged more often than every 5 s, or while nothing is under way on it.
  'grpc.keepalive_time_ms': 6_000,
  'grpc.keepalive_timeout_ms': 3_000,
  'grpc.keepalive_permit_without_calls': 0,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.min_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1_000,
  'grpc.dns_min_time_between_resolutions_ms': 1_000,
  'grpc.service_config_disable_resolution': 1,
  'grpc.enable_http_proxy': 0,
  // A store that is closed closes its connections, whoever else speaks to the same member.
  'grpc.use_local_subchannel_pool': 1,
  // A list may be large, and it was asked for.
  'grpc.max_receive_message_length': -1,
} as const;

/** How long to look for the reason why no connection is to be had. */
const reasonTimeoutMs = 100;

export class Endpoint {
  readonly url: string;
  /** All go over one connection. */
  readonly life = new SignsOfLife();
  readonly #target: URL;
  readonly #files: CredentialFiles;
  readonly #token: () => string | undefined;
  /** Of the files that the client's credentials are from. */
  #stamp: string;
  #client: Client;
  #isClosed = false;

  /**
   * @param target checked by etcd-url.ts
   * @param token goes with every request, where there is one: login.ts
   */
  constructor(target: URL, files: CredentialFiles, token: () => string | undefined) {
    this.url = target.origin;
    this.#target = target;
    this.#files = files;
    this.#token = token;
    this.#stamp = files.stamp;
    this.#client = this.#makeClient();
  }

  /** Returns when there is a connection. @throws AttemptFailed (not sent) */
  async connect({ deadline, signal }: Attempt): Promise<void> {
    for (;;) {
      const channel = this.#client.getChannel();
      const state = channel.getConnectivityState(true);
      if (state === connectivityState.READY) return;
      if (state === connectivityState.TRANSIENT_FAILURE) {
        if (await this.#hasNewCredentials()) continue;
        throw this.#unsent(await this.#whyNot());
      }
      if (state === connectivityState.SHUTDOWN) throw this.#unsent('closed');
      if (signal.aborted) throw this.#unsent('given up', grpcStatus.cancelled);
      if (!(await this.#hasChanged(state, deadline, signal)) && performance.now() >= deadline)
        throw this.#unsent('no connection in time', grpcStatus.deadlineExceeded);
    }
  }

  /**
   * One request, one answer, over a connection that is there: call `connect` before.
   * @throws AttemptFailed
   */
  async unary<I, O>(method: Method<I, O>, request: I, attempt: Attempt): Promise<O> {
    const { signal } = attempt;
    if (signal.aborted) throw this.#unsent('given up', grpcStatus.cancelled);
    return await new Promise((resolve, reject) => {
      const call = this.#client.makeUnaryRequest(
        method.path,
        method.encode,
        method.decode,
        request,
        this.#metadata(attempt),
        this.#options(attempt),
        (error, value) => {
          signal.removeEventListener('abort', cancel);
          if (error !== null) reject(this.#failed(error));
          else if (value === undefined) reject(this.#failed({ code: grpcStatus.internal, details: 'an empty answer' }));
          else {
            this.life.hear(performance.now());
            resolve(value);
          }
        },
      );
      const cancel = (): void => call.cancel();
      signal.addEventListener('abort', cancel, { once: true });
    });
  }

  /** Both ways. It fails with gRPC's errors: `failureOf`. The caller ends it with `cancel()`. */
  stream<I, O>(method: Method<I, O>): ClientDuplexStream<I, O> {
    return this.#client.makeBidiStreamRequest(method.path, method.encode, method.decode, this.#metadata({}), {});
  }

  /** What a stream, or anything else below it, threw. */
  failureOf(error: unknown): AttemptFailed {
    if (error instanceof AttemptFailed) return error;
    if (isServiceError(error)) return this.#failed(error);
    return this.#failed({ code: grpcStatus.unknown, details: error instanceof Error ? error.message : String(error) });
  }

  close(): void {
    this.#isClosed = true;
    this.#client.close();
  }

  #makeClient(): Client {
    const target = this.#target;
    // An address is no name to ask a TLS server for (RFC 6066); the certificate is checked against it all the same: credentials.ts.
    const name = isIP(hostOf(target)) === 0 ? {} : { 'grpc.ssl_target_name_override': 'etcd' };
    const options = { ...channelOptions, ...name };
    return new Client(`dns:${authorityOf(target)}`, this.#files.for(target), options);
  }

  /** True: there is a new client. The old one has no connection, and so nothing under way. */
  async #hasNewCredentials(): Promise<boolean> {
    if (this.#target.protocol === 'http:') return false;
    await this.#files.refresh();
    if (this.#files.stamp === this.#stamp || this.#isClosed) return false;
    this.#stamp = this.#files.stamp;
    this.#client.close();
    this.#client = this.#makeClient();
    return true;
  }

  #metadata({ needsLeader = true }: { readonly needsLeader?: boolean }): Metadata {
    const metadata = new Metadata();
    // A member that is cut off from the others says so at once, and ends its streams, instead of being silent.
    if (needsLeader) metadata.set('hasleader', 'true');
    const token = this.#token();
    if (token !== undefined) metadata.set('token', token);
    return metadata;
  }

  #options({ deadline }: Attempt): GrpcOptions {
    return { deadline: Date.now() + Math.max(1, deadline - performance.now()) };
  }

  /** False where nothing changed by the deadline, or it was given up. */
  async #hasChanged(from: connectivityState, deadline: number, signal: AbortSignal): Promise<boolean> {
    return await new Promise((resolve) => {
      const giveUp = (): void => resolve(false);
      signal.addEventListener('abort', giveUp, { once: true });
      const until = Date.now() + Math.max(1, deadline - performance.now());
      this.#client.getChannel().watchConnectivityState(from, until, (error) => {
        signal.removeEventListener('abort', giveUp);
        resolve(error === undefined);
      });
    });
  }

  /** The channel keeps the reason to itself and tells it to calls alone: one that changes nothing is sent to learn it. */
  async #whyNot(): Promise<string> {
    const deadline = performance.now() + reasonTimeoutMs;
    const never = new AbortController().signal;
    return await this.unary(statusMethod, {}, { deadline, signal: never, needsLeader: false }).then(
      () => 'the connection was lost',
      (error: unknown) => plainReason(this.failureOf(error).details),
    );
  }

  #failed(error: { readonly code: number; readonly details: string }): AttemptFailed {
    // grpc-js tells where the time went, which helps nobody but its authors.
    const details = error.code === grpcStatus.deadlineExceeded ? 'no answer in time' : error.details;
    return new AttemptFailed(this.url, { code: error.code, details, wasSent: true }, error);
  }

  #unsent(details: string, code: number = grpcStatus.unavailable): AttemptFailed {
    return new AttemptFailed(this.url, { code, details, wasSent: false });
  }
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' && 'details' in error;
}
