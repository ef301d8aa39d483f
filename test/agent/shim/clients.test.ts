import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeDetach, encodeResize, encodeSignal } from '../../../src/protocol/frames.ts';
import { ptyWindowBytes } from '../../../src/protocol/limits.ts';
import type { ManagedProcess } from '../../../src/protocol/process.ts';
import type { SpawnParams } from '../../../src/protocol/shim-control.ts';
import { isAlive, ShimUnderTest } from './shim-under-test.ts';
import { StreamClient, type ClientSetup } from './stream-client.ts';
import { waitUntil } from './wait-until.ts';

const graceMs = 600;
let shim: ShimUnderTest;
beforeAll(async () => {
  shim = await ShimUnderTest.start({ graceMs });
});
afterAll(async () => {
  await shim.stop();
});

let runs = 0;
const name = (): string => `tester-${++runs}-${process.pid}`;

async function foreground(
  argv: string[],
  more: Partial<SpawnParams> = {},
  setup: ClientSetup = {},
): Promise<{ started: ManagedProcess; stream: StreamClient; again: (from: number) => Promise<StreamClient> }> {
  const client = setup.client ?? name();
  const started = await shim.spawn(argv, { foreground: client, ...more });
  const stream = await StreamClient.open(shim.socket, started, { role: 'foreground', client, ...setup });
  const again = (from: number): Promise<StreamClient> =>
    StreamClient.open(shim.socket, started, {
      ...setup,
      role: 'foreground',
      client,
      from: { stdout: from, stderr: 0 },
    });
  return { started, stream, again };
}

const attach = (started: ManagedProcess, setup: ClientSetup = {}): Promise<StreamClient> =>
  StreamClient.open(shim.socket, started, { role: 'attach', client: name(), ...setup });

const record = async (started: ManagedProcess): Promise<ManagedProcess | undefined> =>
  (await shim.call('list', {})).processes.find(({ pid, start }) => pid === started.pid && start === started.start);

async function end(started: ManagedProcess): Promise<void> {
  await shim.call('signal', { process: started, signal: 9, group: true });
  await waitUntil(() => shim.exited.some(({ process: ended }) => ended.pid === started.pid), 'its end');
}

const endless = ['sh', '-c', 'i=0; while :; do echo line $i; i=$((i+1)); done'];

describe.each(['pipes', 'pty'] as const)('a foreground client of a process with %s', (io) => {
  test('resumes where it was after a lost connection: nothing is lost or doubled', async () => {
    const words = ['sh', '-c', 'i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done'];
    const wanted = Array.from({ length: 20_000 }, (_, index) => `line ${index}\n`).join('');
    const { stream, again } = await foreground(words, { io }, { window: 8192 });
    let current = stream;
    let text = '';
    for (let round = 0; current.exit === undefined && round < 200; round++) {
      await waitUntil(() => current.text().length > 3000 || current.exit !== undefined, 'some output');
      if (current.exit !== undefined) break;
      current.drop();
      text += current.text();
      current = await again(Buffer.byteLength(text));
    }
    await current.ended();
    text += current.text();
    expect(text.replaceAll('\r\n', '\n')).toBe(wanted);
    expect(current.exit).toMatchObject({ code: 0 });
  }, 60_000);

  test('has its input written once, whatever it sends again', async () => {
    const words =
      io === 'pty' ? ['sh', '-c', 'stty -echo; echo ready; exec cat'] : ['sh', '-c', 'echo ready; exec cat'];
    const { stream, again } = await foreground(words, { io });
    await waitUntil(() => stream.text().includes('ready'), 'ready');
    stream.input(0, 'one\n');
    await waitUntil(() => stream.text().includes('one'), 'one');
    stream.drop();
    const second = await again(stream.text().length);
    expect(second.opened?.stdin).toMatchObject({ offset: 4 });
    second.input(0, 'one\ntwo\n');
    second.input(4, 'two\nthree\n');
    await waitUntil(() => second.text().includes('three'), 'three');
    const all = (stream.text() + second.text()).replaceAll('\r\n', '\n');
    expect(all).toBe('ready\none\ntwo\nthree\n');
    second.inputEof(14);
    expect(await second.ended()).toMatchObject({ code: 0 });
  });

  test('lets the process run on where it detaches', async () => {
    const { started, stream } = await foreground(
      endless,
      { io, keepBytes: 1024 * 1024 },
      { acks: false, window: 8192 },
    );
    await waitUntil(() => (stream.next.get(1) ?? 0) >= 8192, 'a full window');
    stream.send(encodeDetach(false));
    await waitUntil(() => stream.isClosed, 'the connection to close');
    const before = (await record(started))?.out.end ?? 0;
    await expect
      .poll(async () => (await record(started))?.out.end, { timeout: 10_000 })
      .toBeGreaterThan(before + 3_000_000);
    await end(started);
  });

  test('is not far behind when it comes: what has come by then is all still to be shown', async () => {
    const started = await shim.spawn(['yes'], { io, foreground: name() });
    let ends: number[] = [];
    const look = async (): Promise<boolean> => {
      ends = [(await record(started))?.out.end ?? 0, ...ends].slice(0, 5);
      return ends.length === 5 && ends[0] !== 0 && new Set(ends).size === 1;
    };
    await expect.poll(look, { timeout: 10_000, interval: 10 }).toBe(true);
    expect(ends[0]).toBeLessThan(2 * ptyWindowBytes);
    await end(started);
  });

  test('lets the process wait while it may still come back', async () => {
    const { started, stream, again } = await foreground(endless, { io }, { acks: false, window: 8192 });
    await waitUntil(() => (stream.next.get(1) ?? 0) >= 8192, 'a full window');
    stream.drop();
    await expect.poll(async () => (await record(started))?.clients).toBe(0);
    const first = (await record(started))?.out.end ?? 0;
    expect(first).toBeLessThan(8192 + 300_000);
    const second = await again(0);
    expect((await record(started))?.out.end).toBe(first);
    expect(second.gaps).toEqual([]);
    await end(started);
  });

  test.each([
    ['hup', 'SIGHUP'],
    ['kill', 'SIGKILL'],
  ] as const)('applies on-disconnect %s when it is lost for good', async (onDisconnect, signal) => {
    const { started, stream } = await foreground(['sleep', '1000'], { io, onDisconnect });
    stream.drop();
    await waitUntil(() => shim.exited.some(({ process: ended }) => ended.pid === started.pid), 'its exit');
    expect(shim.exited.findLast(({ process: ended }) => ended.pid === started.pid)?.exit.signal).toBe(signal);
  });

  test('leaves it running when it is lost for good and on-disconnect is keep', async () => {
    const { started, stream } = await foreground(['sleep', '1000'], { io, onDisconnect: 'keep' });
    stream.drop();
    await new Promise((resolve) => setTimeout(resolve, graceMs * 1.5));
    expect(isAlive(started.pid)).toBe(true);
    await end(started);
  });

  test('applies on-disconnect at once where it leaves for good', async () => {
    const { started, stream } = await foreground(['sleep', '1000'], { io, onDisconnect: 'hup' });
    const before = performance.now();
    stream.send(encodeDetach(true));
    await waitUntil(() => !isAlive(started.pid), 'its end');
    expect(performance.now() - before).toBeLessThan(graceMs);
  });

  test('counts as lost where it never comes', async () => {
    const started = await shim.spawn(['sleep', '1000'], { io, onDisconnect: 'kill', foreground: name() });
    await expect.poll(() => isAlive(started.pid)).toBe(false);
  });

  test('gets everything of a process that ended before it came', async () => {
    const client = name();
    const started = await shim.spawn(['sh', '-c', 'seq 20000'], { io, foreground: client });
    await waitUntil(() => shim.exited.some(({ process: ended }) => ended.pid === started.pid), 'its end');
    const stream = await StreamClient.open(shim.socket, started, { role: 'foreground', client });
    expect(await stream.ended()).toMatchObject({ code: 0 });
    expect(stream.text().trim().split(/\r?\n/).length).toBe(20_000);
  });

  test('is replaced by its own newer connection, and nothing ends by that', async () => {
    const { started, stream, again } = await foreground(['sh', '-c', 'echo a; exec cat'], { io, onDisconnect: 'kill' });
    await waitUntil(() => stream.text().includes('a'), 'output');
    const second = await again(0);
    await waitUntil(() => stream.isClosed, 'the old connection to close');
    expect(stream.error?.data?.code).toBe('cancelled');
    await new Promise((resolve) => setTimeout(resolve, graceMs * 1.5));
    expect(isAlive(started.pid)).toBe(true);
    second.input(0, 'b\n');
    await waitUntil(() => second.text().includes('b'), 'an answer');
    await end(started);
  });

  test('signals the process', async () => {
    const { stream } = await foreground(['sleep', '1000'], { io });
    stream.send(encodeSignal(15, false));
    expect(await stream.ended()).toMatchObject({ signal: 'SIGTERM' });
  });
});

test('a signal for the foreground of a terminal goes to the job in it, not to the shell', async () => {
  const { stream } = await foreground(['bash', '-mc', 'sh -c "echo go; exec sleep 1000"; echo "status $?"'], {
    io: 'pty',
  });
  await waitUntil(() => stream.text().includes('go'), 'the job');
  stream.send(encodeSignal(15, true));
  expect(await stream.ended()).toMatchObject({ code: 0 });
  expect(stream.text()).toContain('status 143');
});

test('another client than the one that was named cannot hold the process up', async () => {
  const started = await shim.spawn(['sleep', '1000'], { foreground: name() });
  const stream = await StreamClient.open(shim.socket, started, { role: 'foreground', client: name() });
  expect(stream.error?.data?.code).toBe('notPermitted');
  await end(started);
});

test('an attached client that does not read is sent on to the newest byte, and holds nobody up', async () => {
  const { started, stream } = await foreground(
    ['sh', '-c', 'stty -echo; echo ready; read x; head -c 8000000 /dev/zero | tr "\\0" x; exec sleep 1000'],
    { io: 'pty', keepBytes: 16 * 1024 * 1024 },
    { keeps: false },
  );
  const slow = await attach(started, { acks: false, window: 65_536, keeps: false });
  await waitUntil(() => stream.next.get(1) === 7 && slow.next.get(1) === 7, 'ready');
  stream.input(0, 'go\n');
  await waitUntil(() => stream.next.get(1) === 8_000_007, 'all output at the foreground');
  expect(slow.next.get(1)).toBe(65_536);
  slow.acks = true;
  slow.ackNow();
  await waitUntil(() => slow.next.get(1) === 8_000_007, 'the newest byte');
  expect(slow.gaps).toEqual([{ stream: 1, from: 65_536, to: 8_000_007 }]);
  await end(started);
});

test('an attached client within a mebibyte gets every byte, from the log where memory is gone', async () => {
  const { started, stream } = await foreground(['sh', '-c', 'seq 100000; sleep 1000'], {
    io: 'pty',
    keepBytes: 16 * 1024 * 1024,
  });
  await waitUntil(() => stream.text().includes('\n100000\r\n'), 'all output');
  const late = await attach(started, { window: 4096 });
  await waitUntil(() => late.text().includes('\n100000\r\n'), 'all output');
  expect(late.gaps).toEqual([]);
  expect(late.text()).toBe(stream.text());
  await end(started);
});

test('several clients see the same, type, and hear of each other’s sizes', async () => {
  const started = await shim.spawn(['sh', '-c', 'stty -echo; echo ready; exec cat'], { io: 'pty' });
  const one = await attach(started, { size: { cols: 90, rows: 30 } });
  const two = await attach(started, { size: { cols: 100, rows: 40 } });
  await waitUntil(() => one.sizes.length > 0, 'the size of the other');
  expect(one.sizes).toEqual([{ cols: 100, rows: 40 }]);
  await waitUntil(() => one.text().includes('ready') && two.text().includes('ready'), 'output');
  one.input(0, 'from one\n');
  two.input(0, 'from two\n');
  await waitUntil(() => one.text().includes('one') && one.text().includes('from two'), 'both inputs');
  expect(two.text()).toBe(one.text());
  two.send(encodeResize(70, 20));
  await waitUntil(() => one.sizes.length > 1, 'the new size');
  expect((await record(started))?.size).toEqual({ cols: 70, rows: 20 });
  expect((await record(started))?.clients).toBe(2);
  await end(started);
});

test('the size of a client that detaches gives way to that of the client that was active last, who hears of it', async () => {
  const started = await shim.spawn(['sh', '-c', 'stty -echo; echo ready; exec cat'], { io: 'pty' });
  const size = async (): Promise<unknown> => (await record(started))?.size;
  const one = await attach(started, { size: { cols: 100, rows: 30 } });
  const two = await attach(started, { size: { cols: 90, rows: 20 } });
  const three = await attach(started, { size: { cols: 60, rows: 15 } });
  await waitUntil(() => one.text().includes('ready'), 'output');
  expect(await size()).toEqual({ cols: 60, rows: 15 });
  one.input(0, 'typed\n');
  await waitUntil(() => two.text().includes('typed'), 'the answer');
  expect(await size()).toEqual({ cols: 60, rows: 15 });
  three.send(encodeDetach(false));
  await waitUntil(() => one.sizes.length === 3 && two.sizes.length === 2, 'the size of the first');
  expect([one.sizes.at(-1), two.sizes.at(-1)]).toEqual([
    { cols: 100, rows: 30 },
    { cols: 100, rows: 30 },
  ]);
  expect(await size()).toEqual({ cols: 100, rows: 30 });
  // Whose size it is not may leave without a trace.
  two.send(encodeDetach(false));
  await waitUntil(() => two.isClosed, 'its end');
  expect(await size()).toEqual({ cols: 100, rows: 30 });
  expect(one.sizes).toHaveLength(3);
  await end(started);
});

test('a client whose connection breaks keeps its size if it is soon back, and loses it if not', async () => {
  const started = await shim.spawn(['sh', '-c', 'echo ready; exec sleep 1000'], { io: 'pty' });
  const one = await attach(started, { size: { cols: 100, rows: 30 } });
  const two = await attach(started, { size: { cols: 60, rows: 15 } });
  await waitUntil(() => one.sizes.length === 1, 'the size of the second');
  two.drop();
  await expect.poll(async () => (await record(started))?.clients).toBe(1);
  const again = await attach(started, { size: { cols: 60, rows: 15 } });
  expect(one.sizes).toEqual([{ cols: 60, rows: 15 }]);
  again.drop();
  await waitUntil(() => one.sizes.length === 2, 'its own size');
  expect((await record(started))?.size).toEqual({ cols: 100, rows: 30 });
  await end(started);
});

test('a reader follows, in the order in which both streams came, and may not write', async () => {
  const words = ['sh', '-c', 'for i in 1 2 3 4 5; do echo out $i; sleep 0.03; echo err $i >&2; sleep 0.03; done'];
  const started = await shim.spawn(words, { keepBytes: 1024 * 1024 });
  const live = await StreamClient.open(shim.socket, started, { role: 'read', client: name() });
  await live.ended();
  const expected = [1, 2, 3, 4, 5].map((index) => `out ${index}\nerr ${index}\n`).join('');
  expect(live.arrivals.map(({ text }) => text).join('')).toBe(expected);
  const later = await StreamClient.open(shim.socket, started, { role: 'read', client: name() });
  await later.ended();
  expect(later.arrivals.map(({ text }) => text).join('')).toBe(expected);
  const writer = await StreamClient.open(shim.socket, started, { role: 'read', client: name() });
  writer.input(0, 'x');
  await waitUntil(() => writer.isClosed, 'the end');
});

test('a reader that does not follow stops at what is there', async () => {
  const started = await shim.spawn(['sh', '-c', 'echo there; exec sleep 1000'], { keepBytes: 1024 * 1024 });
  await expect.poll(async () => (await record(started))?.out.end).toBe(6);
  const stream = await StreamClient.open(shim.socket, started, { role: 'read', client: name(), follow: false });
  await waitUntil(() => stream.isClosed, 'the end');
  expect(stream.text()).toBe('there\n');
  expect(stream.eofs.get(1)).toBe(6);
  expect(stream.exit).toBeUndefined();
  await end(started);
});
