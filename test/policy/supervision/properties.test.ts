/** What must hold whatever happens: random orders, ends, time-outs and clocks, from a seed that a failure names. */
import { describe, expect, it } from 'vitest';
import type { End } from '../../../src/policy/supervision/end.ts';
import type { NodeAction } from '../../../src/policy/supervision/node.ts';
import { restartTypes, strategies } from '../../../src/policy/supervision/spec.ts';
import { makeRandom, type Random } from '../../ids/random.ts';
import { NodeDriver, specOf } from './scenario.ts';

const ends: readonly [End, ...End[]] = [
  { kind: 'exited', code: 0 },
  { kind: 'exited', code: 1 },
  { kind: 'signalled', signal: 'KILL' },
  { kind: 'signalled', signal: 'TERM' },
  { kind: 'notStarted', why: 'no memory' },
];
const maxSlots = 5;

interface Process {
  readonly run: number;
  isStopped: boolean;
  isKilled: boolean;
}

/** Keeps account of the processes by what the node does alone, and checks the rules at every step. */
class World {
  readonly driver: NodeDriver;
  readonly live = new Map<number, Process>();
  readonly restartTimes: number[] = [];
  #restarted = 0;
  wanted: number[] = [];

  constructor(driver: NodeDriver) {
    this.driver = driver;
  }

  feed(event: Parameters<NodeDriver['feed']>[0]): void {
    const hadFailed = this.driver.report?.failed;
    for (const action of this.driver.feed(event)) this.#account(action, hadFailed);
    const { nowMs, wakeMs, report, spec } = this.driver;
    if (wakeMs !== undefined && wakeMs < nowMs) throw new Error('it wakes in the past');
    for (let { restarted = 0 } = report ?? {}; this.#restarted < restarted; this.#restarted++)
      this.restartTimes.push(nowMs);
    if (report?.restarted === 0) this.#restarted = 0;
    const counted = this.restartTimes.filter((at) => at >= nowMs - spec.periodMs);
    if (counted.length > spec.intensity) throw new Error(`${counted.length} restarts within the period`);
    const running = [...this.live].filter(([, { isStopped }]) => !isStopped).map(([slot]) => slot);
    const unwanted = running.filter((slot) => !this.wanted.includes(slot));
    // An ordered group is stopped one by one: what is still to be stopped waits for one that is.
    const isStopping = [...this.live.values()].some(({ isStopped }) => isStopped);
    if (unwanted.length > 0 && !(spec.strategy !== 'one_for_one' && isStopping))
      throw new Error(`unwanted replicas run: ${unwanted.join(' ')}`);
  }

  tellEnd(slot: number, end: End): void {
    const run = this.live.get(slot)?.run ?? 0;
    this.live.delete(slot);
    this.feed({ kind: 'ended', group: 'web', slot, run, end });
  }

  #account(action: NodeAction, hadFailed: string | undefined): void {
    if (action.kind === 'start') {
      if (this.live.has(action.slot)) throw new Error(`web/${action.slot} is started while it runs`);
      if (!this.wanted.includes(action.slot)) throw new Error(`web/${action.slot} is started though it is not wanted`);
      if (hadFailed !== undefined && this.driver.report?.failed === hadFailed) throw new Error('a failed group starts');
      this.live.set(action.slot, { run: action.run, isStopped: false, isKilled: false });
      if (this.live.size > maxSlots) throw new Error('more run than there are slots');
    }
    if (action.kind !== 'signal' && action.kind !== 'kill') return;
    const process = this.live.get(action.slot);
    if (process?.run !== action.run) throw new Error(`web/${action.slot} gets a signal, but that run is over`);
    process.isStopped = true;
    if (action.kind === 'kill') process.isKilled = true;
  }
}

function passTime(world: World, random: Random, untilMs: number): void {
  for (let rounds = 0; world.driver.wakeMs !== undefined && world.driver.wakeMs <= untilMs; rounds++) {
    if (rounds > 10_000) throw new Error('it wakes for ever');
    // A timer may be late, never early.
    world.driver.nowMs = Math.max(world.driver.nowMs, world.driver.wakeMs + random.between(0, 3));
    world.feed({ kind: 'tick' });
  }
  world.driver.nowMs = Math.max(world.driver.nowMs, untilMs);
}

function disturb(world: World, random: Random): void {
  const { driver, live } = world;
  const slots = [...live.keys()];
  const slot = slots[random.between(0, slots.length - 1)];
  const what = random.between(0, 9);
  if (what === 0) {
    world.wanted = Array.from({ length: random.between(0, maxSlots) }, (_, index) => index + 1);
    const version = `v${random.between(1, 2)}`;
    world.feed({ kind: 'order', order: driver.order(world.wanted, { version }) });
  } else if (what <= 3) passTime(world, random, driver.nowMs + random.between(0, 4_000));
  else if (slot === undefined) return;
  else if (what <= 6)
    world.feed({
      kind: random.between(0, 4) === 0 ? 'unready' : 'ready',
      group: 'web',
      slot,
      run: live.get(slot)?.run ?? 0,
    });
  else if (live.get(slot)?.isStopped === true || what === 9) world.tellEnd(slot, random.pick(ends));
}

/** From now on everything works: what is stopped ends, what is started is ready. */
function letConverge(world: World, random: Random): void {
  for (let rounds = 0; rounds < 1_000; rounds++) {
    const { driver, live } = world;
    const stopped = [...live].find(([, { isStopped }]) => isStopped);
    const starting = driver.report?.replicas.find(({ phase }) => phase === 'starting' || phase === 'unready');
    if (stopped !== undefined) world.tellEnd(stopped[0], { kind: 'exited', code: 0 });
    else if (starting !== undefined)
      world.feed({ kind: 'ready', group: 'web', slot: starting.slot, run: starting.run });
    else if (driver.wakeMs !== undefined) passTime(world, random, driver.wakeMs);
    else return;
  }
  throw new Error('it does not come to rest');
}

function play(seed: number): void {
  const random = makeRandom(seed);
  const spec = specOf({
    replicas: maxSlots,
    restart: random.pick(restartTypes),
    strategy: random.pick(strategies),
    intensity: random.between(0, 6),
    period: '20s',
    'stop-timeout': '2s',
    ...(random.between(0, 1) === 0 ? { ready: 'tcp:80', 'ready-timeout': '5s' } : {}),
  });
  const world = new World(new NodeDriver(spec));
  world.wanted = [1, 2, 3];
  world.feed({ kind: 'order', order: world.driver.order(world.wanted) });
  for (let step = 0; step < 60; step++) disturb(world, random);
  letConverge(world, random);
  checkRest(world);
}

function checkRest({ driver: { report, spec }, live, wanted }: World): void {
  const rows = report?.replicas ?? [];
  const shown = rows.map(({ slot, phase }) => `${slot} ${phase}`).join(', ');
  if (report?.failed !== undefined) {
    if (live.size > 0) throw new Error(`the group has failed, and yet there run ${[...live.keys()].join(' ')}`);
    return;
  }
  const resting = spec.restart === 'permanent' ? /^(?:ready|held)$/ : /^(?:ready|held|ended)$/;
  const isWhole =
    rows.map(({ slot }) => slot).join() === wanted.join() && rows.every(({ phase }) => resting.test(phase));
  if (!isWhole) throw new Error(`wanted are ${wanted.join(' ')}, and it came to rest with ${shown}`);
}

describe('whatever happens', () => {
  it('no slot runs twice, nothing unwanted runs, no more restarts than the intensity, and it comes to rest', () => {
    const first = Math.floor(Math.random() * 1e9);
    const failures = Array.from({ length: 400 }, (_, index) => first + index).flatMap((seed) => {
      try {
        play(seed);
        return [];
      } catch (error) {
        return [`seed ${seed}: ${error instanceof Error ? error.stack : String(error)}`];
      }
    });
    expect(failures).toEqual([]);
  });
});
