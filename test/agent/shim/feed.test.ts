/** A stream with the role `feed`: input for a process from afar, even where its stdin is not its terminal. */
import { constants } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openProcessStream } from '../../../src/cluster/process-stream/process-stream.ts';
import type { ProcessStream } from '../../../src/cluster/process-stream/types.ts';
import { openUnixSocket } from '../../../src/link/unix-socket.ts';
import type { OpenFrame } from '../../../src/protocol/frames.ts';
import type { SpawnParams } from '../../../src/protocol/shim-control.ts';
import { ShimUnderTest } from './shim-under-test.ts';
import { StreamClient } from './stream-client.ts';
import { waitUntil } from './wait-until.ts';

let shim: ShimUnderTest;
beforeAll(async () => {
  shim = await ShimUnderTest.start();
});
afterAll(() => shim.stop());

let clients = 0;
interface Reader {
  readonly stream: ProcessStream;
  text(): string;
}

async function spawn(script: string, more: Partial<SpawnParams>) {
  const client = `starts-it-${++clients}`;
  const process = await shim.spawn(['bash', '-c', script], { foreground: client, ...more });
  return { process, client };
}

function open(process: Awaited<ReturnType<typeof spawn>>['process'], role: OpenFrame['role'], client: string): Reader {
  const chunks: Buffer[] = [];
  const stream = openProcessStream({
    dial: () => openUnixSocket(shim.socket),
    process,
    role,
    client,
    ...(role === 'feed' ? { from: { stdout: 'newest' } } : {}),
    stdout: { write: (bytes, taken) => (chunks.push(Buffer.from(bytes)), taken()) },
  });
  return { stream, text: () => Buffer.concat(chunks).toString() };
}

const tells = '[[ -t 0 ]] && echo in; [[ -t 1 ]] && echo out; [[ -t 2 ]] && echo err';

describe('a terminal whose stdin is a pipe', () => {
  test('is fed by one client and typed at by another', async () => {
    const { process, client } = await spawn(`${tells}; cat; echo ready; read -r x </dev/tty; echo "typed $x"`, {
      io: 'pty',
      stdin: 'pipe',
    });
    const typist = open(process, 'foreground', client);
    const feeder = open(process, 'feed', 'feeder-of-it');
    feeder.stream.stdin.end('fed\n');
    await waitUntil(() => typist.text().includes('ready'), 'the end of what is fed');
    typist.stream.stdin.write('a word\r');
    expect(await feeder.stream.ended).toMatchObject({ kind: 'exit', status: { code: 0 } });
    await typist.stream.ended;
    expect(typist.text().replaceAll('\r', '')).toBe('out\nerr\nfed\nready\na word\ntyped a word\n');
    expect(feeder.text()).toBe('');
  });

  test('reads its pipe on when the keys have been pressed for the end of input', async () => {
    const { process, client } = await spawn('cat | wc -c', { io: 'pty', stdin: 'pipe' });
    const typist = open(process, 'foreground', client);
    const feeder = open(process, 'feed', 'feeder-two');
    feeder.stream.stdin.write(Buffer.alloc(300_000));
    typist.stream.stdin.write('\x04');
    feeder.stream.stdin.end(Buffer.alloc(200_000));
    await typist.stream.ended;
    expect(typist.text().trim()).toContain('500000');
  });
});

describe('a terminal whose stdout is a pipe', () => {
  test('has what goes to the terminal on stream 1 and stdout on stream 2, byte for byte', async () => {
    const { process, client } = await spawn(
      `for fd in 0 1 2; do [[ -t $fd ]] && echo $fd >&2; done; head -c 400000 /dev/zero | tr '\\0' '\\n'`,
      {
        io: 'pty',
        stdout: 'pipe',
      },
    );
    const chunks: Buffer[] = [];
    const shown: Buffer[] = [];
    const stream = openProcessStream({
      dial: () => openUnixSocket(shim.socket),
      process,
      role: 'foreground',
      client,
      stdout: { write: (bytes, taken) => (shown.push(Buffer.from(bytes)), taken()) },
      stderr: { write: (bytes, taken) => (chunks.push(Buffer.from(bytes)), taken()) },
    });
    expect(await stream.ended).toMatchObject({ kind: 'exit', status: { code: 0 } });
    expect(Buffer.concat(shown).toString()).toBe('0\r\n2\r\n');
    expect(Buffer.concat(chunks).equals(Buffer.alloc(400_000, '\n'))).toBe(true);
  });

  test('is read the same when the process has ended', async () => {
    const { process, client } = await spawn('echo shown >&2; echo piped', { io: 'pty', stdin: 'pipe', stdout: 'pipe' });
    const live = open(process, 'foreground', client);
    open(process, 'feed', 'feeder-of-both').stream.stdin.end();
    await live.stream.ended;
    await waitUntil(() => shim.exited.some((each) => each.process.pid === process.pid), 'the end');
    const seen: string[] = ['', ''];
    const reader = openProcessStream({
      dial: () => openUnixSocket(shim.socket),
      process,
      role: 'read',
      follow: false,
      stdout: { write: (bytes, taken) => ((seen[0] += bytes.toString()), taken()) },
      stderr: { write: (bytes, taken) => ((seen[1] += bytes.toString()), taken()) },
    });
    await reader.ended;
    expect(seen).toEqual(['shown\r\n', 'piped\n']);
  });
});

describe.each(['pipes', 'pty'] as const)('with %s', (io) => {
  const stdin = io === 'pty' ? 'pipe' : 'stream';

  test('what a feeder sends again after a lost connection comes once', async () => {
    const { process, client } = await spawn('cat', { io, stdin });
    const reader = open(process, 'foreground', client);
    const first = await StreamClient.open(shim.socket, process, { role: 'feed', client: 'feeder-lost' });
    first.input(0, 'one ');
    first.input(4, 'two ');
    await waitUntil(() => reader.text().includes('two'), 'what came first');
    first.socket.destroy();
    const feeder = open(process, 'feed', 'feeder-lost');
    feeder.stream.stdin.end('one two three');
    await reader.stream.ended;
    expect(reader.text()).toBe('one two three');
  });

  test('a feeder is told of a process that reads no further', async () => {
    const { process, client } = await spawn('exec 0<&-; sleep 1000', { io, stdin });
    const reader = open(process, 'foreground', client);
    let isClosed = false;
    const feeder = openProcessStream({
      dial: () => openUnixSocket(shim.socket),
      process,
      role: 'feed',
      from: { stdout: 'newest' },
      onInputClosed: () => {
        isClosed = true;
      },
    });
    feeder.stdin.write(Buffer.alloc(100_000));
    await waitUntil(() => isClosed, 'word that nobody reads');
    reader.stream.sendSignal(constants.signals.SIGTERM, false);
    expect(await feeder.ended).toMatchObject({ kind: 'exit', status: { signal: 'SIGTERM' } });
    await reader.stream.ended;
  });

  test('its input ends where nobody has fed it for so long, and not before', async () => {
    const { process, client } = await spawn('cat; echo over', { io, stdin, feedTimeoutMs: 300 });
    const reader = open(process, 'foreground', client);
    const first = await StreamClient.open(shim.socket, process, { role: 'feed', client: 'feeder-slow' });
    const begun = performance.now();
    first.input(0, 'some ');
    await waitUntil(() => performance.now() - begun > 600, 'twice that time');
    expect(reader.text()).toBe('some ');
    first.socket.destroy();
    await reader.stream.ended;
    expect(reader.text().replaceAll('\r', '')).toBe('some over\n');
  });

  test('its input ends where no feeder ever comes', async () => {
    const { process, client } = await spawn('cat; echo over', { io, stdin, feedTimeoutMs: 100 });
    const reader = open(process, 'foreground', client);
    await reader.stream.ended;
    expect(reader.text().replaceAll('\r', '')).toBe('over\n');
  });
});

test('what one feeder brings comes behind what another has begun with, whichever comes first', async () => {
  const { process, client } = await spawn('cat; echo .', { io: 'pipes' });
  const reader = open(process, 'foreground', client);
  const later = await StreamClient.open(shim.socket, process, { role: 'feed', client: 'feeder-later', behind: 6 });
  later.input(0, 'second ');
  later.inputEof(7);
  const first = open(process, 'feed', 'feeder-first');
  first.stream.stdin.write('first ');
  await waitUntil(() => reader.text() === 'first second ', 'both in order');
  await waitUntil(() => later.inputAcked === 7, 'the ack of the second');
  first.stream.stdin.end();
  await reader.stream.ended;
  expect(reader.text()).toBe('first second .\n');
});
