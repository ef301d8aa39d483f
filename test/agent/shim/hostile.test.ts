import { connect } from 'node:net';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  encodeDataHeader,
  encodeGap,
  encodeJson,
  encodeOffset,
  encodeResize,
  encodeSignal,
} from '../../../src/protocol/frames.ts';
import type { ManagedProcess } from '../../../src/protocol/process.ts';
import { ShimUnderTest } from './shim-under-test.ts';
import { StreamClient, type ClientSetup } from './stream-client.ts';
import { waitUntil } from './wait-until.ts';

let shim: ShimUnderTest;
let victim: ManagedProcess;
let witness: StreamClient;
beforeAll(async () => {
  shim = await ShimUnderTest.start();
  victim = await shim.spawn(['sh', '-c', 'stty -echo; echo ready; exec cat'], { io: 'pty', keepBytes: 1 << 20 });
  witness = await StreamClient.open(shim.socket, victim);
  await waitUntil(() => witness.text().includes('ready'), 'ready');
});
afterAll(async () => {
  await shim.stop();
});

let typed = 0;
/** Others go on as if nothing had been. */
beforeEach(async () => {
  const line = `still here ${typed}\n`;
  witness.input(typed, line);
  typed += line.length;
  await waitUntil(() => witness.text().endsWith(line.replace('\n', '\r\n')), 'the witness');
});

const openFrame = (more: Record<string, unknown> = {}): Buffer =>
  encodeJson('open', {
    version: 1,
    process: { pid: victim.pid },
    client: 'hostile-client',
    role: 'attach',
    from: { stdout: 0 },
    window: 65_536,
    ...more,
  });

const frame = (type: number, length: number, payload = Buffer.alloc(0)): Buffer => {
  const head = Buffer.alloc(5);
  head[0] = type;
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, payload]);
};

async function refused(setup: ClientSetup & { open?: boolean }, ...frames: Buffer[]): Promise<string | undefined> {
  const client =
    setup.open === true
      ? await StreamClient.open(shim.socket, victim, setup)
      : await StreamClient.connect(shim.socket, setup);
  client.send(...frames);
  await waitUntil(() => client.isClosed, 'the connection to close', 3_000);
  return client.error?.data?.code;
}

describe('a connection is closed, with the reason, that', () => {
  test.each<[string, () => Buffer[], string]>([
    ['begins with another frame than open', () => [encodeOffset('ack', 1, 0)], 'invalidMessage'],
    ['begins with data', () => [encodeDataHeader(0, 0, 1), Buffer.from('x')], 'invalidMessage'],
    ['sends an unknown frame', () => [frame(0x1f, 0)], 'invalidMessage'],
    ['sends a frame too long', () => [frame(0x01, 1 << 30)], 'tooLarge'],
    ['sends open that is not JSON', () => [frame(0x01, 4, Buffer.from('{{{{'))], 'parseError'],
    ['sends open that lacks something', () => [encodeJson('open', { version: 1 })], 'invalidMessage'],
    ['speaks another version', () => [openFrame({ version: 99 })], 'protocolMismatch'],
    ['wants a process that is not there', () => [openFrame({ process: { pid: 4_000_000 } })], 'noSuchProcess'],
    [
      'wants an incarnation that is not there',
      () => [openFrame({ process: { pid: victim.pid, start: 1 } })],
      'noSuchProcess',
    ],
    [
      'names a record outside the directory',
      () => [openFrame({ process: { pid: 1, start: 1, boot: '../../../..' } })],
      'noSuchProcess',
    ],
    ['asks for no window', () => [openFrame({ window: 0 })], 'invalidMessage'],
    ['asks for too large a window', () => [openFrame({ window: 1e12 })], 'invalidMessage'],
  ])('%s', async (_, frames, code) => {
    expect(await refused({}, ...frames())).toBe(code);
  });

  test.each<[string, () => Buffer[], string]>([
    ['opens twice', () => [openFrame()], 'invalidMessage'],
    ['acks what it was not sent', () => [encodeOffset('ack', 1, 1e12)], 'invalidMessage'],
    ['acks its own input', () => [encodeOffset('ack', 0, 0)], 'invalidMessage'],
    ['leaves out input', () => [encodeDataHeader(0, 5, 1), Buffer.from('x')], 'invalidMessage'],
    ['ends input that has not come', () => [encodeOffset('eof', 0, 5)], 'invalidMessage'],
    ['writes to an output', () => [encodeDataHeader(1, 0, 1), Buffer.from('x')], 'invalidMessage'],
    [
      'writes to a stream that is none',
      () => [frame(0x03, 10, Buffer.from([9, 0, 0, 0, 0, 0, 0, 0, 0, 120]))],
      'invalidMessage',
    ],
    ['uses an offset beyond all numbers', () => [frame(0x04, 9, Buffer.alloc(9, 255))], 'invalidMessage'],
    ['sends a frame of the shim', () => [encodeGap(1, 0, 5)], 'invalidMessage'],
    ['lies about a length', () => [frame(0x04, 8, Buffer.alloc(8))], 'invalidMessage'],
  ])('%s after open', async (_, frames, code) => {
    expect(await refused({ open: true }, ...frames())).toBe(code);
  });

  test.each<[string, () => Buffer[]]>([
    ['input', () => [encodeDataHeader(0, 0, 1), Buffer.from('x')]],
    ['a size', () => [encodeResize(1, 1)]],
    ['a signal', () => [encodeSignal(9, false)]],
    ['the end of input', () => [encodeOffset('eof', 0, 0)]],
  ])('is a reader and sends %s', async (_, frames) => {
    expect(await refused({ open: true, role: 'read' }, ...frames())).toBe('notPermitted');
  });

  test('sends a signal that does not exist', async () => {
    expect(await refused({ open: true }, encodeSignal(200, false))).toBe('invalidParams');
  });

  test('speaks control that is not JSON', async () => {
    const socket = connect(shim.socket);
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString();
    });
    socket.write('{"jsonrpc": nonsense\n');
    await waitUntil(() => text.includes('\n'), 'an answer');
    expect(text).toContain('"error"');
    socket.destroy();
  });
});

test('a size of nothing, or of everything, becomes one that a terminal can have', async () => {
  const client = await StreamClient.open(shim.socket, victim, { size: { cols: 100, rows: 30 } });
  client.send(encodeResize(0, 65_535));
  await waitUntil(() => witness.sizes.length > 1, 'the size');
  expect(witness.sizes.at(-1)).toEqual({ cols: 1, rows: 1000 });
  client.drop();
});

test('an unknown control method, or wrong parameters, is an error for the caller alone', async () => {
  const peer = await shim.connect();
  await expect(peer.request('nonsense', {})).rejects.toMatchObject({ code: 'unknownMethod' });
  await expect(peer.request('__proto__', {})).rejects.toMatchObject({ code: 'unknownMethod' });
  await expect(peer.request('spawn', { argv: [] })).rejects.toMatchObject({ code: 'invalidParams' });
  await expect(peer.request('signal', { process: { pid: 1 }, signal: 9, group: false })).rejects.toMatchObject({
    code: 'noSuchProcess',
  });
  peer.close();
});

test('input that is not read is refused beyond its window, however small the pieces, and memory stays bounded', async () => {
  const sleeper = await shim.spawn(['sh', '-c', 'exec sleep 1000'], {});
  const rss = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${shim.pid}/status`, 'latin1'))?.[1]);
  const before = rss();
  const client = await StreamClient.open(shim.socket, sleeper, { client: 'one-byte-frames' });
  let offset = 0;
  while (client.error === undefined && offset < 4_000_000) {
    const piece: Buffer[] = [];
    for (let index = 0; index < 20_000; index++, offset++) piece.push(encodeDataHeader(0, offset, 1), Buffer.from('x'));
    client.send(Buffer.concat(piece));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await waitUntil(() => client.isClosed, 'the end');
  expect(client.error?.data?.code).toBe('tooLarge');
  expect(rss() - before).toBeLessThan(100 * 1024);
});

test('output for clients that never read is not gathered for them', async () => {
  const flood = await shim.spawn(['sh', '-c', 'exec head -c 300000000 /dev/zero'], { keepBytes: 1 << 20 });
  const rss = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${shim.pid}/status`, 'latin1'))?.[1]);
  const clients = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      StreamClient.open(shim.socket, flood, {
        client: `never-reads-${index}`,
        window: 64 << 20,
        acks: false,
        keeps: false,
      }),
    ),
  );
  for (const client of clients) client.socket.pause();
  await waitUntil(() => shim.exited.some(({ process: ended }) => ended.pid === flood.pid), 'its end', 30_000);
  process.stdout.write(`shim with twenty clients that do not read: ${rss()} kB\n`);
  expect(rss()).toBeLessThan(200 * 1024);
  for (const client of clients) client.drop();
}, 60_000);
