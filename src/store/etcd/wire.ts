/**
 * Protocol Buffers on the wire (https://protobuf.dev/programming-guides/encoding/), as far as etcd's messages need them: varints and
 * length-delimited fields. A message is described once, as a table of its fields; types, encoding and decoding follow from it. No generated
 * code and no .proto to parse: this loads in under a millisecond. 64-bit integers are bigint, since revisions outgrow a double.
 */

/** A field of one message: its number, and how its value is written and read. `D` is what a decoded message has. */
export interface Field<T, D = T> {
  readonly number: number;
  write(out: Writer, number: number, value: T): void;
  /** @param before what earlier occurrences of the field gave */
  read(input: Reader, wireType: number, before: D): D;
  absent(): D;
}

type AnyField = Field<never, unknown>;

/** What an encoder takes: every field may be left out, and what is given is written, a zero as well (it selects in a oneof). */
export type Input<F> = { readonly [K in keyof F]?: (F[K] extends Field<infer T, infer _> ? T : never) | undefined };
/** What a decoder gives: every field, with proto3's default where it was left out (undefined for a message). */
export type Output<F> = { readonly [K in keyof F]: F[K] extends Field<infer _, infer D> ? D : never };

export interface Message<F> {
  encode(value: Input<F>): Buffer;
  /** @throws Error where the bytes are no such message */
  decode(bytes: Uint8Array): Output<F>;
  writeTo(out: Writer, value: Input<F>): void;
}

export function message<F extends { readonly [K in keyof F]: AnyField }>(fields: F): Message<F> {
  const table = Object.entries<AnyField>(fields);
  const byNumber = new Map(table.map(([name, field]) => [field.number, [name, field] as const]));
  const writeTo = (out: Writer, value: Input<F>): void => {
    for (const [name, field] of table) {
      const one = (value as Readonly<Record<string, unknown>>)[name];
      if (one !== undefined) field.write(out, field.number, one as never);
    }
  };
  return {
    writeTo,
    encode: (value) => {
      const out = new Writer();
      writeTo(out, value);
      return out.finish();
    },
    decode: (bytes) => {
      const result: Record<string, unknown> = {};
      for (const [name, field] of table) result[name] = field.absent();
      const input = new Reader(bytes);
      while (!input.atEnd) {
        const tag = input.varint();
        const known = byNumber.get(tag >>> 3);
        if (known === undefined) input.skip(tag & 7);
        else result[known[0]] = known[1].read(input, tag & 7, result[known[0]]);
      }
      return result as Output<F>;
    },
  };
}

/** int64, uint64 is `uint64`. */
export const int64 = (number: number): Field<bigint> => ({
  number,
  write: (out, field, value) => out.tag(field, 0).bigVarint(BigInt.asUintN(64, value)),
  read: (input, wireType) => BigInt.asIntN(64, input.expect(wireType, 0).bigVarint()),
  absent: () => 0n,
});

export const uint64 = (number: number): Field<bigint> => ({
  ...int64(number),
  read: (input, wireType) => input.expect(wireType, 0).bigVarint(),
});

/** An enumeration. */
export const int32 = (number: number): Field<number> => ({
  number,
  write: (out, field, value) => out.tag(field, 0).varint(value),
  read: (input, wireType) => input.expect(wireType, 0).varint(),
  absent: () => 0,
});

export const bool = (number: number): Field<boolean> => ({
  number,
  write: (out, field, value) => out.tag(field, 0).varint(value ? 1 : 0),
  read: (input, wireType) => input.expect(wireType, 0).bigVarint() !== 0n,
  absent: () => false,
});

export const bytes = (number: number): Field<Uint8Array> => ({
  number,
  write: (out, field, value) => out.tag(field, 2).bytes(value),
  read: (input, wireType) => input.expect(wireType, 2).bytes(),
  absent: () => new Uint8Array(),
});

export const string = (number: number): Field<string> => ({
  number,
  write: (out, field, value) => out.tag(field, 2).bytes(Buffer.from(value)),
  read: (input, wireType) => Buffer.from(input.expect(wireType, 2).bytes()).toString(),
  absent: () => '',
});

export const nested = <F>(number: number, of: Message<F>): Field<Input<F>, Output<F> | undefined> => ({
  number,
  write: (out, field, value) => {
    const inner = new Writer();
    of.writeTo(inner, value);
    out.tag(field, 2).bytes(inner.finish());
  },
  read: (input, wireType) => of.decode(input.expect(wireType, 2).bytes()),
  absent: () => undefined,
});

/** Not for numbers, which proto3 packs: etcd has none repeated among what is used. */
export const repeated = <T, D>(one: Field<T, D>): Field<readonly T[], readonly Exclude<D, undefined>[]> => ({
  number: one.number,
  write: (out, field, values) => {
    for (const value of values) one.write(out, field, value);
  },
  read: (input, wireType, before) => {
    // Its own array, made by `absent`: grown in place, since a list of n entries would else be copied n times.
    (before as Exclude<D, undefined>[]).push(one.read(input, wireType, one.absent()) as Exclude<D, undefined>);
    return before;
  },
  absent: () => [],
});

export class Writer {
  readonly #chunks: Uint8Array[] = [];
  #small: number[] = [];

  tag(field: number, wireType: number): this {
    return this.varint(field * 8 + wireType);
  }

  /** Of a whole number from 0 to 2^31 - 1. */
  varint(value: number): this {
    let rest = value;
    for (; rest > 0x7f; rest >>>= 7) this.#small.push((rest & 0x7f) | 0x80);
    this.#small.push(rest);
    return this;
  }

  bigVarint(value: bigint): this {
    let rest = value;
    for (; rest > 0x7fn; rest >>= 7n) this.#small.push(Number(rest & 0x7fn) | 0x80);
    this.#small.push(Number(rest));
    return this;
  }

  bytes(value: Uint8Array): this {
    this.varint(value.length);
    this.#flush();
    this.#chunks.push(value);
    return this;
  }

  finish(): Buffer {
    this.#flush();
    return Buffer.concat(this.#chunks);
  }

  #flush(): void {
    if (this.#small.length > 0) this.#chunks.push(Uint8Array.from(this.#small));
    this.#small = [];
  }
}

export class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(of: Uint8Array) {
    this.#bytes = of;
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  expect(wireType: number, wanted: number): this {
    if (wireType !== wanted) throw new Error(`a field of wire type ${wireType} where ${wanted} belongs`);
    return this;
  }

  /** @throws Error beyond 2^31 - 1: tags, lengths and enumerations are smaller. */
  varint(): number {
    const value = this.bigVarint();
    if (value > 0x7fff_ffffn) throw new Error('a number beyond 31 bits');
    return Number(value);
  }

  bigVarint(): bigint {
    let low = 0;
    // The first four bytes fit a plain number, and are most often all.
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte();
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt(low);
    }
    let value = BigInt(low);
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new Error('a varint of more than ten bytes');
  }

  /** A view, not a copy: it lives as long as the message it came in. */
  bytes(): Uint8Array {
    const length = this.varint();
    return this.#take(length);
  }

  /** Past a field that is not known: a newer server has more of them. */
  skip(wireType: number): void {
    if (wireType === 0) this.bigVarint();
    else if (wireType === 1) this.#take(8);
    else if (wireType === 2) this.bytes();
    else if (wireType === 5) this.#take(4);
    else throw new Error(`a field of wire type ${wireType}`);
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new Error('a message that ends in the middle of a field');
    this.#at += 1;
    return byte;
  }

  #take(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new Error('a message that ends in the middle of a field');
    const part = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return part;
  }
}
