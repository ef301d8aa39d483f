/** The oracle of the matrix against what the real supervisor of Erlang/OTP did: recorded, see test/fixtures/supervision/oc.erl. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { OtpSupervisor, type Flags } from './otp-oracle.ts';

const recorded = readFileSync(new URL('../../fixtures/supervision/otp-25.txt', import.meta.url), 'utf8')
  .trim()
  .split('\n');
const form = /^(?<restart>\w+) (?<strategy>\w+) (?<way>\w+) (?<intensity>\d+) \[(?<victims>[\d,]+)\]: /;

function replay(line: string): string {
  const { restart, strategy, way, intensity, victims = '' } = form.exec(line)?.groups ?? {};
  const failing = new Set<number>();
  const flags = { restart, strategy, intensity: Number(intensity), periodMs: 3_600_000 } as Flags;
  const supervisor = new OtpSupervisor(flags, 3, (child) => failing.has(child));
  supervisor.init();
  for (const child of victims.split(',').map(Number)) {
    if (supervisor.hasGivenUp) break;
    if (way === 'never') failing.add(child);
    if (supervisor.isRunning(child))
      supervisor.terminated(child, way === 'normal' || way === 'shutdown' ? way : 'abnormal', 0);
  }
  const log = supervisor.log.map((entry) => entry.replace(' ', '')).join(' ');
  const up = [1, 2, 3].filter((child) => supervisor.isRunning(child));
  return `${form.exec(line)?.[0]}${log}; up [${up.join()}] ${!supervisor.hasGivenUp}`;
}

test('the oracle starts and stops what Erlang/OTP does, in 1,260 cases', () => {
  expect(recorded).toHaveLength(1260);
  expect(recorded.map(replay)).toEqual(recorded);
});
