import { createHash, randomBytes } from 'node:crypto';
import { Writable } from 'node:stream';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openProcessStream } from '../../../src/cluster/process-stream/process-stream.ts';
import { readableSink, writableSink, type OutputSink } from '../../../src/cluster/process-stream/sink.ts';
import type { ProcessStream, ProcessStreamOptions } from '../../../src/cluster/process-stream/types.ts';
import { NshError } from '../../../src/protocol/errors.ts';
import { FrameServer } from './frame-server.ts';
import { memoryPair, type MemoryPair, type PairOptions } from './memory-pair.ts';

const open: ProcessStream[] = [];
afterEach(() => {
  for (const stream of open.splice(0)) stream.detach(false);
});

function collector(): { sink: OutputSink; bytes: () => Buffer } {
  const chunks: Buffer[] = [];
  return {
    sink: {
      write(bytes, taken) {
        chunks.push(Buffer.from(bytes));
        taken();
      },
    },
    bytes: () => Buffer.concat(chunks),
  };
}

interface Connected {
  readonly stream: ProcessStream;
  readonly pairs: MemoryPair[];
}

function connect(
  server: FrameServer,
  options: Partial<ProcessStreamOptions> = {},
  pairOptions: (attempt: number) => PairOptions = () => ({}),
): Connected {
  const pairs: MemoryPair[] = [];
  const stream = openProcessStream({
    dial: () => {
      const pair = memoryPair(pairOptions(pairs.length));
      pairs.push(pair);
      server.serve(pair.b);
      return Promise.resolve(pair.a);
    },
    process: { pid: 4711 },
    role: 'foreground',
    ...options,
  });
  open.push(stream);
  return { stream, pairs };
}

const exited = (code: number): { code: number; signal: null; atMs: number } => ({ code, signal: null, atMs: 1 });
const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

describe('a process stream', () => {
  it('delivers stdout and stderr apart and ends with the exit status', async () => {
    const server = new FrameServer({ stdout: Buffer.from('out'), stderr: Buffer.from('err'), exit: exited(3) });
    const [stdout, stderr] = [collector(), collector()];
    const { stream } = connect(server, { stdout: stdout.sink, stderr: stderr.sink });
    expect(await stream.ended).toMatchObject({ kind: 'exit', status: exited(3) });
    expect(stdout.bytes().toString()).toBe('out');
    expect(stderr.bytes().toString()).toBe('err');
  });

  it('loses and doubles nothing when the connection breaks again and again at any byte', async () => {
    const content = randomBytes(3_000_000);
    const errors = randomBytes(500_000);
    let seed = 7;
    const random = (below: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed % below;
    };
    const server = new FrameServer({ stdout: content, stderr: errors, exit: exited(0) });
    server.frameBytes = 100_000;
    const [stdout, stderr] = [collector(), collector()];
    const { stream, pairs } = connect(
      server,
      { stdout: stdout.sink, stderr: stderr.sink, windowBytes: 200_000 },
      () => ({ pieceBytes: () => 1 + random(9_000), breakAfterBytes: 200 + random(150_000) }),
    );
    await stream.ended;
    expect(pairs.length).toBeGreaterThan(20);
    expect(digest(stdout.bytes())).toBe(digest(content));
    expect(digest(stderr.bytes())).toBe(digest(errors));
  });

  it('survives a break after each single byte of a short conversation', async () => {
    const content = Buffer.from('the quick brown fox');
    for (let at = 1; at < 260; at++) {
      const server = new FrameServer({ stdout: content, stderr: Buffer.alloc(0), exit: exited(0) });
      const stdout = collector();
      const { stream } = connect(server, { stdout: stdout.sink }, (attempt) =>
        attempt === 0 ? { breakAfterBytes: at, pieceBytes: () => 1 } : { pieceBytes: () => 3 },
      );
      await stream.ended;
      expect(stdout.bytes().toString()).toBe('the quick brown fox');
    }
  });

  it('sends input in order, once, over broken connections, and then its end', async () => {
    const server = new FrameServer({ stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) });
    const { stream, pairs } = connect(server);
    const content = randomBytes(2_000_000);
    await stream.opened;
    for (let at = 0; at < content.length; at += 50_000) {
      if (!stream.stdin.write(content.subarray(at, at + 50_000)))
        await new Promise((resolve) => stream.stdin.once('drain', resolve));
      if (at % 400_000 === 0 && stream.connected) pairs.at(-1)?.cut();
    }
    stream.stdin.end();
    await vi.waitFor(() => expect(server.inputEnded).toBe(true), { timeout: 10_000 });
    expect(digest(server.input)).toBe(digest(content));
    expect(pairs.length).toBeGreaterThan(2);
  });

  it('keeps what is typed before the stream is up', async () => {
    const server = new FrameServer({ stdout: Buffer.alloc(0), stderr: undefined });
    const { stream } = connect(server);
    stream.stdin.write('early');
    await vi.waitFor(() => expect(server.input.toString()).toBe('early'), { timeout: 15_000 });
  });

  it('gives no more credit than its consumer takes', async () => {
    const server = new FrameServer({ stdout: Buffer.alloc(1_000_000, 'x'), stderr: Buffer.alloc(0), exit: exited(0) });
    const waiting: (() => void)[] = [];
    const got = { bytes: 0 };
    const slow: OutputSink = {
      write(chunk, taken) {
        got.bytes += chunk.length;
        waiting.push(taken);
      },
    };
    const { stream } = connect(server, { stdout: slow, windowBytes: 65_536 });
    await vi.waitFor(() => expect(got.bytes).toBe(65_536), { timeout: 15_000 });
    expect(server.greatestInFlight).toBe(65_536);
    while (got.bytes < 1_000_000 || waiting.length > 0) {
      waiting.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await stream.ended).kind).toBe('exit');
    expect(server.greatestInFlight).toBe(65_536);
  });

  it('waits with its end until the sink has taken the last byte', async () => {
    const server = new FrameServer({ stdout: Buffer.from('late'), stderr: Buffer.alloc(0), exit: exited(0) });
    let release: (() => void) | undefined;
    const { stream } = connect(server, { stdout: { write: (_bytes, taken) => (release = taken) } });
    let ended = false;
    void stream.ended.then(() => (ended = true));
    await vi.waitFor(() => expect(release).toBeDefined(), { timeout: 15_000 });
    await new Promise((resolve) => setImmediate(resolve));
    expect(ended).toBe(false);
    release?.();
    await stream.ended;
  });

  it('redraws at a gap and goes on at the offset that the screen is valid for', async () => {
    const server = new FrameServer({ stdout: Buffer.from('0123456789'), stderr: undefined });
    const stdout = collector();
    const order: string[] = [];
    const { stream } = connect(server, {
      role: 'attach',
      stdout: stdout.sink,
      onGap: async (gap) => {
        order.push(`${gap.from}-${gap.to}`);
        server.append(Buffer.from('abcdef'));
        await new Promise((resolve) => setTimeout(resolve, 20));
        return 103;
      },
    });
    await stream.opened;
    await vi.waitFor(() => expect(stdout.bytes().toString()).toBe('0123456789'), { timeout: 15_000 });
    server.process.stdout = Buffer.alloc(100, '.');
    server.process.exit = exited(0);
    server.gap(10, 100);
    await stream.ended;
    expect(order).toEqual(['10-100']);
    expect(stdout.bytes().toString()).toBe('0123456789def');
  });

  it('goes on after a gap where nobody redraws', async () => {
    const server = new FrameServer({
      stdout: Buffer.from('0123456789'),
      stderr: undefined,
      stdoutBase: 4,
      exit: exited(0),
    });
    const stdout = collector();
    const { stream } = connect(server, { stdout: stdout.sink });
    await stream.ended;
    expect(stdout.bytes().toString()).toBe('456789');
  });

  it('sends the newest size with the next open and signals when there is a connection', async () => {
    const server = new FrameServer({ stdout: Buffer.alloc(0), stderr: undefined });
    const { stream, pairs } = connect(server, { size: { cols: 80, rows: 24 } });
    stream.sendSignal(2, false);
    await stream.opened;
    await vi.waitFor(() => expect(server.signals).toEqual(['2']), { timeout: 15_000 });
    stream.resize({ cols: 100, rows: 30 });
    await vi.waitFor(() => expect(server.resizes).toEqual(['100x30']), { timeout: 15_000 });
    pairs[0]?.cut();
    stream.resize({ cols: 120, rows: 40 });
    await vi.waitFor(() => expect(server.opens.length).toBe(2), { timeout: 15_000 });
    expect(server.opens.map((frame) => frame.size)).toEqual([
      { cols: 80, rows: 24 },
      { cols: 120, rows: 40 },
    ]);
    expect(new Set(server.opens.map((frame) => frame.client)).size).toBe(1);
  });

  it('detaches, telling whether the client itself ends', async () => {
    for (const final of [false, true]) {
      const server = new FrameServer({ stdout: Buffer.alloc(0), stderr: undefined });
      const { stream } = connect(server);
      await stream.opened;
      stream.detach(final);
      expect(await stream.ended).toEqual({ kind: 'detached' });
      await vi.waitFor(() => expect(server.detaches).toEqual([final]), { timeout: 15_000 });
    }
  });

  it('ends with what was there where it does not follow', async () => {
    const server = new FrameServer({ stdout: Buffer.from('so far'), stderr: undefined });
    const stdout = collector();
    const { stream } = connect(server, { role: 'read', follow: false, stdout: stdout.sink });
    expect(await stream.ended).toEqual({ kind: 'outputEnd' });
    expect(stdout.bytes().toString()).toBe('so far');
  });

  it('tries a first time at once, reports each loss and gives up at its deadline', async () => {
    const losses: number[] = [];
    let dials = 0;
    const stream = openProcessStream({
      dial: () => {
        dials++;
        return Promise.reject(new NshError('linkLost', 'web1: connection reset'));
      },
      process: { pid: 1 },
      role: 'foreground',
      retryForMs: 400,
      onLost: (_error, attempt) => losses.push(attempt),
    });
    await expect(stream.ended).rejects.toMatchObject({ code: 'linkLost', message: 'web1: connection reset' });
    expect(dials).toBeGreaterThan(2);
    expect(losses.slice(0, 3)).toEqual([0, 1, 2]);
  });

  it('does not try again what cannot pass', async () => {
    let dials = 0;
    const stream = openProcessStream({
      dial: () => {
        dials++;
        return Promise.reject(new NshError('hostKeyChanged', 'the key of web1 has changed'));
      },
      process: { pid: 1 },
      role: 'attach',
    });
    await expect(stream.ended).rejects.toMatchObject({ code: 'hostKeyChanged' });
    expect(dials).toBe(1);
  });

  it('refuses a shim that breaks the protocol', async () => {
    const pair = memoryPair();
    const stream = openProcessStream({ dial: () => Promise.resolve(pair.a), process: { pid: 1 }, role: 'attach' });
    pair.b.write(Buffer.from([0x03, 0xff, 0xff, 0xff, 0xff]));
    await expect(stream.ended).rejects.toMatchObject({ code: 'tooLarge' });
    pair.cut();
  });

  it('ends, saying so, when its consumer takes nothing any more', async () => {
    const server = new FrameServer({ stdout: Buffer.from('to nobody'), stderr: Buffer.alloc(0) });
    const broken = new Writable({ write: (_chunk, _encoding, done) => done(new Error('EPIPE')) });
    const { stream } = connect(server, { stdout: writableSink(broken) });
    expect(await stream.ended).toMatchObject({ kind: 'outputClosed', stream: 'stdout' });
    await vi.waitFor(() => expect(server.detaches).toEqual([true]), { timeout: 15_000 });
  });

  it('can be read as a Readable whose reader sets the pace', async () => {
    const content = randomBytes(2_000_000);
    const server = new FrameServer({ stdout: content, stderr: Buffer.alloc(0), exit: exited(0) });
    const { sink, readable } = readableSink();
    connect(server, { stdout: sink, windowBytes: 100_000 });
    await vi.waitFor(() => expect(server.greatestInFlight).toBe(100_000), { timeout: 15_000 });
    const chunks: Buffer[] = [];
    for await (const chunk of readable) chunks.push(chunk as Buffer);
    expect(digest(Buffer.concat(chunks))).toBe(digest(content));
    expect(server.greatestInFlight).toBe(100_000);
  });

  it('is broken off by its signal', async () => {
    const abort = new AbortController();
    const server = new FrameServer({ stdout: Buffer.alloc(0), stderr: undefined });
    const { stream } = connect(server, { signal: abort.signal });
    await stream.opened;
    abort.abort();
    await expect(stream.ended).rejects.toMatchObject({ code: 'cancelled' });
    expect(server.detaches).toEqual([]);
  });
});

describe('a better connection', () => {
  /** The shortcut leads to the same server; `ways` tells which way each connection took. */
  function withShortcut(server: FrameServer, options: Partial<ProcessStreamOptions> = {}, succeeds = true) {
    const ways: string[] = [];
    const shortcutPairs: MemoryPair[] = [];
    const connected = connect(
      server,
      {
        shortcut: () => {
          ways.push('shortcut');
          if (!succeeds) return Promise.reject(new NshError('authFailed', 'it asks a person'));
          const pair = memoryPair();
          shortcutPairs.push(pair);
          server.serve(pair.b);
          return Promise.resolve(pair.a);
        },
        ...options,
      },
      () => {
        ways.push('dial');
        return {};
      },
    );
    return { ...connected, ways, shortcutPairs };
  }

  it('is taken by a stream that carries much, without a byte lost or doubled and without a word', async () => {
    const content = randomBytes(20_000_000);
    const server = new FrameServer({ stdout: content, stderr: Buffer.alloc(0), exit: exited(0) });
    const stdout = collector();
    const said: string[] = [];
    const slow: OutputSink = { write: (bytes, taken) => stdout.sink.write(bytes, () => setImmediate(taken)) };
    const { stream, ways } = withShortcut(server, {
      stdout: slow,
      windowBytes: 200_000,
      onLost: () => said.push('lost'),
      onOpened: () => said.push('opened'),
    });
    expect(await stream.ended).toMatchObject({ kind: 'exit' });
    expect(digest(stdout.bytes())).toBe(digest(content));
    expect(ways).toEqual(['dial', 'shortcut']);
    expect(said).toEqual(['opened']);
    expect(server.opens.map(({ from }) => from.stdout)).toEqual([0, expect.toSatisfy((at: number) => at > 2e6)]);
  });

  it('is taken for input too', async () => {
    const server = new FrameServer({ stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) });
    server.stdinWindow = 1_000_000;
    const { stream, ways } = withShortcut(server);
    const content = randomBytes(6_000_000);
    for (let at = 0; at < content.length; at += 500_000) {
      if (!stream.stdin.write(content.subarray(at, at + 500_000)))
        await new Promise((resolve) => stream.stdin.once('drain', resolve));
    }
    stream.stdin.end();
    await vi.waitFor(() => expect(server.inputEnded).toBe(true), { timeout: 10_000 });
    expect(digest(server.input)).toBe(digest(content));
    expect(ways).toEqual(['dial', 'shortcut']);
  });

  it('is taken by a terminal that stays, which loses no key and falls back when it breaks', async () => {
    const server = new FrameServer({ stdout: Buffer.from('$ '), stderr: undefined });
    const stdout = collector();
    const said: string[] = [];
    const { stream, ways, shortcutPairs } = withShortcut(server, {
      stdout: stdout.sink,
      size: { cols: 80, rows: 24 },
      onLost: () => said.push('lost'),
    });
    let typed = '';
    const type = setInterval(() => {
      typed += 'k';
      stream.stdin.write('k');
    }, 5);
    try {
      await vi.waitFor(() => expect(server.opens.length).toBe(2), { timeout: 5_000 });
      expect(said).toEqual([]);
      shortcutPairs[0]?.cut();
      await vi.waitFor(() => expect(ways).toEqual(['dial', 'shortcut', 'dial', 'shortcut']), { timeout: 5_000 });
      expect(said).toEqual(['lost']);
    } finally {
      clearInterval(type);
    }
    await vi.waitFor(() => expect(server.input.toString()).toBe(typed), { timeout: 5_000 });
    expect(stdout.bytes().toString()).toBe('$ ');
  });

  it('is tried once where there is none, and the stream goes on as it is', async () => {
    const content = randomBytes(20_000_000);
    const server = new FrameServer({ stdout: content, stderr: Buffer.alloc(0), exit: exited(0) });
    const stdout = collector();
    const { stream, ways } = withShortcut(server, { stdout: stdout.sink }, false);
    await stream.ended;
    expect(digest(stdout.bytes())).toBe(digest(content));
    expect(ways).toEqual(['dial', 'shortcut']);
  });

  it('waits until a signal that was sent has surely arrived', async () => {
    const server = new FrameServer({ stdout: Buffer.alloc(0), stderr: undefined });
    const { stream, ways } = withShortcut(server);
    await stream.opened;
    await vi.waitFor(() => expect(ways).toEqual(['dial']), { timeout: 15_000 });
    stream.sendSignal(15, false);
    await vi.waitFor(() => expect(ways).toEqual(['dial', 'shortcut']), { timeout: 5_000 });
    expect(server.opens.length).toBe(1);
    await vi.waitFor(() => expect(server.opens.length).toBe(2), { timeout: 5_000 });
    expect(server.signals).toEqual(['15']);
  });

  it('counts as connected on the way there, and what is sent meanwhile arrives', async () => {
    const server = new FrameServer({ stdout: Buffer.alloc(0), stderr: undefined });
    let welcome: (() => void) | undefined;
    const { stream, pairs } = connect(server, {
      shortcut: () => {
        const pair = memoryPair();
        welcome = () => server.serve(pair.b);
        return Promise.resolve(pair.a);
      },
    });
    await vi.waitFor(() => expect(server.opens.length).toBe(1), { timeout: 15_000 });
    const first = server.detaches.length;
    await vi.waitFor(() => expect(pairs[0]?.a.destroyed).toBe(true), { timeout: 5_000 });
    expect(stream.connected).toBe(true);
    stream.sendSignal(2, true);
    stream.resize({ cols: 100, rows: 30 });
    stream.stdin.write('typed');
    welcome?.();
    await vi.waitFor(() => expect(server.input.toString()).toBe('typed'), { timeout: 15_000 });
    expect(server.signals).toEqual(['2 foreground']);
    // The open frame had gone out before the size changed.
    expect(server.resizes).toEqual(['100x30']);
    expect(server.detaches.length).toBe(first);
  });
});
