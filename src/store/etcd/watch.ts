/**
 * A watch that outlives its connections: after each loss it goes on at the revision behind the last one that it told, at the next
 * endpoint. Progress and header revisions never move it: some releases of etcd tell them ahead of events that are still to come
 * (https://github.com/etcd-io/etcd/issues/15220).
 */
import type { ClientDuplexStream } from '@grpc/grpc-js';
import { backoffDelayMs } from '../../policy/backoff.ts';
import { NshError } from '../../protocol/errors.ts';
import { storeClosed, storeCompacted, storeUnavailable } from '../errors.ts';
import type { WatchBatch, WatchOptions } from '../store.ts';
import { call } from './call.ts';
import { rangeOf } from './convert.ts';
import type { Endpoint } from './endpoint.ts';
import type { Endpoints } from './endpoints.ts';
import { meaningOf } from './failures.ts';
import { withHint } from './hints.ts';
import type { Pass } from './login.ts';
import type { InputOf, watchRequest, WatchResponse } from './messages.ts';
import { range, watch as watchMethod } from './methods.ts';
import { WatchBatches } from './watch-batches.ts';
import type { SignsOfLife } from './signs-of-life.ts';
import { anyOf, pause } from './waiting.ts';

export interface WatchTiming {
  /** How often a member that is silent, to this watch and to everybody else, is asked for a sign of life, ms. */
  readonly progressMs: number;
  /** How long it may be silent all the same, ms; twice as long after each time that this ended a watch. */
  readonly silenceMs: number;
}

const usualTiming: WatchTiming = { progressMs: 4_000, silenceMs: 10_000 };
const retry = { baseMs: 100, maxMs: 2_000 };
const connectMs = 3_000;

export async function* watchPrefix(
  endpoints: Endpoints,
  prefix: string,
  fromRevision: bigint,
  options: WatchOptions,
  timing: WatchTiming = usualTiming,
): AsyncGenerator<WatchBatch, void, undefined> {
  const { signal, release } = anyOf(endpoints.closing.signal, options.signal);
  let next = fromRevision;
  let hasTold = false;
  let cluster = 0n;
  let failures = 0;
  let silences = 0;
  try {
    for (;;) {
      if (endpoints.closing.signal.aborted) throw storeClosed();
      if (options.signal?.aborted === true) return;
      const endpoint = endpoints.current;
      let pass: Pass = { token: undefined, isNew: true };
      try {
        const attempt = { deadline: performance.now() + connectMs, signal };
        await endpoint.connect(attempt);
        pass = (await endpoints.login?.need(endpoint, attempt)) ?? pass;
        const silenceMs = timing.silenceMs * 2 ** Math.min(silences, 4);
        for await (const batch of watchOnce(endpoint, prefix, next, { ...timing, silenceMs }, signal)) {
          failures = 0;
          if ('cluster' in batch) {
            if (hasTold) await checkSame(endpoints, { cluster, revision: next - 1n }, batch, signal);
            cluster = batch.cluster;
            continue;
          }
          silences = 0;
          hasTold = true;
          next = batch.revision + 1n;
          yield batch;
        }
      } catch (error) {
        if (error instanceof NshError) throw error;
        if (error instanceof Silent) silences += 1;
        const failure = endpoint.failureOf(error);
        const meaning = meaningOf(failure, false);
        if (!signal.aborted && (meaning === 'refused' || meaning === 'tokenRefused')) {
          // etcd says of a token that it does not know any more just that it permits nothing.
          if (pass.isNew) throw storeUnavailable(withHint(endpoints, failure), failure);
          endpoints.login?.drop(pass.token);
          continue;
        }
      }
      if (signal.aborted) continue;
      endpoints.leave(endpoint);
      failures += 1;
      await pause(backoffDelayMs(failures, retry, Math.random()), signal);
    }
  } finally {
    release();
  }
}

class Silent extends Error {
  override readonly name = 'Silent';
}

type Stream = ClientDuplexStream<InputOf<typeof watchRequest>, WatchResponse>;

/** Where a watch stands when it is there: which etcd it is, and the revision of the member, which may be behind the others. */
interface Standing {
  readonly cluster: bigint;
  readonly revision: bigint;
}

/**
 * Revisions never go back but where somebody has restored etcd from a backup, or set it up anew: what was told last is not in it, and what
 * it has in its place would not be told. To whoever watches that is as if it were compacted: list, and watch from there.
 * @throws NshError `storeCompacted`; Error where it cannot be found out
 */
async function checkSame(endpoints: Endpoints, before: Standing, now: Standing, signal: AbortSignal): Promise<void> {
  if (now.cluster !== before.cluster) throw storeCompacted(now.revision);
  if (now.revision >= before.revision) return;
  const request = { key: Buffer.from(endpoints.probeKey), countOnly: true };
  const { header } = await call(endpoints, range, request, { signal, isWrite: false }).catch((error: unknown) => {
    throw new Error('etcd does not tell its revision', { cause: error });
  });
  if (header !== undefined && header.revision < before.revision) throw storeCompacted(header.revision);
}

/**
 * Over one connection, until that fails; first where it stands.
 * @throws NshError `storeCompacted`; else what the stream failed with
 */
async function* watchOnce(
  endpoint: Endpoint,
  prefix: string,
  from: bigint,
  timing: WatchTiming,
  signal: AbortSignal,
): AsyncGenerator<WatchBatch | Standing, void, undefined> {
  const stream: Stream = endpoint.stream(watchMethod);
  const cancel = (): void => stream.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  // Told by the iteration as well; this one is for what comes after it was left.
  stream.on('error', () => undefined);
  const silence = new SilenceGuard(stream, endpoint.life, timing);
  try {
    // From one revision earlier, whose events are left out again: at the compacted revision itself etcd would not say that it has
    // forgotten deletes, only below it.
    const startRevision = from > 1n ? from - 1n : from;
    stream.write({ create: { ...rangeOf(prefix), startRevision, prevKv: true, fragment: true } });
    const batches = new WatchBatches(from);
    const responses = stream[Symbol.asyncIterator]() as AsyncIterator<WatchResponse, undefined>;
    for (;;) {
      const response = await silence.guard(responses.next());
      if (response.done === true) throw new Error('etcd has ended the watch');
      const { value } = response;
      if (value.canceled) throw reasonOf(value);
      if (value.created) yield { cluster: value.header?.clusterId ?? 0n, revision: value.header?.revision ?? 0n };
      for (const batch of batches.add(value)) yield batch;
    }
  } finally {
    silence.end();
    signal.removeEventListener('abort', cancel);
    cancel();
  }
}

function reasonOf({ compactRevision, cancelReason }: WatchResponse): Error {
  if (compactRevision > 0n) return storeCompacted(compactRevision);
  return new Error(cancelReason === '' ? 'etcd ends the watch' : cancelReason);
}

/** A watch that is told nothing, of a member that answers others, asks so many times less often: that it alone is stuck is not to be expected. */
const aloneFactor = 8;

/** Asks for signs of life while somebody waits, and ends the stream when none come. Silence while nobody reads is our own. */
class SilenceGuard {
  readonly #stream: Stream;
  readonly #life: SignsOfLife;
  readonly #timing: WatchTiming;
  #timer: NodeJS.Timeout | undefined;
  #isSilent = false;
  /** On the answer to another watch. */
  #relies = false;

  constructor(stream: Stream, life: SignsOfLife, timing: WatchTiming) {
    this.#stream = stream;
    this.#life = life;
    this.#timing = timing;
  }

  async guard<T>(answer: Promise<T>): Promise<T> {
    const since = performance.now();
    this.#relies = false;
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#look(since), this.#timing.progressMs);
    try {
      const told = await answer;
      this.#life.hear(performance.now());
      return told;
    } catch (error) {
      throw this.#isSilent ? new Silent('etcd is silent', { cause: error }) : error;
    } finally {
      clearInterval(this.#timer);
    }
  }

  end(): void {
    clearInterval(this.#timer);
  }

  #look(since: number): void {
    const { progressMs, silenceMs } = this.#timing;
    const now = performance.now();
    const aloneMs = now - since - aloneFactor * progressMs;
    this.#isSilent ||= this.#life.silentMs(since, now) >= silenceMs || aloneMs >= silenceMs;
    if (this.#isSilent) {
      this.#stream.cancel();
      return;
    }
    if (aloneMs < 0 && !this.#life.isDue(since, now, progressMs)) return;
    // Another one asks, but what it asks may be lost: it is relied upon once.
    this.#relies = aloneMs < 0 && !this.#relies && this.#life.wasJustAsked(now, progressMs);
    if (this.#relies) return;
    this.#life.asked(now);
    this.#stream.write({ progress: {} });
  }
}
