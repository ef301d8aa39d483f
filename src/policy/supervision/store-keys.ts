/**
 * Where the groups are in the store (below the namespace). Every key of theirs is made and read here; the texts at them are stored.ts's.
 *
 *     group/wanted/NAME         what a person wants: written by commands alone, compare-and-set; deleted by the leader when a removal is done
 *     group/status/NAME         what the leader makes of it, for people, and why the group has failed
 *     group/slots/NAME  group/sum/NAME  group/together/NAME      the leader's memory
 *     group/order/NODE/NAME     an order: written by the leader; a node watches `orderPrefix` of its own id
 *     group/report/NODE/NAME    a node's report
 *     group/events/NAME/WHO     what happened, the newest last, a bounded list for each who writes: a node's id, `leader`, `person`
 *     node/alive/NODE           of the session of the node's agent: it takes part (node-presence in stored.ts)
 *     node/drained/NODE         it was drained: who and when
 */
import { isGroupName } from './identity.ts';

export const wantedPrefix = 'group/wanted/';
export const statusPrefix = 'group/status/';
export const orderPrefixes = 'group/order/';
export const reportPrefixes = 'group/report/';
export const eventPrefixes = 'group/events/';
export const alivePrefix = 'node/alive/';
export const drainedPrefix = 'node/drained/';

export const wantedKey = (group: string): string => wantedPrefix + group;
export const statusKey = (group: string): string => statusPrefix + group;
export const slotsKey = (group: string): string => `group/slots/${group}`;
export const sumKey = (group: string): string => `group/sum/${group}`;
export const togetherKey = (group: string): string => `group/together/${group}`;
export const orderPrefix = (node: number): string => `${orderPrefixes}${node}/`;
export const orderKey = (node: number, group: string): string => orderPrefix(node) + group;
export const reportPrefix = (node: number): string => `${reportPrefixes}${node}/`;
export const reportKey = (node: number, group: string): string => reportPrefix(node) + group;
export const eventPrefix = (group: string): string => `${eventPrefixes}${group}/`;
export const eventsKey = (group: string, who: number | 'leader' | 'person'): string => eventPrefix(group) + String(who);
export const aliveKey = (node: number): string => alivePrefix + String(node);
export const drainedKey = (node: number): string => drainedPrefix + String(node);

/** The group of a key `PREFIX/NAME`; undefined where it is no name: a hand, or a later version, has made it. */
export function readGroupKey(prefix: string, key: string): string | undefined {
  const name = key.startsWith(prefix) ? key.slice(prefix.length) : '';
  return isGroupName(name) ? name : undefined;
}

/** Node and group of an order's or a report's key. */
export function readNodeGroupKey(
  prefixes: typeof orderPrefixes | typeof reportPrefixes,
  key: string,
): { readonly node: number; readonly group: string } | undefined {
  if (!key.startsWith(prefixes)) return undefined;
  const [digits = '', group = '', ...more] = key.slice(prefixes.length).split('/');
  const node = readNodeNumber(digits);
  return node === undefined || more.length > 0 || !isGroupName(group) ? undefined : { node, group };
}

/** The node of a key `node/alive/NODE` or `node/drained/NODE`. */
export function readNodeKey(prefix: typeof alivePrefix | typeof drainedPrefix, key: string): number | undefined {
  return key.startsWith(prefix) ? readNodeNumber(key.slice(prefix.length)) : undefined;
}

function readNodeNumber(digits: string): number | undefined {
  return /^(?:0|[1-9]\d{0,4})$/.test(digits) ? Number(digits) : undefined;
}
