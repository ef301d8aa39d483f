/** The checker itself: known histories, and every order of small random ones tried by brute force. */
import { describe, expect, it } from 'vitest';
import { checkLinearizable, type Model, type Operation } from './checker.ts';
import { counter, lock, register } from './models.ts';
import { makeRandom, type Random } from '../ids/random.ts';

type Line<I, O> = readonly [client: number, invoked: number, returned: number | undefined, input: I, output?: O];

function history<I, O>(lines: readonly Line<I, O>[]): Operation<I, O>[] {
  return lines.map(([client, invoked, returned, input, output]) => ({
    client,
    invoked,
    input,
    ...(returned === undefined ? {} : { returned }),
    ...(output === undefined ? {} : { output }),
  }));
}

const isFine = <S, I, O>(model: Model<S, I, O>, lines: readonly Line<I, O>[]): boolean =>
  checkLinearizable(model, history(lines)).isLinearizable;

const write = (value: string) => ({ do: 'write', value }) as const;
const cas = (from: string, to: string) => ({ do: 'cas', from, to }) as const;
const read = { do: 'read' } as const;
const none = { value: undefined };
const v = (value: string | boolean) => ({ value });

describe('a register', () => {
  it.each([
    ['nothing', [], true],
    [
      'a write, then a read of it',
      [
        [0, 0, 1, write('a'), none],
        [1, 2, 3, read, v('a')],
      ],
      true,
    ],
    [
      'a read of what was overwritten before',
      [
        [0, 0, 1, write('a'), none],
        [0, 2, 3, write('b'), none],
        [1, 4, 5, read, v('a')],
      ],
      false,
    ],
    [
      'a read beside the write, of either',
      [
        [0, 0, 3, write('a'), none],
        [1, 1, 2, read, v('')],
      ],
      true,
    ],
    [
      'a read of what is never written',
      [
        [0, 0, 3, write('a'), none],
        [1, 1, 2, read, v('b')],
      ],
      false,
    ],
    [
      'two reads beside a write, the new one first',
      [
        [0, 0, 9, write('a'), none],
        [1, 1, 2, read, v('a')],
        [1, 3, 4, read, v('')],
      ],
      false,
    ],
    // Herlihy and Wing's figure 1, for a register: the order of returns is not the order of effects.
    [
      'writes that overlap, read in the other order',
      [
        [0, 0, 5, write('a'), none],
        [1, 1, 4, write('b'), none],
        [2, 6, 7, read, v('a')],
        [2, 8, 9, read, v('a')],
      ],
      true,
    ],
    [
      'an unknown write that is read later',
      [
        [0, 0, undefined, write('a')],
        [1, 1, 2, read, v('')],
        [1, 3, 4, read, v('a')],
      ],
      true,
    ],
    [
      'an unknown write that never happens',
      [
        [0, 0, undefined, write('a')],
        [1, 1, 2, read, v('')],
        [1, 3, 4, read, v('')],
      ],
      true,
    ],
    [
      'an unknown write that happens twice',
      [
        [0, 0, undefined, write('a')],
        [1, 1, 2, read, v('a')],
        [1, 3, 4, write('b'), none],
        [1, 5, 6, read, v('b')],
        [1, 7, 8, read, v('a')],
      ],
      false,
    ],
    [
      'an unknown write read before it began',
      [
        [1, 0, 1, read, v('a')],
        [0, 2, undefined, write('a')],
      ],
      false,
    ],
    [
      'a compare-and-set that both win',
      [
        [0, 0, 5, cas('', 'a'), v(true)],
        [1, 1, 4, cas('', 'b'), v(true)],
      ],
      false,
    ],
    [
      'a compare-and-set that one wins',
      [
        [0, 0, 5, cas('', 'a'), v(false)],
        [1, 1, 4, cas('', 'b'), v(true)],
      ],
      true,
    ],
    ['a compare-and-set that fails for no reason', [[0, 0, 1, cas('', 'a'), v(false)]], false],
    [
      'a compare-and-set that was done and says that it was not',
      [
        [0, 0, 1, cas('', 'a'), v(false)],
        [1, 2, 3, read, v('a')],
      ],
      false,
    ],
  ] as readonly (readonly [
    string,
    readonly Line<Parameters<typeof register.step>[1], { value: string | boolean | undefined }>[],
    boolean,
  ])[])('%s', (_what, lines, expected) => {
    expect(isFine(register, lines)).toBe(expected);
  });
});

describe('a counter', () => {
  const add = { do: 'add', by: 1 } as const;
  const get = { do: 'get' } as const;
  it.each([
    [
      'adds that overlap',
      [
        [0, 0, 3, add, { value: 2 }],
        [1, 1, 2, add, { value: 1 }],
      ],
      true,
    ],
    [
      'an add that is lost',
      [
        [0, 0, 1, add, { value: 1 }],
        [1, 2, 3, add, { value: 1 }],
      ],
      false,
    ],
    [
      'an unknown add that counts once',
      [
        [0, 0, undefined, add],
        [1, 1, 2, get, { value: 1 }],
        [1, 3, 4, add, { value: 2 }],
      ],
      true,
    ],
    [
      'an unknown add that counts twice',
      [
        [0, 0, undefined, add],
        [1, 1, 2, get, { value: 2 }],
      ],
      false,
    ],
    [
      'a number that goes back',
      [
        [0, 0, 1, add, { value: 1 }],
        [1, 2, 3, get, { value: 0 }],
      ],
      false,
    ],
  ] as readonly (readonly [
    string,
    readonly Line<{ do: 'add'; by: number } | { do: 'get' }, { value: number }>[],
    boolean,
  ])[])('%s', (_what, lines, expected) => {
    expect(isFine(counter, lines)).toBe(expected);
  });
});

describe('a lock', () => {
  const acquire = (id: string) => ({ do: 'acquire', id }) as const;
  const release = (id: string) => ({ do: 'release', id }) as const;
  const holder = { do: 'holder' } as const;
  it.each([
    [
      'held by one after the other',
      [
        [0, 0, 1, acquire('a'), { token: 5n }],
        [0, 2, 3, release('a'), { done: true }],
        [1, 4, 5, acquire('b'), { token: 7n }],
      ],
      true,
    ],
    [
      'held by two',
      [
        [0, 0, 1, acquire('a'), { token: 5n }],
        [1, 2, 3, acquire('b'), { token: 6n }],
      ],
      false,
    ],
    [
      'with a token that goes back',
      [
        [0, 0, 1, acquire('a'), { token: 5n }],
        [0, 2, 3, release('a'), { done: true }],
        [1, 4, 5, acquire('b'), { token: 4n }],
      ],
      false,
    ],
    ['refused though free', [[0, 0, 1, acquire('a'), { token: 0n }]], false],
    [
      'taken by one who never heard of it',
      [
        [0, 0, undefined, acquire('a')],
        [1, 1, 2, acquire('b'), { token: 0n }],
        [1, 3, 4, holder, { id: 'a' }],
      ],
      true,
    ],
    [
      'released by another',
      [
        [0, 0, 1, acquire('a'), { token: 5n }],
        [1, 2, 3, release('b'), { done: true }],
      ],
      false,
    ],
  ] as readonly (readonly [
    string,
    readonly Line<Parameters<typeof lock.step>[1], NonNullable<Parameters<typeof lock.step>[2]>>[],
    boolean,
  ])[])('%s', (_what, lines, expected) => {
    expect(isFine(lock, lines)).toBe(expected);
  });
});

describe('random histories', () => {
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  const random = makeRandom(seed);

  it(`are judged as by brute force (SEED=${seed})`, () => {
    const verdicts = { fine: 0, broken: 0 };
    for (let round = 0; round < 3_000; round++) {
      const operations = randomHistory(random);
      const expected = isFineByBruteForce(operations);
      expect([round, checkLinearizable(register, operations).isLinearizable]).toEqual([round, expected]);
      verdicts[expected ? 'fine' : 'broken'] += 1;
    }
    // Both kinds came up, so that neither answer alone would have passed.
    expect(Math.min(verdicts.fine, verdicts.broken)).toBeGreaterThan(300);
  });

  it('of a thousand operations are judged at once', () => {
    const operations: Operation<Parameters<typeof register.step>[1], { value: string }>[] = [];
    for (let i = 0; i < 1_000; i++) {
      const at = i * 4;
      // Writers and readers of eight clients overlap all along.
      if (i % 2 === 0)
        operations.push({ client: i % 8, invoked: at, returned: at + 13, input: write(`${i}`), output: { value: '' } });
      else
        operations.push({ client: i % 8, invoked: at, returned: at + 1, input: read, output: { value: `${i - 1}` } });
    }
    const verdict = checkLinearizable(register, operations, 200_000);
    expect(verdict.isLinearizable).toBe(true);
  });

  it('that cannot be decided are no verdict', () => {
    const unknown = Array.from(
      { length: 24 },
      (_, i): Line<ReturnType<typeof write> | typeof read, { value: string }> => [i, i, undefined, write(String(i))],
    );
    expect(() =>
      checkLinearizable(register, history([...unknown, [30, 100, 101, read, { value: 'never' }]]), 10_000),
    ).toThrow(/not decided/);
  });
});

type RegisterOperation = Operation<
  Parameters<typeof register.step>[1],
  { readonly value: string | boolean | undefined }
>;

/** Up to six operations of three clients, some without an answer, with outputs that are right about half of the time. */
function randomHistory(random: Random): RegisterOperation[] {
  let clock = 0;
  const open = new Map<number, { -readonly [K in keyof RegisterOperation]: RegisterOperation[K] }>();
  const all: RegisterOperation[] = [];
  const values = ['', 'a', 'b'] as const;
  for (let event = 0; event < 12; event++) {
    const client = random.pick([0, 1, 2]);
    const current = open.get(client);
    if (current === undefined) {
      if (all.length === 6) continue;
      const input = random.pick([
        read,
        read,
        write(random.pick(['a', 'b'])),
        cas(random.pick(values), random.pick(['a', 'b'])),
      ]);
      const operation = { client, input, invoked: clock++ };
      all.push(operation);
      open.set(client, operation);
      continue;
    }
    open.delete(client);
    // No answer ever: the client goes on with the next.
    if (random.between(1, 100) <= 25) continue;
    current.returned = clock++;
    current.output = {
      value:
        current.input.do === 'cas'
          ? random.pick([true, false])
          : current.input.do === 'read'
            ? random.pick(values)
            : undefined,
    };
  }
  return all;
}

/** Every choice and order of operations that real time allows. */
function isFineByBruteForce(operations: readonly RegisterOperation[]): boolean {
  const search = (rest: readonly RegisterOperation[], state: string): boolean => {
    if (rest.every(({ returned }) => returned === undefined)) return true;
    return rest.some((candidate) => {
      const mayBeFirst = rest.every(({ returned }) => returned === undefined || returned > candidate.invoked);
      if (!mayBeFirst) return false;
      const next = register.step(state, candidate.input, candidate.output);
      return (
        next !== undefined &&
        search(
          rest.filter((other) => other !== candidate),
          next,
        )
      );
    });
  };
  return search(operations, register.initial);
}
