import { describe, expect, it } from 'vitest';
import { RawJson } from '../../src/rpc/raw-json.ts';

const from = (text: string) => RawJson.from(Buffer.from(text));

describe('RawJson', () => {
  it.each(['{}', '[]', '{"a":"}"}', '{"a":"\\""}', '{"a":"\\\\"}', '[{"a":[1,2,{"b":null}]},"]"]', '{"ü":"€"}'])(
    'takes %s',
    (text) => {
      expect(from(text)?.parse()).toEqual(JSON.parse(text));
    },
  );

  it.each([
    ['', 'nothing'],
    ['1', 'a bare number'],
    ['"x"', 'a bare string'],
    ['{', 'an open object'],
    ['{"a":"b', 'an open string'],
    ['{"a":"\\"}', 'a string that an escaped quote leaves open'],
    ['{}}', 'a bracket too many'],
    ['{},"node":5', 'a second member behind the value'],
    ['0},"params":{"call":1,"node":5,"result":{}', 'a value that ends the message around it'],
    ['{}{}', 'two values'],
    [' {}', 'a value that does not begin at once'],
  ])('refuses %s: %s', (text) => {
    expect(from(text)).toBeUndefined();
  });

  it('lets no text through that changes whose answer the message is', () => {
    const attacks = [
      '{}',
      '{"node":9}',
      '{"a":1},"node":9',
      '{}},"params":{"node":9',
      '[],"node":9,"x":[]',
      '{"a":"\\"},\\"node\\":9"}',
    ];
    for (const attack of attacks) {
      const raw = from(attack);
      if (raw === undefined) continue;
      const message = JSON.parse(`{"params":{"call":1,"node":3,"result":${raw.text.toString()}}}`) as {
        params: { node: number };
      };
      expect(message.params.node).toBe(3);
    }
  });
});
