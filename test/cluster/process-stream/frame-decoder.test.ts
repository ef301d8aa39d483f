import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  encodeDataHeader,
  encodeDetach,
  encodeGap,
  encodeJson,
  encodeOffset,
  encodeResize,
  encodeSignal,
  FrameDecoder,
  type Frame,
} from '../../../src/protocol/frames.ts';

const bytes = randomBytes(300);
const conversation = Buffer.concat([
  encodeJson('open', { a: 'ä' }),
  encodeDataHeader(1, 2 ** 40, bytes.length),
  bytes,
  encodeDataHeader(2, 7, 0),
  encodeOffset('ack', 1, 12),
  encodeResize(80, 24),
  encodeGap(1, 5, 9),
  encodeSignal(15, true),
  encodeDetach(true),
  encodeOffset('eof', 2, 7),
]);

/** Frames as they come out, pieces of one data frame put together again. */
function decode(...chunks: Buffer[]): Frame[] {
  const decoder = new FrameDecoder();
  const frames: Frame[] = [];
  for (const chunk of chunks) {
    for (const frame of decoder.push(chunk)) {
      const last = frames.at(-1);
      if (frame.type === 'data' && last?.type === 'data' && frame.offset === last.offset + last.bytes.length) {
        frames[frames.length - 1] = { ...last, bytes: Buffer.concat([last.bytes, frame.bytes]) };
      } else {
        frames.push(frame.type === 'data' ? { ...frame, bytes: Buffer.from(frame.bytes) } : frame);
      }
    }
  }
  expect(decoder.pendingBytes).toBe(0);
  return frames;
}

describe('the frame decoder', () => {
  it('gives the same frames wherever the bytes are cut', () => {
    const whole = decode(conversation);
    expect(whole.map((frame) => frame.type)).toEqual([
      'open',
      'data',
      'data',
      'ack',
      'resize',
      'gap',
      'signal',
      'detach',
      'eof',
    ]);
    expect(whole[1]).toMatchObject({ stream: 1, offset: 2 ** 40, bytes });
    for (let at = 0; at <= conversation.length; at++) {
      expect(decode(conversation.subarray(0, at), conversation.subarray(at))).toEqual(whole);
    }
    expect(decode(...[...conversation].map((byte) => Buffer.from([byte])))).toEqual(whole);
  });

  it('hands on views of a data frame as its bytes come, without waiting for all of it', () => {
    const decoder = new FrameDecoder();
    const chunk = Buffer.concat([encodeDataHeader(1, 100, 1_000_000), Buffer.alloc(64, 1)]);
    const [first] = [...decoder.push(chunk)];
    expect(first).toMatchObject({ type: 'data', stream: 1, offset: 100 });
    expect(first?.type === 'data' && first.bytes.buffer === chunk.buffer).toBe(true);
    const more = Buffer.alloc(100, 2);
    expect([...decoder.push(more)]).toEqual([{ type: 'data', stream: 1, offset: 164, bytes: more }]);
    expect(decoder.pendingBytes).toBe(1_000_000 - 164);
  });

  it.each([
    ['a type that does not exist', [0x7f, 0, 0, 0, 0]],
    ['a data frame over the limit', [0x03, 0x7f, 0xff, 0xff, 0xff]],
    ['a data frame without an offset', [0x03, 0, 0, 0, 8]],
    ['a JSON frame over its limit', [0x01, 0, 2, 0, 0]],
    ['an ack of another length', [0x04, 0, 0, 0, 8]],
    ['JSON that is none', [0x02, 0, 0, 0, 1, 0x7b]],
    ['a stream that does not exist', [0x03, 0, 0, 0, 9, 9, 0, 0, 0, 0, 0, 0, 0, 0]],
    ['an offset out of range', [0x03, 0, 0, 0, 9, 1, 255, 0, 0, 0, 0, 0, 0, 0]],
  ])('refuses %s, at once and byte by byte', (_title, octets) => {
    const feed = (chunks: Buffer[]): void => {
      const decoder = new FrameDecoder();
      for (const chunk of chunks) for (const frame of decoder.push(chunk)) expect(frame).toBeUndefined();
    };
    expect(() => feed([Buffer.from(octets)])).toThrow(/frame|stream|offset/);
    expect(() => feed(octets.map((octet) => Buffer.from([octet])))).toThrow(/frame|stream|offset/);
  });

  it('takes time in proportion to its input for large frames in small chunks', () => {
    const frame = Buffer.concat([encodeDataHeader(1, 0, 1024 * 1024), Buffer.alloc(1024 * 1024)]);
    const decoder = new FrameDecoder();
    const began = performance.now();
    let got = 0;
    for (let round = 0; round < 200; round++) {
      for (let at = 0; at < frame.length; at += 65_536) {
        for (const piece of decoder.push(frame.subarray(at, at + 65_536)))
          if (piece.type === 'data') got += piece.bytes.length;
      }
    }
    expect(got).toBe(200 * 1024 * 1024);
    // 400 MB/s would be half a second; a decoder that does not copy needs a few milliseconds.
    expect(performance.now() - began).toBeLessThan(500);
  });
});
