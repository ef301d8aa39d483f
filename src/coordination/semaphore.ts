/** A counting semaphore: the `size` who came first hold it. All who name it must say the same size while anybody holds it or waits. */
import { NshError } from '../protocol/errors.ts';
import type { Hold } from './hold.ts';
import { placeOf } from './keys.ts';
import type { Participant } from './participant.ts';
import { takeTurn, type TurnOptions } from './turn.ts';

export const maxSize = 10_000;

/** @returns undefined where `timeoutMs` has passed. @throws NshError `sizeDiffers`, naming both; else as `takeTurn`. */
export async function acquireSemaphore(
  participant: Participant,
  name: string,
  size: number,
  options: TurnOptions = {},
): Promise<Hold | undefined> {
  checkSize('semaphore', size);
  return await takeTurn(participant, placeOf('semaphore', name), { mode: 'x', size, holders: size }, options);
}

/** @throws NshError `usage` */
export function checkSize(what: string, size: number): void {
  if (Number.isSafeInteger(size) && size >= 1 && size <= maxSize) return;
  throw new NshError('usage', `a ${what} of ${size}: it can be 1 to ${maxSize}`);
}
