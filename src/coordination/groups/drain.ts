/** Nodes that nothing new comes to, and that what is there leaves. */
import { writeDrained } from '../../policy/supervision/stored.ts';
import { drainedKey } from '../../policy/supervision/store-keys.ts';
import type { Drained } from '../../policy/supervision/wanted.ts';
import type { Op, Store } from '../../store/store.ts';
import { untilAnswered } from '../patience.ts';

/** Of the 128 operations of a transaction. */
const atOnce = 100;

/**
 * Says it of each node; again changes nothing but who and when.
 * @param drained undefined: they are drained no more. @throws what `signal` fired with; NshError `storeClosed`.
 */
export async function setDrained(
  store: Store,
  nodes: readonly number[],
  drained: Drained | undefined,
  signal: AbortSignal,
): Promise<void> {
  const ops = nodes.map((node): Op => {
    const key = drainedKey(node);
    return drained === undefined
      ? { op: 'delete', key }
      : { op: 'put', key, value: Buffer.from(writeDrained(drained)) };
  });
  for (let first = 0; first < ops.length; first += atOnce) {
    const some = ops.slice(first, first + atOnce);
    // The same again comes to the same, so that an answer that is lost is of no account.
    await untilAnswered(signal, () => store.txn([], some, [], { signal }));
  }
}
