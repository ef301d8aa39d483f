/**
 * Scenario files of the supervision policies: what happens to one node, and what it does about it, line by line. The clock is the number at
 * the beginning of each line (ms). A start is answered with `started` at once, unless the scenario says `slow`.
 *
 *   0      order 1-3                → start 1, start 2, start 3
 *   500    ended 2 exit 1           → start 2
 *   shows  1 ready, 2 ready, 3 ready
 *
 * Every time at which the node wakes by itself must stand in a line with `tick`, so that nothing happens unseen.
 */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { End } from '../../../src/policy/supervision/end.ts';
import {
  initialNodeState,
  stepNode,
  type NodeAction,
  type NodeEvent,
  type NodeState,
} from '../../../src/policy/supervision/node.ts';
import type { GroupReport, Order } from '../../../src/policy/supervision/order.ts';
import { parseGroupSpec, type WrittenSpec } from '../../../src/policy/supervision/parse-spec.ts';
import type { GroupSpec } from '../../../src/policy/supervision/spec.ts';

export interface Scenario {
  readonly title: string;
  readonly group: WrittenSpec;
  readonly slow?: boolean;
  readonly steps: string;
}

export function readScenarios(file: string): Scenario[] {
  return parse(readFileSync(new URL(`../../fixtures/supervision/${file}`, import.meta.url), 'utf8')) as Scenario[];
}

export function specOf(written: WrittenSpec): GroupSpec {
  return parseGroupSpec({ name: 'web', command: ['server'], ...written });
}

/** One node with one group, driven by hand. */
export class NodeDriver {
  state: NodeState = initialNodeState();
  wakeMs: number | undefined;
  report: GroupReport | undefined;
  nowMs = 0;
  readonly spec: GroupSpec;
  readonly #isSlow: boolean;
  #serial = 0n;

  constructor(spec: GroupSpec, isSlow = false) {
    this.spec = spec;
    this.#isSlow = isSlow;
  }

  /** An order of a leader; `serial` counts up by itself. */
  order(slots: readonly number[], more: Partial<Order> & { readonly version?: string } = {}): Order {
    const { version = 'v1', ...rest } = more;
    this.#serial += 1n;
    return {
      group: this.spec.name,
      epoch: 1n,
      serial: this.#serial,
      spec: this.spec,
      versions: new Map([[version, this.spec]]),
      slots: slots.map((slot) => ({ slot, version })),
      scope: 'node',
      round: 1,
      ...rest,
    };
  }

  /** What the node does, with what its starts lead to at once. */
  feed(event: NodeEvent): NodeAction[] {
    const step = stepNode(this.state, event, this.nowMs);
    this.state = step.state;
    this.wakeMs = step.wakeMs;
    const done = [...step.actions];
    for (const action of step.actions) if (action.kind === 'report') this.report = action.report;
    for (const action of step.actions) {
      if (action.kind !== 'start' || this.#isSlow) continue;
      const { group, slot, run } = action;
      done.push(...this.feed({ kind: 'started', group, slot, run }));
    }
    return done;
  }
}

/** @throws Error that shows the line and what came instead. */
export function playScenario(scenario: Scenario): void {
  const driver = new NodeDriver(specOf(scenario.group), scenario.slow);
  for (const line of scenario.steps.split('\n')) {
    if (line.trim() === '' || line.trim().startsWith('#')) continue;
    const [head = '', ...rest] = line.trim().split(/\s+/);
    if (head === 'shows') expectText(line, line.trim().slice(5).trim(), show(driver.report));
    else if (head === 'says') expectText(line, line.trim().slice(4).trim(), driver.report?.failed ?? '');
    else playLine(driver, line, Number(head), rest.join(' '));
  }
}

function playLine(driver: NodeDriver, line: string, atMs: number, rest: string): void {
  const [what = '', wanted = ''] = rest.split('→').map((part) => part.trim());
  if (Number.isNaN(atMs) || atMs < driver.nowMs) throw new Error(`${line}: no time, or one that is past`);
  const isTick = what === 'tick';
  if (driver.wakeMs !== undefined && driver.wakeMs <= atMs && !(isTick && driver.wakeMs === atMs))
    throw new Error(`${line}: it wakes at ${driver.wakeMs} before that`);
  if (isTick && driver.wakeMs !== atMs) throw new Error(`${line}: it wakes at ${driver.wakeMs ?? 'no time'}`);
  driver.nowMs = atMs;
  const actions = driver.feed(readEvent(driver, what));
  expectText(line, wanted, actions.flatMap(describe).join(', '));
}

function expectText(line: string, wanted: string, found: string): void {
  if (wanted !== found) throw new Error(`${line.trim()}\n  came to: ${found === '' ? 'nothing' : found}`);
}

function readEvent(driver: NodeDriver, text: string): NodeEvent {
  const [kind = '', ...words] = text.split(' ');
  const { name } = driver.spec;
  const slot = Number(words[0]);
  const run = driver.state.groups.get(name)?.replicas.get(slot)?.run ?? 0;
  switch (kind) {
    case 'tick':
    case 'fenced':
      return { kind };
    case 'listed':
      return { kind, groups: words };
    case 'order':
      return { kind, order: driver.order(readSlots(words[0]), readOrderWords(words.slice(1))) };
    case 'found': {
      const replicas = readSlots(words[0]).map((found) => ({ slot: found, run: 4, version: 'v1', isReady: true }));
      return { kind, order: driver.order(readSlots(words[0])), replicas };
    }
    case 'started':
    case 'ready':
    case 'unready':
      return { kind, group: name, slot, run };
    case 'ended':
      return { kind, group: name, slot, run: readRun(words, run), end: readEnd(words.slice(1)) };
    default:
      throw new Error(`no such event: ${text}`);
  }
}

/** `ended 2 exit 0 of run 1`: an event that comes late. */
function readRun(words: readonly string[], run: number): number {
  const at = words.indexOf('run');
  return at < 0 ? run : Number(words[at + 1]);
}

/** `none`, `1-3`, `1,4`. */
function readSlots(text = 'none'): number[] {
  if (text === 'none') return [];
  return text.split(',').flatMap((part) => {
    const [first = 0, last = first] = part.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

function readOrderWords(words: readonly string[]): Partial<Order> & { version?: string } {
  const read: Record<string, unknown> = {};
  for (const word of words) {
    const [key = '', value = ''] = word.split('=');
    if (key === 'epoch' || key === 'serial') read[key] = BigInt(value);
    else if (key === 'round') read[key] = Number(value);
    else read[key] = value;
  }
  return read;
}

function readEnd([kind = '', value = '']: readonly string[]): End {
  if (kind === 'exit') return { kind: 'exited', code: Number(value) };
  if (kind === 'lost') return { kind: 'lost', why: 'its shim was killed' };
  if (kind === 'unstartable') return { kind: 'notStarted', why: 'no such command' };
  return { kind: 'signalled', signal: kind };
}

function describe(action: NodeAction): string[] {
  switch (action.kind) {
    case 'start':
      return [`start ${action.slot}${action.version === 'v1' ? '' : ` ${action.version}`}`];
    case 'signal':
      return [`${action.signal} ${action.slot}`];
    case 'kill':
      return [`KILL ${action.slot}`];
    case 'remember':
      return action.epoch === 1n ? [] : [`remember ${action.epoch}`];
    case 'refuse':
      return [`refuse (${action.why})`];
    default:
      return [];
  }
}

function show(report: GroupReport | undefined): string {
  return (report?.replicas ?? []).map(({ slot, phase }) => `${slot} ${phase}`).join(', ');
}
