import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Link } from '../../src/link/link.ts';
import { MemoryLink, memoryPair } from '../../src/link/memory.ts';
import { UnixLink } from '../../src/link/unix.ts';
import { echo, failure, readAll, serveEcho, soon, type TestServer } from './support.ts';

let directory: string;
let server: TestServer;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nsh-link-'));
  server = await serveEcho(join(directory, 'echo'));
});
afterAll(async () => {
  await server.close();
  await rm(directory, { recursive: true, force: true });
});

const kinds = ['unix', 'memory'] as const;

function makeLink(kind: (typeof kinds)[number]): Link {
  if (kind === 'unix') return new UnixLink('n1');
  const memory = new MemoryLink({
    latencyMs: 1,
    exec: async (command) => ({ stdout: `${command}\n`, stderr: '', code: 0 }),
  });
  memory.listeners.set(server.path, (stream) => stream.pipe(stream));
  return memory;
}

test.each(kinds)('%s: bytes go both ways and each direction ends by itself', async (kind) => {
  const link = makeLink(kind);
  const stream = await link.openSocket(server.path, soon());
  expect(await echo(stream, 'hello')).toBe('hello');
  stream.end('last words');
  expect((await readAll(stream)).toString()).toBe('last words');
});

test.each(kinds)('%s: nobody on the socket is no agent', async (kind) => {
  const link = makeLink(kind);
  expect((await failure(link.openSocket(join(directory, 'nobody'), soon()))).code).toBe('noAgent');
});

test.each(kinds)('%s: closing the link ends its streams with an error', async (kind) => {
  const link = makeLink(kind);
  const stream = await link.openSocket(server.path, soon());
  await echo(stream, 'hello');
  const error = once(stream, 'error') as Promise<[Error]>;
  link.close();
  expect((await error)[0]).toMatchObject({ code: 'linkLost' });
  expect(await link.closed).toBeUndefined();
  expect((await failure(link.openSocket(server.path, soon()))).code).toBe('linkLost');
});

test('unix: a command runs through the shell, and ends with whoever waits for it', async () => {
  const link = new UnixLink('n1');
  expect(await link.exec('echo out; echo err >&2; exit 3', soon())).toEqual({
    stdout: 'out\n',
    stderr: 'err\n',
    code: 3,
  });
  expect((await failure(link.exec('sleep 100', AbortSignal.timeout(100)))).code).toBe('timeout');
});

test('memory: a cut fails both ends, and nothing that was on its way arrives', async () => {
  const link = new MemoryLink({ latencyMs: 50 });
  let far: ReturnType<typeof memoryPair>[0] | undefined;
  link.listeners.set('/s', (stream) => {
    far = stream;
  });
  const near = await link.openSocket('/s', soon());
  near.write('lost');
  const errors = Promise.all([once(near, 'error'), once(far ?? near, 'error')]);
  link.cut();
  await errors;
  expect(await link.closed).toMatchObject({ code: 'linkLost' });
  expect(far?.readableLength).toBe(0);
});

test('memory: a writer waits where the reader does', async () => {
  const [near, far] = memoryPair({ windowBytes: 1_000 });
  let written = 0;
  while (near.write(Buffer.alloc(100)) && written < 10_000) written += 100;
  expect(written).toBeLessThan(5_000);
  near.end();
  expect((await readAll(far)).length).toBeGreaterThanOrEqual(written);
});

test('memory: latency delays each way', async () => {
  const link = new MemoryLink({ latencyMs: 20 });
  link.listeners.set('/s', (stream) => stream.pipe(stream));
  const stream = await link.openSocket('/s', soon());
  const begin = performance.now();
  await echo(stream, 'x');
  expect(performance.now() - begin).toBeGreaterThanOrEqual(38);
});
