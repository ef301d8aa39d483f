/**
 * The epoch that a leader gives its orders for a group. The create revision of its key is above that of every leader before it, as long as the
 * store counts on. A store that has begun anew, or was restored from a copy, has leaders with lower ones, while its agents refuse what is below
 * the highest that they have seen: their reports say so, and the leader goes above, as a server of Raft does that hears of a higher term. It may,
 * since what it writes is guarded by its key: there is no other leader in this store. Pure.
 */
import type { GroupReport, Order } from './order.ts';

export interface EpochFacts {
  /** What it used for the group before; undefined: it has not given orders for it. */
  readonly before: bigint | undefined;
  /** Create revision of its key. */
  readonly token: bigint;
  readonly orders: Iterable<Pick<Order, 'epoch'>>;
  readonly reports: Iterable<Pick<GroupReport, 'leastEpoch'>>;
}

export function epochOf({ before, token, orders, reports }: EpochFacts): bigint {
  let epoch = before ?? token;
  // Those that stand are of leaders before it.
  if (before === undefined) for (const order of orders) if (order.epoch >= epoch) epoch = order.epoch + 1n;
  for (const { leastEpoch = 0n } of reports) if (leastEpoch > epoch) epoch = leastEpoch;
  return epoch;
}
