import { expect, test } from 'vitest';
import { OrderLog, parseOrder } from '../../../agent/shim/order-log.ts';

const entriesOf = (log: OrderLog): string[] => {
  const found: string[] = [];
  for (let number = 0, entry = log.at(0); entry !== undefined; entry = log.at(++number))
    found.push(`${entry.stream} ${entry.end}`);
  return found;
};

test('what is taken piece by piece reads as the whole, also where the last run has grown in between', () => {
  const log = new OrderLog();
  let file = '';
  let [out, err] = [0, 0];
  // Runs of every length, cut by a `takeNew` at every place in them.
  for (let step = 0; step < 1_000; step++) {
    if (step % 7 < 4) log.add(1, (out += 3));
    else log.add(2, (err += 5));
    if (step % 3 === 0) file += log.takeNew();
  }
  file += log.takeNew();
  expect(entriesOf(parseOrder(file))).toEqual(entriesOf(log));
  expect(entriesOf(log).length).toBe(286);
});

test('there is something to interleave once both streams were written to', () => {
  const log = new OrderLog();
  log.add(1, 10);
  expect(log.hasTurns).toBe(false);
  log.add(2, 1);
  expect(log.hasTurns).toBe(true);
});

test('runs that were let go of before they were taken leave the later ones in their order', () => {
  const log = new OrderLog();
  log.add(1, 1);
  log.takeNew();
  for (let i = 1; i <= 20_000; i++) {
    log.add(2, i);
    log.add(1, i + 1);
  }
  const kept = log.firstNumber;
  expect(kept).toBeGreaterThan(0);
  const lines = log.takeNew().trim().split('\n');
  expect(lines.at(-1)).toBe('1 20001');
  expect(lines).toHaveLength(40_001 - kept);
});
