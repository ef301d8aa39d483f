/** A watch that is begun again wherever it fails, behind the newest revision that it has told. */
import { backoffDelayMs } from '../policy/backoff.ts';
import { toNshError } from '../protocol/errors.ts';
import { pause, watchBackoff } from './pause.ts';
import type { WatchBatch } from './store.ts';

/**
 * @param open begins it at a revision. Where it ends without an error it is begun again at once.
 * @throws NshError `storeCompacted`, `invalidParams`, `tooLarge`: another try would fare no better.
 */
export async function* resumedWatch(
  open: (fromRevision: bigint) => AsyncIterable<WatchBatch>,
  fromRevision: bigint,
  signal: AbortSignal,
): AsyncGenerator<WatchBatch> {
  let next = fromRevision;
  for (let failures = 0; !signal.aborted; ) {
    try {
      for await (const batch of open(next)) {
        failures = 0;
        next = batch.revision + 1n;
        yield batch;
      }
    } catch (error) {
      const { code } = toNshError(error);
      if (code === 'storeCompacted' || code === 'invalidParams' || code === 'tooLarge') throw error;
      failures++;
      await pause(backoffDelayMs(failures, watchBackoff, Math.random()), signal);
    }
  }
}
