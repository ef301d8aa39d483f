import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { duplexPair, PassThrough, type Duplex } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bridge, exitNoSocket } from '../../src/link/bridge.ts';
import { FramedStream, frameWriter } from '../../src/link/frames.ts';
import { passMarker, shellWord } from '../../src/link/marker.ts';
import { bridgeCommand, readAll, serve, serveEcho } from './support.ts';

let directory: string;
let command: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nsh-bridge-'));
  command = await bridgeCommand(directory);
});
afterAll(async () => rm(directory, { recursive: true, force: true }));

test('without a marker the bridge is bare: bytes in, bytes out, and it ends with both directions', async () => {
  const server = await serveEcho(join(directory, 'bare'));
  const stdin = new PassThrough();
  const stdout = new PassThrough();
  const status = bridge(server.path, stdin, stdout);
  const bytes = randomBytes(300_000);
  stdin.end(bytes);
  expect((await readAll(stdout)).equals(bytes)).toBe(true);
  expect(await status).toBe(0);
  await server.close();
});

test('with a marker everything after its line is framed, and the end of the socket is told while stdin stays open', async () => {
  const server = await serve(join(directory, 'framed'), (socket) => socket.end('all there is'));
  const stdin = new PassThrough();
  const stdout = new PassThrough();
  const status = bridge(server.path, stdin, stdout, { marker: 'MARK' });
  expect((await readAll(stdout)).toString('latin1')).toBe('MARK\n\0\0\0\x0call there is\0\0\0\0');
  stdin.end();
  expect(await status).toBe(0);
  await server.close();
});

test('nobody on the socket is a status of its own', async () => {
  const stderr = new PassThrough();
  const path = join(directory, 'nobody');
  expect(await bridge(path, new PassThrough(), new PassThrough(), { stderr })).toBe(exitNoSocket);
  expect(String(stderr.read())).toBe(`nsh-agent dial: connect ENOENT ${path}\n`);
});

test('the program passes on what a socket sends without ever being read from, and ends when the socket and stdin have', async () => {
  const server = await serve(join(directory, 'program'), (socket) => {
    void readAll(socket).then((bytes) => socket.end(`got ${bytes.length}`));
  });
  const child = spawn('/bin/sh', ['-c', `${command} dial --marker M ${shellWord(server.path)}`]);
  child.stdin.end(randomBytes(200_000));
  const [output, [status]] = await Promise.all([readAll(child.stdout as unknown as Duplex), once(child, 'exit')]);
  expect(output.toString('latin1')).toBe('M\n\0\0\0\x0agot 200000\0\0\0\0');
  expect(status).toBe(0);
  await server.close();
});

test('frames cut anywhere give the same bytes', async () => {
  const bytes = randomBytes(10_000);
  const writer = frameWriter();
  for (let at = 0; at < bytes.length; at += 997) writer.write(bytes.subarray(at, at + 997));
  writer.end();
  const framed = await readAll(writer);
  for (const step of [1, 3, 4, 5, 1_001, 100_000]) {
    const [near, far] = duplexPair();
    const stream = new FramedStream(near, 'n1');
    for (let at = 0; at < framed.length; at += step) far.write(framed.subarray(at, at + step));
    expect((await readAll(stream)).equals(bytes)).toBe(true);
    stream.destroy();
  }
});

test('frames that break off are a lost link, not an end', async () => {
  const [near, far] = duplexPair();
  const stream = new FramedStream(near, 'n1');
  far.end(Buffer.from([0, 0, 0, 5, 1, 2]));
  stream.resume();
  const [error] = (await once(stream, 'error')) as [Error];
  expect(error).toMatchObject({ code: 'linkLost' });
});

test.each([
  ['a banner before it', ['Welcome!\nno line feed', 'MA', 'RK\nrest'], true, 'rest'],
  ['the marker at once', ['MARK\n'], true, ''],
  ['the marker within a line', ['xMARK\nrest'], true, 'rest'],
  ['no marker', ['Welcome!\n'], false, ''],
] as const)('%s: the marker is found and what follows stays', async (_name, parts, found, rest) => {
  const [near, far] = duplexPair();
  for (const part of parts) far.write(part);
  far.end();
  expect(await passMarker(near, 'MARK')).toBe(found);
  expect(found ? (await readAll(near)).toString() : '').toBe(rest);
  near.destroy();
});

test('words for the shell come through it unchanged', async () => {
  for (const word of ['plain', 'with space', `it's`, '$HOME `id` "x" \\', '']) {
    const child = spawn('/bin/sh', ['-c', `printf %s ${shellWord(word)}`]);
    expect((await readAll(child.stdout as unknown as Duplex)).toString()).toBe(word);
  }
});
