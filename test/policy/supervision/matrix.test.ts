/** The supervision matrix: restart type × way of exit × strategy × intensity × slot, against an oracle written from OTP's documentation. */
import { describe, expect, it } from 'vitest';
import type { End } from '../../../src/policy/supervision/end.ts';
import type { NodeAction } from '../../../src/policy/supervision/node.ts';
import { restartTypes, strategies, type GroupSpec } from '../../../src/policy/supervision/spec.ts';
import { OtpSupervisor, type Reason } from './otp-oracle.ts';
import { NodeDriver, specOf } from './scenario.ts';

const children = 3;

/** Way of exit → what ends, and what it is in OTP's words. `never ready`: it ends before it is ready, in every start from then on. */
const ways: Readonly<Record<string, { readonly end: End; readonly reason: Reason }>> = {
  'exit 0': { end: { kind: 'exited', code: 0 }, reason: 'normal' },
  'exit 1': { end: { kind: 'exited', code: 1 }, reason: 'abnormal' },
  SEGV: { end: { kind: 'signalled', signal: 'SEGV' }, reason: 'abnormal' },
  KILL: { end: { kind: 'signalled', signal: 'KILL' }, reason: 'abnormal' },
  'the stop signal of another': { end: { kind: 'signalled', signal: 'TERM' }, reason: 'shutdown' },
  unseen: { end: { kind: 'lost', why: 'its shim was killed' }, reason: 'abnormal' },
  'never ready': { end: { kind: 'exited', code: 1 }, reason: 'abnormal' },
};

/** The node with every order carried out at once: what is stopped ends, what is started is ready, pauses are waited for. */
class Instant {
  readonly log: string[] = [];
  readonly driver: NodeDriver;
  readonly #neverReady: ReadonlySet<number>;

  constructor(spec: GroupSpec, neverReady: ReadonlySet<number>) {
    this.driver = new NodeDriver(spec, true);
    this.#neverReady = neverReady;
  }

  feed(event: Parameters<NodeDriver['feed']>[0]): void {
    this.#follow(this.driver.feed(event));
  }

  end(slot: number, end: End): void {
    const { group, run } = { group: this.driver.spec.name, run: this.#run(slot) };
    this.feed({ kind: 'ended', group, slot, run, end });
  }

  isUp(slot: number): boolean {
    return this.driver.state.groups.get(this.driver.spec.name)?.replicas.get(slot)?.phase === 'ready';
  }

  /** Lets the time of pauses and time-outs pass, at most `untilMs`. */
  settle(untilMs: number): void {
    while (this.driver.wakeMs !== undefined && this.driver.wakeMs <= untilMs) {
      this.driver.nowMs = this.driver.wakeMs;
      this.feed({ kind: 'tick' });
    }
    this.driver.nowMs = Math.max(this.driver.nowMs, untilMs);
  }

  #run(slot: number): number {
    return this.driver.state.groups.get(this.driver.spec.name)?.replicas.get(slot)?.run ?? 0;
  }

  #follow(actions: readonly NodeAction[]): void {
    const group = this.driver.spec.name;
    for (const action of actions) {
      if (action.kind === 'start') this.log.push(`start ${action.slot}`);
      if (action.kind === 'signal') this.log.push(`stop ${action.slot}`);
    }
    for (const action of actions) {
      const { slot = 0, run = 0 } = 'slot' in action ? action : {};
      if (action.kind === 'start') {
        this.feed({ kind: 'started', group, slot, run });
        if (this.#neverReady.has(slot)) this.end(slot, { kind: 'exited', code: 1 });
        else this.feed({ kind: 'ready', group, slot, run });
      }
      if (action.kind === 'signal')
        this.feed({ kind: 'ended', group, slot, run, end: { kind: 'signalled', signal: 'TERM' } });
    }
  }
}

interface Case {
  readonly restart: GroupSpec['restart'];
  readonly strategy: GroupSpec['strategy'];
  readonly intensity: number;
  readonly way: string;
  readonly victims: readonly number[];
}

function play({ restart, strategy, intensity, way, victims }: Case): {
  ours: string[];
  otp: string[];
  up: [boolean[], boolean[]];
} {
  const { end, reason } = ways[way] ?? { end: { kind: 'exited', code: 1 }, reason: 'abnormal' };
  const neverReady = new Set<number>();
  const spec = specOf({ replicas: children, restart, strategy, intensity, ready: 'log:up', period: '10h' });
  const ours = new Instant(spec, neverReady);
  const otp = new OtpSupervisor({ restart, strategy, intensity, periodMs: spec.periodMs }, children, (child) =>
    neverReady.has(child),
  );
  ours.feed({ kind: 'order', order: ours.driver.order([1, 2, 3]) });
  otp.init();
  for (const [index, victim] of victims.entries()) {
    ours.settle((index + 1) * 1_000_000);
    if (way === 'never ready') neverReady.add(victim);
    if (!ours.isUp(victim) || !otp.isRunning(victim)) continue;
    const { nowMs } = ours.driver;
    ours.end(victim, end);
    otp.terminated(victim, reason, nowMs);
  }
  ours.settle(ours.driver.nowMs + 1_000_000);
  const slots = [1, 2, 3];
  const failed = ours.driver.report?.failed !== undefined;
  if (failed !== otp.hasGivenUp) throw new Error(`ours has ${failed ? '' : 'not '}given up`);
  return {
    ours: ours.log,
    otp: otp.log,
    up: [slots.map((slot) => ours.isUp(slot)), slots.map((slot) => otp.isRunning(slot))],
  };
}

const victimLists: readonly (readonly number[])[] = [[1], [2], [3], [2, 2], [3, 1], [1, 2, 3], [2, 3, 2, 1]];

describe.each(restartTypes)('%s', (restart) => {
  describe.each(strategies)('%s', (strategy) => {
    it.each(Object.keys(ways))(
      '%s: starts and stops what OTP does, in its order, for every intensity and victim',
      (way) => {
        for (const intensity of [0, 1, 2, 3, 10]) {
          for (const victims of victimLists) {
            const { ours, otp, up } = play({ restart, strategy, intensity, way, victims });
            const what = `intensity ${intensity}, victims ${victims.join(' ')}`;
            expect([what, ...ours]).toEqual([what, ...otp]);
            expect([what, up[0]]).toEqual([what, up[1]]);
          }
        }
      },
    );
  });
});
