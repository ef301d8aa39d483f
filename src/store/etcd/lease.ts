/** One renewal of a lease: a short stream, since etcd has no other way. Nothing stays open between renewals that could go stale. */
import { AttemptFailed, type Attempt, type Endpoint } from './endpoint.ts';
import type { Endpoints } from './endpoints.ts';
import { grpcStatus } from './failures.ts';
import { leaseKeepAlive } from './methods.ts';

/**
 * @returns its TTL, seconds; 0: there is no such lease
 * @throws AttemptFailed also where a member answers that has not heard of the present leader: a leader that was stopped and goes on renews
 *   leases that its successor has ended (https://github.com/etcd-io/etcd/issues/15247)
 */
export async function keepAlive(
  endpoints: Endpoints,
  endpoint: Endpoint,
  lease: bigint,
  { deadline, signal }: Attempt,
): Promise<bigint> {
  const stream = endpoint.stream(leaseKeepAlive);
  const fail = (details: string, code: number): AttemptFailed =>
    new AttemptFailed(endpoint.url, { details, code, wasSent: true });
  let timer: NodeJS.Timeout | undefined;
  let giveUp: (() => void) | undefined;
  try {
    const { ttl, header } = await new Promise<{ ttl: bigint; header: { raftTerm: bigint } | undefined }>(
      (resolve, reject) => {
        timer = setTimeout(
          () => reject(fail('no answer in time', grpcStatus.deadlineExceeded)),
          Math.max(0, deadline - performance.now()),
        );
        giveUp = () => reject(fail('given up', grpcStatus.cancelled));
        if (signal.aborted) giveUp();
        signal.addEventListener('abort', giveUp, { once: true });
        stream.on('error', reject);
        stream.on('end', () => reject(fail('etcd has ended the stream', grpcStatus.unavailable)));
        stream.on('data', resolve);
        stream.on('data', () => endpoint.life.hear(performance.now()));
        stream.write({ id: lease });
      },
    );
    if (!endpoints.noteTerm(header?.raftTerm ?? 0n))
      throw fail('it has not heard of the present leader', grpcStatus.unavailable);
    return ttl;
  } finally {
    clearTimeout(timer);
    if (giveUp !== undefined) signal.removeEventListener('abort', giveUp);
    stream.cancel();
  }
}
