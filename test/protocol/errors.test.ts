import { expect, it } from 'vitest';
import { toNshError } from '../../src/protocol/errors.ts';

it('says what to do where a part that is loaded late has gone with an upgrade', async () => {
  const gone = './part-of-another-version.js';
  const error = await import(/* @vite-ignore */ gone).catch((reason: unknown) => reason);
  expect(toNshError(error).message).toMatch(
    /^a part of nsh is not there; where nsh was upgraded meanwhile begin anew, .*part-of-another/,
  );
  expect(toNshError(new Error('another')).message).toBe('another');
});
