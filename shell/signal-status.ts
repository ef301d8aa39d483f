/** The status of what a person's signal has broken off: nothing needs to be said of it. */
import { constants } from 'node:os';
import type { NshError } from '../src/protocol/errors.ts';

/** 128 + n as of a program that signal n ended; undefined: no signal was the reason. */
export function signalStatus({ code, data }: NshError): number | undefined {
  const signal = code === 'cancelled' ? data?.['signal'] : undefined;
  return typeof signal === 'string' ? 128 + (constants.signals[signal as NodeJS.Signals] ?? 0) : undefined;
}
