/** The model of `nsh top`: rates between samples, order, tree, keys. */
import { describe, expect, it } from 'vitest';
import { arrange, type Arrangement } from '../../shell/top/arrange.ts';
import { KeyReader } from '../../shell/top/keys.ts';
import { parseTopOptions } from '../../shell/top/options.ts';
import { tickRates, type TickReading } from '../../shell/top/rates.ts';
import { newState, pressKey, scrolled, withNodes, type TopState } from '../../shell/top/state.ts';
import { readTasks, type Task } from '../../shell/top/task.ts';
import type { ProcessTable } from '../../src/protocol/process.ts';
import { downNode, managedRecord, node, task, upNode } from './tasks.ts';

function reading(
  uptimeSeconds: number,
  processes: Record<number, readonly [start: number, ticks: number]>,
  boot = 'b',
) {
  const byPid = new Map(Object.entries(processes).map(([pid, [start, ticks]]) => [Number(pid), { start, ticks }]));
  return { boot, uptimeSeconds, byPid } satisfies TickReading;
}

describe('processor use', () => {
  const rate = (before: TickReading | undefined, now: TickReading, pid = 7): number | undefined =>
    tickRates(before, now, { cpus: 4 }).get(pid);

  it.each([
    [
      'is what was used between two samples of the node',
      reading(100, { 7: [10, 50] }),
      reading(102, { 7: [10, 150] }),
      50,
    ],
    ['is that of a whole life where there is no sample before', undefined, reading(100, { 7: [9000, 250] }), 25],
    [
      'counts what was born meanwhile over the whole interval',
      reading(100, {}),
      reading(104, { 7: [10_300, 100] }),
      25,
    ],
    [
      'does not credit a new process with the time of the one before it',
      reading(100, { 7: [10, 5000] }),
      reading(110, { 7: [10_500, 100] }),
      10,
    ],
    ['begins anew after a boot', reading(500, { 7: [10, 50] }, 'a'), reading(20, { 7: [0, 100] }), 5],
    ['is never more than the node has', reading(100, { 7: [10, 0] }), reading(100.01, { 7: [10, 50] }), 400],
    ['is nothing where time went backwards', reading(100, { 7: [10, 90] }), reading(101, { 7: [10, 80] }), 0],
  ])('%s', (_what, before, now, expected) => {
    expect(rate(before, now)).toBeCloseTo(expected, 5);
  });
});

describe('the command of a process', () => {
  const table = (argv: readonly string[], name?: string): ProcessTable => ({
    boot: 'b',
    nowMs: 0,
    uptimeSeconds: 100,
    cpus: 1,
    memTotalKb: 1000,
    pageBytes: 4096,
    columns: ['pid', 'start', 'args', 'comm'],
    rows: [[7, 10, [...argv], 'comm']],
    managed: name === undefined ? [] : [managedRecord(argv, name)],
  });
  const command = (argv: readonly string[], name?: string): string | undefined =>
    readTasks(node(1), table(argv, name), undefined).tasks[0]?.command;
  const sessionBash = ['bash', '--norc', '--noprofile', '-c', '\\builtin . /dev/fd/3', 'nsh'];

  it.each([
    [['sleep', '5'], undefined, 'sleep 5'],
    [['sleep', '5'], 'web', 'sleep 5'],
    [[], undefined, '[comm]'],
    [sessionBash, '@n1 make -j8', '@n1 make -j8'],
    [sessionBash, undefined, sessionBash.join(' ')],
  ])('of argv %j, named %j, is %j', (argv, name, expected) => {
    expect(command(argv, name)).toBe(expected);
  });
});

const flat: Arrangement = { sort: 'cpu', reversed: false, filter: '', tree: false };
const gpids = (tasks: readonly Task[], arrangement: Partial<Arrangement> = {}): number[] =>
  arrange(tasks, { ...flat, ...arrangement }).map((row) => row.task.gpid);

describe('the order', () => {
  const tasks = [
    task(10_000_001, { cpu: 5, residentKb: 10, user: 'web', ticks: 7, command: 'b' }),
    task(20_000_001, { cpu: 90, residentKb: 5, user: 'adm', ticks: 1, command: 'c' }),
    task(10_000_002, { cpu: 0, residentKb: 99, user: 'web', ticks: 9, command: 'a' }),
  ];
  it.each([
    ['cpu', [20_000_001, 10_000_001, 10_000_002]],
    ['mem', [10_000_002, 10_000_001, 20_000_001]],
    ['node', [10_000_001, 10_000_002, 20_000_001]],
    ['user', [20_000_001, 10_000_001, 10_000_002]],
    ['time', [10_000_002, 10_000_001, 20_000_001]],
    ['pid', [10_000_001, 10_000_002, 20_000_001]],
    ['command', [10_000_002, 10_000_001, 20_000_001]],
  ] as const)('by %s', (sort, expected) => {
    expect(gpids(tasks, { sort })).toEqual(expected);
  });

  it('is turned round by R', () => {
    expect(gpids(tasks, { reversed: true })).toEqual([10_000_002, 10_000_001, 20_000_001]);
  });

  it.each([
    ['the command, whatever its case', 'C', [20_000_001]],
    ['the user', 'web', [10_000_001, 10_000_002]],
    ['the node', 'n2', [20_000_001]],
    ['a part of the PID', '0000002', [10_000_002]],
    ['nothing', 'zzz', []],
  ])('is filtered by %s', (_what, filter, expected) => {
    expect(gpids(tasks, { filter })).toEqual(expected);
  });
});

describe('the tree', () => {
  const family = [
    task(10_000_001, { command: 'init' }),
    task(10_000_002, { parent: 10_000_001, command: 'sh', cpu: 1 }),
    task(20_000_009, { parent: 10_000_002, command: 'remote', cpu: 3 }),
    task(10_000_003, { parent: 10_000_001, command: 'cron', cpu: 2 }),
  ];
  const drawn = (tasks: readonly Task[], given: Partial<Arrangement> = {}): string[] =>
    arrange(tasks, { ...flat, tree: true, ...given }).map(({ task: { command }, branch }) => branch + command);

  it('has children below their parents, on another node too, each set in the order asked for', () => {
    expect(drawn(family)).toEqual(['init', '├─ cron', '└─ sh', '   └─ remote']);
  });

  it('shows the ancestors of what a filter finds', () => {
    expect(drawn(family, { filter: 'remote' })).toEqual(['init', '└─ sh', '   └─ remote']);
  });

  it('shows each process once, whatever its parents claim', () => {
    const ring = [task(1, { parent: 2 }), task(2, { parent: 1 }), task(3, { parent: 3 })];
    expect(drawn(ring)).toHaveLength(1);
    const chain = Array.from({ length: 20_000 }, (_, i) => task(i + 1, { parent: i, command: 'deep' }));
    expect(drawn(chain)).toHaveLength(20_000);
  });
});

describe('the bar', () => {
  const tasks = Array.from({ length: 50 }, (_, i) => task(10_000_001 + i, { cpu: 50 - i, managed: i === 3 }));
  const start = newState([upNode(1, tasks)], flat, 3000);
  const press = (state: TopState, ...keys: string[]): TopState =>
    keys.reduce((now, key) => scrolled(pressKey(now, key, 10).state, 10), state);
  const under = (state: TopState): number | undefined => state.rows[state.at]?.task.gpid;

  it.each([
    [['down', 'down'], 2, 0],
    [['up'], 0, 0],
    [['pagedown'], 9, 0],
    [['pagedown', 'pagedown'], 18, 9],
    [['G'], 49, 40],
    [['G', 'pageup'], 40, 40],
    [['end', 'home'], 0, 0],
    [['G', 'up', 'g', 'down'], 1, 0],
  ])('after %j is on row %i of a window that begins at %i', (keys, at, from) => {
    expect(press(start, ...keys)).toMatchObject({ at, from });
  });

  it('stays with its process when rows move, and at the first row stays there', () => {
    const moved = press(start, 'down', 'down');
    const reordered = tasks.map((each) => ({ ...each, cpu: -each.cpu }));
    expect(under(withNodes(moved, [upNode(1, reordered)]))).toBe(10_000_003);
    expect(under(withNodes(start, [upNode(1, reordered)]))).toBe(10_000_050);
  });

  it('stays where it is when its process has gone', () => {
    const moved = press(start, 'down', 'down');
    const left = tasks.filter(({ gpid }) => gpid !== 10_000_003);
    expect(under(withNodes(moved, [upNode(1, left)]))).toBe(10_000_004);
    expect(withNodes(moved, [])).toMatchObject({ at: 0, rows: [] });
  });

  it('goes to the first row of what a filter finds, unless its process is among that', () => {
    expect(press(start, 'G', '/', '0', '1')).toMatchObject({ at: 0, from: 0 });
    const stays = press(start, 'G', '/', '5', '0');
    expect(under(stays)).toBe(10_000_050);
    expect(under(press(stays, 'escape'))).toBe(10_000_050);
  });

  it('says that nothing is selected where there is nothing', () => {
    expect(press(withNodes(start, []), 'k').message).toBe('no process is selected');
  });

  it('leaves out the processes of a node that went down', () => {
    expect(withNodes(start, [{ ...downNode(1, 'gone'), tasks }]).rows).toEqual([]);
  });
});

describe('keys', () => {
  const tasks = [task(10_000_001, { cpu: 2 }), task(10_000_002, { cpu: 1, managed: true })];
  const start = newState([upNode(1, tasks)], flat, 3000);
  const last = (...keys: string[]) => {
    let step = { state: start } as ReturnType<typeof pressKey>;
    for (const key of keys) step = pressKey(step.state, key, 10);
    return step;
  };

  it.each([
    [['M'], { sort: 'mem' }],
    [['N'], { sort: 'node' }],
    [['U'], { sort: 'user' }],
    [['U', 'P'], { sort: 'cpu' }],
    [['R'], { reversed: true }],
    [['R', 'M'], { reversed: false }],
    [['t'], { tree: true }],
    [['/', 'a', 'b', 'backspace'], { filter: 'a' }],
    [['/', 'a', 'enter'], { filter: 'a', question: undefined }],
    [['/', 'a', 'escape'], { filter: '' }],
    [['/', 'a', 'enter', 'escape'], { filter: '' }],
    [['d', '1', '.', '5', 'enter'], { intervalMs: 1500 }],
    [['d', '0', 'enter'], { intervalMs: 3000, message: "the interval is 0.2 to 3600 seconds, not '0'" }],
    [['h'], { helping: true }],
    [['h', 'x'], { helping: false }],
    [['x'], { message: 'no such key: x; h lists them' }],
    [['k', 'X', 'enter'], { message: "unknown signal 'X': nothing was sent" }],
    [['k', 'ctrl-c'], { question: undefined }],
    [['enter'], { message: '10000001 was not started by nsh: only those marked * have a terminal to take' }],
  ])('%j', (keys, expected) => {
    expect(last(...keys).state).toMatchObject(expected);
    expect(last(...keys).action?.kind).not.toBe('quit');
  });

  it.each([
    [['q'], { kind: 'quit' }],
    [['ctrl-c'], { kind: 'quit' }],
    [['h', 'q'], { kind: 'quit' }],
    [[' '], { kind: 'sample' }],
    [['ctrl-l'], { kind: 'redraw' }],
    [['ctrl-z'], { kind: 'suspend' }],
    [['k', 'enter'], { kind: 'signal', signal: 15, target: { gpid: 10_000_001 } }],
    [['k', '9', 'enter'], { kind: 'signal', signal: 9 }],
    [['down', 'k', 'h', 'u', 'p', 'enter'], { kind: 'signal', signal: 1, target: { gpid: 10_000_002 } }],
    [['down', 'enter'], { kind: 'attach', target: { gpid: 10_000_002 } }],
  ])('%j asks for something to be done', (keys, expected) => {
    expect(last(...keys).action).toMatchObject(expected);
  });

  it('signals the process that the question named, though another has come under the bar', () => {
    const asked = last('k').state;
    const swapped = withNodes(asked, [upNode(1, [task(10_000_005, { cpu: 99 }), ...tasks])]);
    expect(pressKey(swapped, 'enter', 10).action).toMatchObject({ kind: 'signal', target: { gpid: 10_000_001 } });
  });
});

describe('what is typed', () => {
  it.each([
    ['arrows of both modes', ['\u001b[A\u001bOB'], ['up', 'down']],
    ['keys with modifiers', ['\u001b[1;5A\u001b[6;2~'], ['up', 'pagedown']],
    ['a sequence in pieces', ['\u001b', '[', '5', '~x'], ['pageup', 'x']],
    ['characters of several bytes', ['é', '日'], ['é', '日']],
    ['what is no key of ours', ['\u001b[200~\u001b[<0;1;1Mq'], ['q']],
    ['control characters', ['\u0003\u001a\r\n\u007f'], ['ctrl-c', 'ctrl-z', 'enter', 'enter', 'backspace']],
  ])('%s', (_what, pieces, expected) => {
    const reader = new KeyReader();
    expect(pieces.flatMap((piece) => reader.feed(Buffer.from(piece)))).toEqual(expected);
    expect(reader.isWaiting).toBe(false);
  });

  it('is the escape key where nothing follows', () => {
    const reader = new KeyReader();
    expect(reader.feed(Buffer.from('\u001b'))).toEqual([]);
    expect(reader.isWaiting).toBe(true);
    expect(reader.flush()).toEqual(['escape']);
    expect(reader.feed(Buffer.from([0xc3]))).toEqual([]);
    expect(reader.feed(Buffer.from([0xa9]))).toEqual(['é']);
  });
});

describe('options', () => {
  it('have defaults', () => {
    expect(parseTopOptions([])).toEqual({
      batch: false,
      json: false,
      iterations: Number.POSITIVE_INFINITY,
      intervalMs: 3000,
      sort: 'cpu',
      reversed: false,
      filter: '',
      tree: false,
      on: undefined,
    });
  });

  it.each([
    [
      ['-bn2', '-d', '.5', '-o', '-mem', '-f', 'x', '-t', '--on', 'n1'],
      { batch: true, iterations: 2, intervalMs: 500, sort: 'mem', reversed: true, filter: 'x', tree: true, on: 'n1' },
    ],
    [['--json'], { batch: true, json: true }],
    [['-o', '%CPU'], { sort: 'cpu', reversed: false }],
  ])('%j', (args, expected) => {
    expect(parseTopOptions(args)).toMatchObject(expected);
  });

  it.each([
    [['-n', '0'], '-n takes a number of samples, 1 or more, not '],
    [['-d', '0'], '-d takes 0.2 to 3600 seconds, not '],
    [['-o', 'men'], "did you mean 'mem'"],
    [['node'], 'top takes options only'],
  ])('%j is refused', (args, message) => {
    expect(() => parseTopOptions(args)).toThrow(message);
  });
});
