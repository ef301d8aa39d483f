/**
 * One call of the store to etcd, over its endpoints: what was certainly not carried out, and every read, is tried at the others within the
 * deadline; a write that was given to a connection is never tried again.
 */
import { NshError } from '../../protocol/errors.ts';
import {
  sessionLost,
  storeClosed,
  storeCompacted,
  storeMisuse,
  storeTooLarge,
  storeUnavailable,
  storeUnknown,
} from '../errors.ts';
import { defaultDeadlineMs } from '../limits.ts';
import type { CallOptions, SessionId } from '../store.ts';
import type { Attempt, AttemptFailed, Endpoint } from './endpoint.ts';
import type { Endpoints } from './endpoints.ts';
import { grpcStatus, meaningOf } from './failures.ts';
import type { Method } from './methods.ts';
import { withHint } from './hints.ts';
import { anyOf, pause } from './waiting.ts';

export interface Call extends CallOptions {
  /** Changes something: what was sent and not answered is `storeUnknown`. */
  readonly isWrite: boolean;
  /** Named by the error where etcd does not know it. */
  readonly session?: SessionId;
}

interface Answer {
  readonly header: { readonly raftTerm: bigint } | undefined;
}

/** A call that finds nobody at all gives up after this time, also where its deadline is later: a person waits for it. */
const nobodyMs = 1_500;
/** New tokens in one call. */
const maxRenewals = 2;
/** Between two rounds over all endpoints. */
const pauseMs = 50;
/** A read asks the next endpoint when one has not answered in half of the time that is left, but not sooner than this. */
const leastAttemptMs = 1_000;

/** One request and its answer. @throws NshError as src/store/store.ts has it; a `storeCompacted` does not know the revision */
export async function call<I, O extends Answer>(
  endpoints: Endpoints,
  method: Method<I, O>,
  request: I,
  options: Call,
): Promise<O> {
  const answer = await callWith(endpoints, options, (endpoint, attempt) => endpoint.unary(method, request, attempt));
  endpoints.noteTerm(answer.header?.raftTerm ?? 0n);
  return answer;
}

/** @param perform one attempt at an endpoint that is connected; it throws AttemptFailed */
export async function callWith<O>(
  endpoints: Endpoints,
  options: Call,
  perform: (endpoint: Endpoint, attempt: Attempt) => Promise<O>,
): Promise<O> {
  const { signal, release } = anyOf(endpoints.closing.signal, options.signal);
  const begin = performance.now();
  const deadline = begin + (options.deadlineMs ?? defaultDeadlineMs);
  const failures = new Map<string, AttemptFailed>();
  let renewals = 0;
  try {
    for (;;) {
      checkGivenUp(endpoints, options, false);
      const endpoint = endpoints.current;
      const from = performance.now();
      const outcome = await attemptAt(endpoints, endpoint, { deadline, signal }, options.isWrite, perform);
      if ('answer' in outcome) return outcome.answer;
      const { failure, token } = outcome;
      // Whoever gave it up has waited in vain: the next call is not to wait there too.
      if (signal.aborted && performance.now() - from >= leastAttemptMs) endpoints.leave(endpoint);
      checkGivenUp(endpoints, options, failure.wasSent);
      // The last attempt has little time left, and that it was too little is no reason to tell where there is a better one.
      if (failure.code !== grpcStatus.deadlineExceeded || !failures.has(endpoint.url))
        failures.set(endpoint.url, failure);
      const meaning = meaningOf(failure, options.isWrite);
      if (meaning === 'tokenRefused' && endpoints.login !== undefined && renewals < maxRenewals) {
        renewals += 1;
        endpoints.login.drop(token);
        continue;
      }
      if (meaning === 'unavailable' || meaning === 'unknown') endpoints.leave(endpoint);
      const mayTryAgain = meaning === 'unavailable' && !(options.isWrite && failure.wasSent);
      const now = performance.now();
      const areAllTried = failures.size === endpoints.all.length;
      const isNobodyThere = areAllTried && [...failures.values()].every(({ wasSent }) => !wasSent);
      if (!mayTryAgain || now >= deadline || (isNobodyThere && now - begin > nobodyMs))
        throw explain(endpoints, failure, [...failures.values()], options);
      if (areAllTried) await pause(Math.min(pauseMs, deadline - now), signal);
    }
  } finally {
    release();
  }
}

async function attemptAt<O>(
  { all, login }: Endpoints,
  endpoint: Endpoint,
  { deadline, signal }: Attempt,
  isWrite: boolean,
  perform: (endpoint: Endpoint, attempt: Attempt) => Promise<O>,
): Promise<{ readonly answer: O } | { readonly failure: AttemptFailed; readonly token: string | undefined }> {
  const now = performance.now();
  const share = all.length === 1 ? deadline : Math.min(deadline, now + Math.max(leastAttemptMs, (deadline - now) / 2));
  let token: string | undefined;
  try {
    await endpoint.connect({ deadline: share, signal });
    if (login !== undefined) ({ token } = await login.need(endpoint, { deadline: share, signal }));
    // Only once is a write sent, so it may use all of the time.
    return { answer: await perform(endpoint, { deadline: isWrite ? deadline : share, signal }) };
  } catch (error) {
    if (error instanceof NshError) throw error;
    return { failure: endpoint.failureOf(error), token };
  }
}

/** @throws NshError where the store was closed, or the call given up */
function checkGivenUp(endpoints: Endpoints, { signal, isWrite }: Call, wasSent: boolean): void {
  if (endpoints.closing.signal.aborted) throw storeClosed();
  if (signal?.aborted !== true) return;
  if (isWrite && wasSent) throw storeUnknown('it was given up before it was answered');
  throw new NshError('cancelled', 'the call to the store was given up');
}

function explain(
  endpoints: Endpoints,
  failure: AttemptFailed,
  all: readonly AttemptFailed[],
  { isWrite, session }: Call,
): NshError {
  switch (meaningOf(failure, isWrite)) {
    case 'unavailable':
      return storeUnavailable(all.map((one) => withHint(endpoints, one)).join('; '), failure);
    case 'refused':
    case 'tokenRefused':
      return storeUnavailable(withHint(endpoints, failure), failure);
    case 'unknown':
      return storeUnknown(withHint(endpoints, failure), failure);
    case 'tooLarge':
      return storeTooLarge(failure.details);
    case 'compacted':
      return storeCompacted(0n);
    case 'misuse':
      return storeMisuse(failure.details);
    case 'sessionLost':
      return session === undefined
        ? storeMisuse(failure.details)
        : sessionLost(session, `etcd at ${failure.endpoint} does not know it`);
    default:
      throw new Error('a failure that means nothing');
  }
}
