/** How often and how soon: the restart intensity of OTP (supervisor(3)), and the pause before a restart, which OTP does not have. */
import { formatDuration } from '../../ids/quantities.ts';
import type { GroupSpec } from './spec.ts';

type Limits = Pick<GroupSpec, 'intensity' | 'periodMs'>;

/**
 * The restarts that count at `nowMs` after one more: those not older than the period. A restart exactly one period ago still counts, as in
 * OTP. One restart is one, however many replicas its strategy takes along.
 */
export function addRestart(restarts: readonly number[], nowMs: number, { periodMs }: Limits): number[] {
  return [...restartsWithin(restarts, nowMs, periodMs), nowMs];
}

/** One in the future was written by a leader whose clock was ahead: it counts as just now. */
export function restartsWithin(restarts: readonly number[], nowMs: number, periodMs: number): number[] {
  return restarts.filter((atMs) => atMs >= nowMs - periodMs).map((atMs) => Math.min(atMs, nowMs));
}

export function isTooIntense(restarts: readonly number[], { intensity }: Limits): boolean {
  return restarts.length > intensity;
}

export function describeIntensity(restarts: readonly number[], { intensity, periodMs }: Limits): string {
  const count = `${restarts.length} ${restarts.length === 1 ? 'restart' : 'restarts'}`;
  return `${count} within ${formatDuration(periodMs)}, where ${intensity} ${intensity === 1 ? 'is' : 'are'} allowed`;
}

/** The second restart in a row waits so long; each further one twice as long as the one before. ms. */
export const firstPauseMs = 1_000;
/** No restart waits longer. ms. */
export const longestPauseMs = 60_000;
/** A replica that was ready for so long has recovered: its next restart is a first one again. ms. */
export const recoveredAfterMs = 10_000;

/** Before the restart that follows the `failures`th end in a row, from 1: the first one at once, then 1 s, 2 s, 4 s, … 60 s. */
export function restartPauseMs(failures: number): number {
  if (failures <= 1) return 0;
  return Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(30, failures - 2));
}
