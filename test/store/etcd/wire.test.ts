/** The encoding of messages: against the examples of its specification, hand-made bytes, and itself. */
import { describe, expect, it } from 'vitest';
import { bool, bytes, int32, int64, message, nested, repeated, string, uint64 } from '../../../src/store/etcd/wire.ts';

const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex');
const unhex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

const inner = message({ a: int64(1) });
const outer = message({
  number: int64(1),
  text: string(2),
  child: nested(3, inner),
  many: repeated(nested(4, inner)),
  raw: bytes(5),
  flag: bool(6),
  kind: int32(7),
  id: uint64(8),
  names: repeated(string(15)),
  late: int64(16),
});

describe('a message', () => {
  it.each([
    // https://protobuf.dev/programming-guides/encoding/: "A Simple Message", "Length-Delimited Records", "Submessages"
    [{ number: 150n }, '08 96 01'],
    [{ text: 'testing' }, '12 07 74657374696e67'],
    [{ child: { a: 150n } }, '1a 03 08 96 01'],
    // "Signed Integers": ten bytes for what is negative
    [{ number: -2n }, '08 feffffffffffffffff01'],
    [{ number: -1n }, '08 ffffffffffffffffff01'],
    [{ number: 2n ** 63n - 1n }, '08 ffffffffffffffff7f'],
    [{ id: 2n ** 64n - 1n }, '40 ffffffffffffffffff01'],
    [{ many: [{ a: 1n }, { a: 2n }] }, '22 02 08 01 22 02 08 02'],
    [{ names: ['a', ''] }, '7a 01 61 7a 00'],
    [{ raw: Buffer.of(0, 255) }, '2a 02 00ff'],
    [{ flag: true, kind: 300 }, '30 01 38 ac02'],
    [{ late: 1n }, '8001 01'],
    // A oneof is told apart by what is written, a zero too.
    [{ number: 0n }, '08 00'],
    [{ child: {} }, '1a 00'],
  ])('%o is %s', (value, expected) => {
    expect(hex(outer.encode(value))).toBe(expected.replaceAll(' ', ''));
    expect(outer.decode(unhex(expected))).toMatchObject(value);
  });

  it('leaves out what is undefined', () => {
    expect(outer.encode({ text: undefined, number: undefined })).toHaveLength(0);
  });

  it('has what proto3 says where a field is left out', () => {
    expect(outer.decode(new Uint8Array())).toEqual({
      number: 0n,
      text: '',
      child: undefined,
      many: [],
      raw: new Uint8Array(),
      flag: false,
      kind: 0,
      id: 0n,
      names: [],
      late: 0n,
    });
  });

  it('passes over fields that it does not know, of every wire type', () => {
    const unknown = 'a006 9601  a106 0102030405060708  a206 03 616263  a506 01020304';
    expect(outer.decode(unhex(`${unknown} 08 05`)).number).toBe(5n);
  });

  it.each([
    ['cut in a number', '08 96'],
    ['cut in a text', '12 07 7465'],
    ['cut behind a tag', '08'],
    ['with a number of eleven bytes', '08 ffffffffffffffffffffff01'],
    ['of groups', '0b'],
    ['with a text where a number belongs', '0a 01 00'],
    ['with a length beyond all bounds', '12 ffffffff7f'],
  ])('that is %s is refused', (_what, text) => {
    expect(() => outer.decode(unhex(text))).toThrow(/wire type|varint|ends in the middle|31 bits/);
  });

  it('comes back as it was, for numbers of every length', () => {
    for (let bits = 0n; bits < 63n; bits++) {
      for (const value of [1n << bits, (1n << bits) - 1n, -(1n << bits)]) {
        expect(inner.decode(inner.encode({ a: value })).a).toBe(value);
      }
    }
  });
});
