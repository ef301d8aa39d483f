import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { ManagedProcess } from '../../../src/protocol/process.ts';
import type { SpawnParams } from '../../../src/protocol/shim-control.ts';
import { isAlive, ShimUnderTest, type ShimSetup } from './shim-under-test.ts';
import { StreamClient } from './stream-client.ts';
import { waitUntil } from './wait-until.ts';

const shims: ShimUnderTest[] = [];
async function startShim(setup: ShimSetup = {}): Promise<ShimUnderTest> {
  const shim = await ShimUnderTest.start(setup);
  shims.push(shim);
  return shim;
}
afterEach(async () => {
  for (const shim of shims.splice(0).reverse()) await shim.stop();
});

async function runToEnd(shim: ShimUnderTest, argv: string[], more: Partial<SpawnParams> = {}): Promise<ManagedProcess> {
  const started = await shim.spawn(argv, more);
  await waitUntil(
    () => shim.exited.some(({ process: ended }) => ended.pid === started.pid && ended.start === started.start),
    'its end',
  );
  return started;
}

const fileSize = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

const read = (shim: ShimUnderTest, started: ManagedProcess, file: string): string =>
  readFileSync(join(shim.recordDirectory(started), file), 'utf8');

async function everything(shim: ShimUnderTest, started: ManagedProcess): Promise<StreamClient> {
  const from = { stdout: 'oldest', stderr: 'oldest' } as const;
  const stream = await StreamClient.open(shim.socket, started, { role: 'read', from });
  await stream.ended();
  return stream;
}

const find = async (shim: ShimUnderTest, { pid, start }: ManagedProcess): Promise<ManagedProcess | undefined> =>
  (await shim.call('list', {})).processes.find((record) => record.pid === pid && record.start === start);

describe('the record of a process', () => {
  test('is there when spawn answers, and holds no environment', async () => {
    const shim = await startShim();
    const environment = { PATH: '/usr/bin:/bin', SECRET: 'hunter2' };
    const started = await shim.spawn(['sleep', '1000'], { environment, name: 'napper' });
    const record = JSON.parse(read(shim, started, 'record.json')) as Record<string, unknown>;
    expect(record).toMatchObject({ pid: started.pid, argv: ['sleep', '1000'], name: 'napper', io: 'pipes' });
    for (const file of readdirSync(shim.recordDirectory(started)))
      expect(read(shim, started, file)).not.toContain('hunter2');
    expect(statSync(shim.recordDirectory(started)).mode & 0o777).toBe(0o700);
    expect(existsSync(join(shim.recordDirectory(started), 'exit.json'))).toBe(false);
  });

  test('tells output, order and exit status with plain tools', async () => {
    const shim = await startShim();
    const started = await runToEnd(shim, ['sh', '-c', 'echo a; sleep 0.05; echo b >&2; sleep 0.05; echo c; exit 7'], {
      foreground: 'nobody-comes',
    });
    expect([read(shim, started, 'stdout'), read(shim, started, 'stderr')]).toEqual(['a\nc\n', 'b\n']);
    expect(read(shim, started, 'order')).toBe('1 2\n2 2\n1 4\n');
    expect(JSON.parse(read(shim, started, 'exit.json'))).toMatchObject({
      exit: { code: 7 },
      out: { base: 0, end: 4, closed: true },
    });
  });

  test('keeps the last 64 KiB of a foreground pipe', async () => {
    const shim = await startShim();
    const client = 'takes-it-all';
    const started = await shim.spawn(['sh', '-c', 'seq 100000'], { foreground: client });
    const stream = await StreamClient.open(shim.socket, started, { role: 'foreground', client });
    await stream.ended();
    stream.drop();
    const all = stream.text();
    const [file] = readdirSync(shim.recordDirectory(started)).filter((name) => name.startsWith('stdout'));
    expect(file).toBe(`stdout.${String(all.length - 65_536).padStart(13, '0')}`);
    expect(read(shim, started, file ?? '')).toBe(all.slice(-65_536));
    const later = await everything(shim, started);
    expect(later.text()).toBe(all.slice(-65_536));
    expect(later.gaps).toEqual([]);
    const fromStart = await StreamClient.open(shim.socket, started, { role: 'read' });
    await fromStart.ended();
    expect(fromStart.gaps[0]).toEqual({ stream: 1, from: 0, to: all.length - 65_536 });
  });

  test.each(['pipes', 'pty'] as const)('loses the oldest part of a log that grows too large, with %s', async (io) => {
    const shim = await startShim();
    const keepBytes = 512 * 1024;
    const started = await runToEnd(shim, ['sh', '-c', 'seq 300000'], { io, keepBytes });
    const names = readdirSync(shim.recordDirectory(started))
      .filter((name) => /^(?:stdout|output)/.test(name))
      .sort();
    expect(names.length).toBeGreaterThan(1);
    const kept = names.map((name) => read(shim, started, name)).join('');
    expect(kept.length).toBeGreaterThanOrEqual(keepBytes);
    expect(kept.length).toBeLessThanOrEqual(keepBytes * 1.25);
    expect(kept.endsWith(io === 'pty' ? '300000\r\n' : '300000\n')).toBe(true);
    const stream = await everything(shim, started);
    expect(stream.text()).toBe(kept);
    const record = await find(shim, started);
    expect(record?.out).toEqual({
      base: record?.out.end === undefined ? 0 : record.out.end - kept.length,
      end: record?.out.end,
      closed: true,
    });
  });

  test('keeps nothing where nothing is to be kept', async () => {
    const shim = await startShim();
    const started = await runToEnd(shim, ['seq', '10'], { keepBytes: 0 });
    expect(readdirSync(shim.recordDirectory(started)).sort()).toEqual(['exit.json', 'record.json']);
    const stream = await everything(shim, started);
    expect(stream.text()).toBe('');
    expect(stream.exit).toMatchObject({ code: 0 });
  });

  test('notes a terminal’s sizes with their offsets', async () => {
    const shim = await startShim();
    const started = await shim.spawn(['sh', '-c', 'stty -echo; echo ready; exec cat'], {
      io: 'pty',
      keepBytes: 1 << 20,
    });
    const stream = await StreamClient.open(shim.socket, started, { size: { cols: 100, rows: 30 } });
    await waitUntil(() => stream.text().includes('ready'), 'ready');
    const second = await StreamClient.open(shim.socket, started, { size: { cols: 90, rows: 20 } });
    expect(second.opened?.size).toEqual({ cols: 90, rows: 20 });
    expect(read(shim, started, 'sizes')).toMatch(/^0 80 24\n\d+ 100 30\n7 90 20\n$/);
  });
});

describe('ended processes', () => {
  test('are bounded in number, the oldest going first', async () => {
    const shim = await startShim({ keepEnded: 5 });
    const all = [];
    for (let index = 0; index < 12; index++) all.push(await runToEnd(shim, ['true']));
    await waitUntil(() => readdirSync(shim.processes).length <= 10, 'records to go');
    const left = (await shim.call('list', {})).processes.map(({ pid }) => pid);
    expect(left).toEqual(all.slice(-left.length).map(({ pid }) => pid));
  });

  test('go when they are too old, at the start of a shim at the latest', async () => {
    const shim = await startShim();
    const started = await runToEnd(shim, ['true']);
    const other = await startShim({ beside: shim, keepAgeSeconds: 0 });
    expect(existsSync(shim.recordDirectory(started))).toBe(false);
    expect((await other.call('list', {})).processes).toEqual([]);
  });

  test('are served by another shim, running ones are not', async () => {
    const shim = await startShim();
    const ended = await runToEnd(shim, ['sh', '-c', 'echo said; exit 3']);
    const running = await shim.spawn(['sleep', '1000']);
    const other = await startShim({ beside: shim });
    expect((await other.call('list', {})).processes.map(({ pid }) => pid)).toEqual([ended.pid]);
    const stream = await everything(other, ended);
    expect([stream.text(), stream.exit?.code]).toEqual(['said\n', 3]);
    const refused = await StreamClient.open(other.socket, running);
    expect(refused.error?.data?.code).toBe('notManaged');
  });

  test('of a shim that was killed are lost, and say so', async () => {
    const shim = await startShim();
    const done = await runToEnd(shim, ['sh', '-c', 'exit 4']);
    const started = await shim.spawn(['sh', '-c', 'echo before; exec sleep 1000'], { io: 'pty', keepBytes: 1 << 20 });
    const stream = await StreamClient.open(shim.socket, started);
    await waitUntil(() => stream.text().includes('before'), 'output');
    await waitUntil(() => fileSize(join(shim.recordDirectory(started), 'output')) === 8, 'the log');
    shim.kill();
    await shim.gone();
    await waitUntil(() => stream.isClosed, 'the connection to close');
    const other = await startShim({ beside: shim });
    const lost = await find(other, started);
    expect(lost?.exit).toMatchObject({
      code: null,
      signal: null,
      lost: expect.stringMatching(/shim .*killed/) as string,
    });
    expect((await find(other, done))?.exit).toMatchObject({ code: 4 });
    const later = await everything(other, started);
    expect(later.text()).toBe('before\r\n');
    expect(later.exit?.lost).toBeDefined();
    // The terminal went with the shim.
    await waitUntil(() => !isAlive(started.pid), 'the hang-up');
  });

  test('of a shim that was killed tell whether the process lives on, for as long as it does', async () => {
    const shim = await startShim();
    const started = await shim.spawn(['sleep', '1000'], { stdin: 'null' });
    shim.kill();
    await shim.gone();
    const other = await startShim({ beside: shim });
    const lost = `its shim (PID ${shim.pid}) was killed`;
    expect((await find(other, started))?.exit).toMatchObject({ code: null, signal: null, lost, runsOn: true });
    expect((await everything(other, started)).exit).toMatchObject({ lost, runsOn: true });
    process.kill(started.pid, 'SIGKILL');
    await waitUntil(() => !isAlive(started.pid), 'its end');
    const ended = (await find(other, started))?.exit;
    expect([ended?.lost, ended?.runsOn]).toEqual([lost, undefined]);
  });

  test('of a shim that was killed still have the order in which both streams came, where they were kept on disk', async () => {
    const shim = await startShim();
    const script = 'for i in 1 2 3 4 5; do echo out $i; sleep 0.03; echo err $i >&2; sleep 0.03; done; exec sleep 1000';
    const started = await shim.spawn(['sh', '-c', script], { keepBytes: 1024 * 1024, stdin: 'null' });
    const directory = shim.recordDirectory(started);
    await waitUntil(
      () => existsSync(join(directory, 'order')) && read(shim, started, 'order').endsWith('2 30\n'),
      'the order of all',
    );
    shim.kill();
    await shim.gone();
    process.kill(started.pid, 'SIGKILL');
    // What the disk has not got of a stream is no reason to wait for it.
    truncateSync(join(directory, 'stdout'), 29);
    const other = await startShim({ beside: shim });
    const expected = [1, 2, 3, 4, 5].map((index) => `out ${index}\nerr ${index}\n`).join('');
    const stream = await everything(other, started);
    expect(stream.arrivals.map(({ text }) => text).join('')).toBe(expected.replace('out 5\n', 'out 5'));
    expect(stream.exit?.lost).toBeDefined();
  });

  test('garbage among the records harms nobody', async () => {
    const shim = await startShim();
    const started = await runToEnd(shim, ['true']);
    mkdirSync(join(shim.processes, 'not-ours'));
    mkdirSync(join(shim.processes, '1-2-00000000'));
    writeFileSync(join(shim.processes, '1-2-00000000', 'record.json'), '{');
    writeFileSync(join(shim.processes, 'file'), '');
    writeFileSync(join(shim.recordDirectory(started), 'exit.json'), 'nonsense');
    const other = await startShim({ beside: shim });
    expect((await other.call('list', {})).processes).toEqual([]);
    expect(existsSync(join(shim.processes, 'not-ours'))).toBe(true);
  });
});

describe('a shim', () => {
  test('goes when it is idle', async () => {
    const shim = await startShim({ idleSeconds: 1 });
    await runToEnd(shim, ['true']);
    expect(shim.isRunning).toBe(true);
    shim.hangUp();
    await shim.gone();
    expect(existsSync(shim.socket)).toBe(false);
    expect(existsSync(join(shim.directory, 'shim.json'))).toBe(false);
  });

  test('stays while a process runs, though nobody is connected', async () => {
    const shim = await startShim({ idleSeconds: 1 });
    await shim.spawn(['sh', '-c', 'sleep 2']);
    shim.hangUp();
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(shim.isRunning).toBe(true);
    await shim.gone();
  });

  test('that was told to stop goes when it is empty, and takes nothing new', async () => {
    const shim = await startShim();
    const started = await shim.spawn(['sleep', '1000']);
    await shim.call('stop', { kill: false });
    await expect(shim.spawn(['true'])).rejects.toMatchObject({ code: 'spawnFailed' });
    await shim.call('signal', { process: started, signal: 15, group: false });
    await shim.gone();
    expect(isAlive(started.pid)).toBe(false);
  });

  test('ends everything where it is told to, also what does not want to', async () => {
    const shim = await startShim();
    const stubborn = await shim.spawn(
      ['sh', '-c', 'trap "" TERM HUP; sleep 1000 & echo ready; while :; do wait; done'],
      { io: 'pty' },
    );
    const stream = await StreamClient.open(shim.socket, stubborn);
    await waitUntil(() => stream.text().includes('ready'), 'ready');
    await shim.call('stop', { kill: true });
    await shim.gone();
    expect(isAlive(stubborn.pid)).toBe(false);
  });

  test('does not mind SIGHUP, and goes at SIGTERM when it is empty', async () => {
    const shim = await startShim();
    const started = await shim.spawn(['sleep', '1000']);
    shim.kill('SIGHUP');
    shim.kill('SIGTERM');
    await expect
      .poll(async () => await shim.spawn(['true']).catch((error: unknown) => error))
      .toMatchObject({ code: 'spawnFailed' });
    await shim.call('signal', { process: started, signal: 9, group: false });
    await shim.gone();
  });

  test('is small, and so is each further terminal', async () => {
    const shim = await startShim();
    const rss = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${shim.pid}/status`, 'latin1'))?.[1]);
    const start = (): Promise<ManagedProcess> => shim.spawn(['sleep', '1000'], { io: 'pty', keepBytes: 8 << 20 });
    await start();
    const one = rss();
    for (let index = 0; index < 40; index++) await start();
    const more = (rss() - one) / 40;
    process.stdout.write(`shim: ${one} kB with one terminal, ${more.toFixed(0)} kB for each further one\n`);
    expect(one).toBeLessThanOrEqual(60 * 1024);
    expect(more).toBeLessThanOrEqual(1536);
  });
});

describe.runIf(process.getuid?.() === 0)('a full disk', () => {
  test('costs the log, never the stream or the process, and the exit status comes later', async () => {
    const mount = mkdtempSync(join(tmpdir(), 'nsh-full-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=200k', 'tmpfs', mount]);
    try {
      const shim = await startShim({ processes: join(mount, 'processes') });
      const client = 'on-a-full-disk';
      const started = await shim.spawn(['sh', '-c', 'seq 200000; exit 3'], { foreground: client, keepBytes: 4 << 20 });
      const stream = await StreamClient.open(shim.socket, started, { role: 'foreground', client });
      expect(await stream.ended()).toMatchObject({ code: 3 });
      expect(stream.text().trim().split('\n').length).toBe(200_000);
      expect((await find(shim, started))?.logError).toMatch(/ENOSPC/);
      const next = await shim.spawn(['sh', '-c', 'echo still works; exit 4'], { foreground: client, io: 'pty' });
      const second = await StreamClient.open(shim.socket, next, { role: 'foreground', client });
      expect(await second.ended()).toMatchObject({ code: 4 });
      expect(second.text()).toBe('still works\r\n');
      expect(await find(shim, next)).toMatchObject({ exit: { code: 4 } });
    } finally {
      await shims.pop()?.stop();
      execFileSync('umount', [mount]);
      rmSync(mount, { recursive: true });
    }
  }, 60_000);
});
