/**
 * Keeps V8 small: every megabyte of its own costs at each fork. Its optimizing compiler brings 4 MB into memory at the first function
 * that it finds worth it, some loop of the start, and is kept off until there is output enough to be worth it. Its space for young objects
 * would grow to 48 MB under a burst, and stays at the size it began with.
 */
import { setFlagsFromString } from 'node:v8';

const worthBytes = 4 * 1024 * 1024;
let left = worthBytes;

export function startSmall(): void {
  setFlagsFromString('--no-opt');
  setFlagsFromString('--semi-space-growth-factor=1');
}

/** `count` bytes of output have come. */
export function noteOutput(count: number): void {
  if (left <= 0) return;
  left -= count;
  if (left <= 0) setFlagsFromString('--opt');
}
