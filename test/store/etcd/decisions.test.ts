/** The pure decisions of the etcd backend: what a failure means, how watches are cut and joined, and what a status says. */
import { describe, expect, it } from 'vitest';
import { describeEtcd, type MemberReport } from '../../../src/store/etcd/describe-status.ts';
import { grpcStatus, meaningOf } from '../../../src/store/etcd/failures.ts';
import { rangeOf, leaseOf, sessionOf } from '../../../src/store/etcd/convert.ts';
import { plainReason } from '../../../src/store/etcd/plain-reason.ts';
import { RaftTerm } from '../../../src/store/etcd/raft-term.ts';
import { watchResponse, type WatchResponse } from '../../../src/store/etcd/messages.ts';
import { WatchBatches } from '../../../src/store/etcd/watch-batches.ts';
import type { SessionId } from '../../../src/store/store.ts';

describe('what a failure means', () => {
  const { unavailable, deadlineExceeded, internal, unknown, resourceExhausted, cancelled } = grpcStatus;
  it.each([
    // details, code, for a write that was sent, for a read
    ['Connection dropped', unavailable, 'unknown', 'unavailable'],
    ['no answer in time', deadlineExceeded, 'unknown', 'unavailable'],
    ['Received RST_STREAM with code 2', internal, 'unknown', 'unavailable'],
    ['etcdserver: request timed out', unavailable, 'unknown', 'unavailable'],
    ['etcdserver: request timed out, possibly due to previous leader failure', unavailable, 'unknown', 'unavailable'],
    ['etcdserver: leader changed', unavailable, 'unknown', 'unavailable'],
    ['etcdserver: server stopped', unavailable, 'unknown', 'unavailable'],
    ['raft proposal dropped', unknown, 'unknown', 'unavailable'],
    // Members that were full only after they had applied it say the same.
    ['etcdserver: mvcc: database space exceeded', resourceExhausted, 'unknown', 'unavailable'],
    ['Cancelled on client', cancelled, 'unknown', 'unavailable'],
    ['something that no release has said so far', 99, 'unknown', 'unavailable'],
    ['etcdserver: no leader', unavailable, 'unavailable', 'unavailable'],
    ['etcdserver: too many requests', resourceExhausted, 'unavailable', 'unavailable'],
    ['No connection established. Last error: connect ECONNREFUSED', unavailable, 'unavailable', 'unavailable'],
    ['etcdserver: permission denied', grpcStatus.permissionDenied, 'refused', 'refused'],
    ['etcdserver: invalid auth token', grpcStatus.unauthenticated, 'tokenRefused', 'tokenRefused'],
    ['unknown service etcdserverpb.KV', grpcStatus.unimplemented, 'refused', 'refused'],
    ['etcdserver: request is too large', grpcStatus.invalidArgument, 'tooLarge', 'tooLarge'],
    ['grpc: received message larger than max (3 vs. 2)', resourceExhausted, 'tooLarge', 'tooLarge'],
    ['etcdserver: mvcc: required revision has been compacted', grpcStatus.outOfRange, 'compacted', 'compacted'],
    ['etcdserver: mvcc: required revision is a future revision', grpcStatus.outOfRange, 'misuse', 'misuse'],
    ['etcdserver: requested lease not found', grpcStatus.notFound, 'sessionLost', 'sessionLost'],
    ['etcdserver: duplicate key given in txn request', grpcStatus.invalidArgument, 'misuse', 'misuse'],
  ] as const)('%s (%i): %s for a write, %s for a read', (details, code, write, read) => {
    expect(meaningOf({ details, code, wasSent: true }, true)).toBe(write);
    expect(meaningOf({ details, code, wasSent: true }, false)).toBe(read);
  });

  it('is never unknown for what never left', () => {
    for (const code of Object.values(grpcStatus)) {
      for (const isWrite of [true, false])
        expect(meaningOf({ details: 'x', code, wasSent: false }, isWrite)).not.toBe('unknown');
    }
  });
});

describe('why there is no connection', () => {
  const wrapped = (reason: string): string => `No connection established. Last error: ${reason}. Resolution note: `;
  const openssl = (alert: string): string =>
    `80AC628CDF7F0000:error:0A000412:SSL routines:ssl3_read_bytes:${alert}:../deps/openssl/rec_layer_s3.c:1601:SSL alert number 42\n (2026-11-23T14:35:34.257Z)`;
  it.each([
    [wrapped('connect ECONNREFUSED 127.0.0.1:2379'), 'connect ECONNREFUSED 127.0.0.1:2379'],
    ['Name resolution failed for target dns:none:2379', 'Name resolution failed for target dns:none:2379'],
    // OpenSSL 1.1 to 3.0, TLS 1.3, and OpenSSL from 3.3 on.
    [wrapped(openssl('sslv3 alert bad certificate')), /TLS handshake \(bad certificate\); .*client certificate/],
    [wrapped(openssl('tlsv13 alert certificate required')), /TLS handshake \(certificate required\)/],
    [wrapped(openssl('ssl/tls alert bad certificate')), /TLS handshake \(bad certificate\)/],
    [wrapped('unable to verify the first certificate; if the root CA is installed locally, try …'), /\(ca\)$/],
    [wrapped('self-signed certificate in certificate chain'), /^self-signed .*chain; name the authority/],
    [wrapped('Failed to connect (2026-11-23T14:35:32.441Z)'), /begins with https:$/],
    [wrapped('Client network socket disconnected before secure TLS connection was established'), /with http:$/],
    [wrapped('read ECONNRESET (2026-11-23T14:35:32.441Z)'), 'read ECONNRESET'],
  ])('%s', (details, expected) => {
    expect(plainReason(details)).toMatch(expected);
    expect(plainReason(details)).not.toContain('2026');
  });
});

describe('the raft term of an answer', () => {
  it('is refused when it is an earlier one, unless nobody has told of the later for half a minute', () => {
    const term = new RaftTerm();
    expect(term.note(7n, 1_000)).toBe(true);
    expect(term.note(7n, 2_000)).toBe(true);
    expect(term.note(6n, 2_001)).toBe(false);
    expect(term.note(8n, 3_000)).toBe(true);
    expect(term.note(7n, 32_999)).toBe(false);
    // Set up anew, with the same addresses.
    expect(term.note(2n, 33_000)).toBe(true);
    expect(term.note(2n, 33_001)).toBe(true);
  });
});

describe('the responses of a watch', () => {
  const kv = (key: string, modRevision: bigint) => ({ key: Buffer.from(key), modRevision, version: 1n });
  const response = (events: readonly (readonly [key: string, revision: bigint])[], fragment = false): WatchResponse =>
    watchResponse.decode(
      watchResponse.encode({ fragment, events: events.map(([key, revision]) => ({ kv: kv(key, revision) })) }),
    );
  const shapeOf = (batches: ReturnType<WatchBatches['add']>) =>
    batches.map(({ revision, events }) => [revision, events.map(({ key }) => key).join('')]);

  it('are cut into revisions, each in the order of its keys', () => {
    const batches = new WatchBatches(1n);
    expect(
      shapeOf(
        batches.add(
          response([
            ['b', 5n],
            ['a', 5n],
            ['c', 7n],
          ]),
        ),
      ),
    ).toEqual([
      [5n, 'ab'],
      [7n, 'c'],
    ]);
  });

  it('are joined where one revision came in fragments', () => {
    const batches = new WatchBatches(1n);
    expect(batches.add(response([['a', 5n]], true))).toEqual([]);
    expect(batches.add(response([['b', 5n]], true))).toEqual([]);
    expect(shapeOf(batches.add(response([['c', 5n]])))).toEqual([[5n, 'abc']]);
  });

  it('leave out what was not asked for or was told already, and progress is no batch', () => {
    const batches = new WatchBatches(5n);
    expect(
      shapeOf(
        batches.add(
          response([
            ['a', 4n],
            ['b', 5n],
          ]),
        ),
      ),
    ).toEqual([[5n, 'b']]);
    expect(batches.add(response([]))).toEqual([]);
    expect(batches.add(response([['a', 5n]]))).toEqual([]);
  });
});

describe('ranges and ids', () => {
  it.each([
    ['a/', undefined, 'a/', 'a0'],
    ['', undefined, '\0', '\0'],
    ['', 'k', 'k\0', '\0'],
    ['a/', 'a/5', 'a/5\0', 'a0'],
    ['b/', 'a', 'b/', 'b0'],
    ['a/', 'z', 'z\0', 'a0'],
  ])('prefix %j after %j', (prefix, after, key, end) => {
    const range = rangeOf(prefix, after);
    expect([Buffer.from(range.key).toString(), Buffer.from(range.rangeEnd).toString()]).toEqual([key, end]);
  });

  it('are the same lease both ways', () => {
    for (const id of ['1', '7587867aab12cd34', 'ffffffffffffffff'] as SessionId[])
      expect(sessionOf(leaseOf(id))).toBe(id);
  });
});

describe('a status', () => {
  const well = { version: '3.5.9', leader: 1n, errors: [], sizeBytes: 10 };
  const member = (id: bigint, rest: Partial<MemberReport> = {}): MemberReport => {
    const report = { id, name: `m${id}`, url: `http://e${id}:2379`, isLearner: false, answer: well, ...rest };
    if (rest.failure === undefined) return report;
    const { answer: _, ...silent } = report;
    return silent;
  };
  const down = { failure: 'refused' };

  it.each([
    ['three that are well', [member(1n), member(2n), member(3n)], true, 'ok'],
    ['two of three', [member(1n), member(2n), member(3n, down)], false, 'degraded'],
    ['four of five', [member(1n), member(2n), member(3n), member(4n), member(5n, down)], true, 'degraded'],
    ['a single one', [member(1n)], false, 'ok'],
    ['two', [member(1n), member(2n)], false, 'ok'],
    ['two and a learner', [member(1n), member(2n), member(3n, { isLearner: true })], false, 'ok'],
    [
      'one that knows no leader',
      [member(1n), member(2n), member(3n, { answer: { ...well, leader: 0n } })],
      false,
      'degraded',
    ],
    [
      'one with an alarm',
      [member(1n), member(2n), member(3n, { answer: { ...well, errors: ['alarm:NOSPACE'] } })],
      false,
      'degraded',
    ],
  ] as const)('of %s: fault tolerant %s, %s', (_what, members, faultTolerant, health) => {
    const isTolerant = describeEtcd([], members, 7n, undefined);
    expect([isTolerant.faultTolerant, isTolerant.health]).toEqual([faultTolerant, health]);
    expect(describeEtcd([], members, undefined, 'why')).toMatchObject({ faultTolerant: false, health: 'down' });
  });

  it.each([
    ['3.4.23', true],
    ['3.5.10', false],
    ['3.10.1', false],
    ['3.6.0-rc.1', false],
    ['2.3.8', true],
  ])('of version %s warns: %s', (version, warns) => {
    const { warnings, version: told } = describeEtcd(
      [],
      [member(1n), member(2n, { answer: { ...well, version } })],
      7n,
      undefined,
    );
    expect(warnings.map((text) => text.includes(`etcd ${version} is older`))).toEqual(warns ? [true] : []);
    expect(told === version).toBe(warns);
  });
});
