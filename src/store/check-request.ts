/**
 * What every backend refuses before it does anything, so that all refuse the same: keys that are none, requests beyond the limits, and
 * transactions that write a key twice (which etcd refuses as "duplicate key given in txn request").
 */
import { storeMisuse, storeTooLarge } from './errors.ts';
import { maxKeyBytes, maxRequestBytes, maxTtlSeconds, maxTxnOps, opOverheadBytes } from './limits.ts';
import type { Compare, ListOptions, Op, SessionId } from './store.ts';

/** @throws NshError `invalidParams` or `tooLarge` */
export function checkKey(key: string): void {
  if (key === '') throw storeMisuse('an empty key');
  checkPrefix(key);
}

/** As a key, but it may be empty. @throws NshError `invalidParams` or `tooLarge` */
export function checkPrefix(prefix: string): void {
  if (/\p{Surrogate}/u.test(prefix)) throw storeMisuse('a key with half a character (a lone surrogate)');
  const bytes = Buffer.byteLength(prefix);
  if (bytes > maxKeyBytes) throw storeTooLarge(`a key of ${bytes} bytes (at most ${maxKeyBytes})`);
}

/** @throws NshError `invalidParams` or `tooLarge` */
export function checkList(prefix: string, { limit = 0, after, atRevision }: ListOptions): void {
  checkPrefix(prefix);
  if (after !== undefined) checkPrefix(after);
  checkLimit(limit);
  if (atRevision !== undefined && atRevision < 1n) throw storeMisuse(`revision ${atRevision}`);
}

/** @throws NshError `invalidParams` or `tooLarge` */
export function checkTxn(compares: readonly Compare[], then: readonly Op[], otherwise: readonly Op[]): void {
  for (const [what, list] of [
    ['comparisons', compares],
    ['steps', then],
    ['steps', otherwise],
  ] as const) {
    if (list.length > maxTxnOps) throw storeTooLarge(`a transaction of ${list.length} ${what} (at most ${maxTxnOps})`);
  }
  let bytes = 0;
  for (const { key, ...compare } of compares) {
    checkKey(key);
    bytes += opOverheadBytes + Buffer.byteLength(key) + (compare.on === 'value' ? compare.to.length : 0);
  }
  for (const op of [...then, ...otherwise]) bytes += opOverheadBytes + checkOp(op);
  if (bytes > maxRequestBytes) throw storeTooLarge(`a request of ${bytes} bytes (at most ${maxRequestBytes})`);
  checkWrittenOnce(then);
  checkWrittenOnce(otherwise);
}

/** @throws NshError `invalidParams` */
export function checkTtl(ttlSeconds: number): void {
  if (!Number.isSafeInteger(ttlSeconds) || ttlSeconds < 1 || ttlSeconds > maxTtlSeconds)
    throw storeMisuse(`a session of ${ttlSeconds} seconds (a whole number from 1 on)`);
}

export function isSessionId(text: string): text is SessionId {
  return /^[1-9a-f][0-9a-f]{0,15}$/.test(text);
}

/** Bytes of its key and value. */
function checkOp(op: Op): number {
  switch (op.op) {
    case 'put':
      checkKey(op.key);
      return Buffer.byteLength(op.key) + op.value.length;
    case 'get':
    case 'delete':
      checkKey(op.key);
      return Buffer.byteLength(op.key);
    case 'list':
    case 'deletePrefix':
      if (op.op === 'list') checkLimit(op.limit ?? 0);
      checkPrefix(op.prefix);
      return Buffer.byteLength(op.prefix);
    default:
      throw storeMisuse('a step of no known kind');
  }
}

function checkLimit(limit: number): void {
  if (!Number.isSafeInteger(limit) || limit < 0) throw storeMisuse(`a limit of ${limit}`);
}

function checkWrittenOnce(ops: readonly Op[]): void {
  const puts = new Set<string>();
  for (const op of ops) {
    if (op.op !== 'put') continue;
    if (puts.has(op.key)) throw storeMisuse(`the key ${JSON.stringify(op.key)} put twice in one transaction`);
    puts.add(op.key);
  }
  for (const op of ops) {
    const isHit = (key: string): boolean =>
      (op.op === 'delete' && op.key === key) || (op.op === 'deletePrefix' && key.startsWith(op.prefix));
    const hit = op.op === 'delete' || op.op === 'deletePrefix' ? [...puts].find(isHit) : undefined;
    if (hit !== undefined) throw storeMisuse(`the key ${JSON.stringify(hit)} put and deleted in one transaction`);
  }
}
