/** Clients that keep to no protocol, on the agent's and the shim's socket: told what is wrong, and nobody else notices. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { localPid } from '../../src/ids/gpid.ts';
import { maxRequestBytes } from '../../src/protocol/limits.ts';
import { startCluster, type NshCluster } from './nsh-cluster.ts';
import type { RunningNsh } from './nsh-program.ts';
import { atOffset, frame, openStream, RawSocket } from './raw-socket.ts';

let cluster: NshCluster;
let state: string;
let shimSocket: string;
/** A stream of somebody who does everything right, on the same shim. */
let bystander: RunningNsh;
let agentPid: number;
let target: number;
const sockets: RawSocket[] = [];

async function open(path: string): Promise<RawSocket> {
  const socket = await RawSocket.open(path);
  sockets.push(socket);
  return socket;
}
const agent = (): Promise<RawSocket> => open(join(state, 'agent.sock'));
const shim = (): Promise<RawSocket> => open(shimSocket);
const hello = { protocol: { min: 1, max: 1 }, cluster: 'test', node: 1, version: '0.1.0' };

beforeAll(async () => {
  cluster = await startCluster({ count: 1 });
  bystander = cluster.spawnNsh(['run', '-T', '-n', 'n1', '--', 'cat']);
  bystander.child.stdin.write('first\n');
  await bystander.untilStdout('first\n');
  target = (await cluster.start('-n', 'n1', '--', 'sh', '-c', 'echo hello; exec sleep 1000')) - 10_000_000;
  agentPid = await cluster.agentPid('n1');
  state = join(cluster.host('n1').stateHome, 'nsh/test/1');
  const name = readdirSync(state).find((entry) => entry.startsWith('shim-'));
  shimSocket = join(state, name ?? 'no shim socket');
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.close();
  const word = `still here ${Math.random()}\n`;
  bystander.child.stdin.write(word);
  await bystander.untilStdout(word);
});
afterAll(async () => {
  await cluster.stop();
});

describe('the agent', () => {
  test('answers nothing before hello', async () => {
    const socket = await agent();
    socket.request(1, 'ps', { columns: ['pid'], select: 'all' });
    expect((await socket.message()).error?.message).toBe('the first request must be hello');
    socket.request(2, 'hello', hello);
    expect((await socket.message(2)).result).toMatchObject({ node: 1, name: 'n1', protocol: 1 });
  });

  test('refuses another protocol with both versions and what to do', async () => {
    const socket = await agent();
    socket.request(1, 'hello', { ...hello, protocol: { min: 7, max: 9 }, version: '9.9.9' });
    const { error } = await socket.message();
    expect(error?.data?.code).toBe('protocolMismatch');
    expect(error?.message).toMatch(/protocol 1.*9\.9\.9.*protocol 7.9.*install the same version/);
    socket.request(2, 'ps', { columns: ['pid'], select: 'all' });
    expect((await socket.message(2)).error?.data?.code).toBe('protocolMismatch');
  });

  test('refuses to be taken for another node or cluster', async () => {
    const socket = await agent();
    socket.request(1, 'hello', { ...hello, node: 2 });
    expect((await socket.message()).error?.data?.code).toBe('wrongNode');
    socket.request(2, 'hello', { ...hello, cluster: 'other' });
    expect((await socket.message(2)).error?.message).toContain('not node 1 of other');
  });

  test.for([
    ['no JSON', 'GET / HTTP/1.1\r\n', 'parseError'],
    ['JSON that is no message', '[1,2,3]\n', 'invalidMessage'],
    ['JSON of another version', '{"id":1,"method":"hello"}\n', 'invalidMessage'],
    ['JSON nested ten thousand deep', `${'['.repeat(10_000)}${']'.repeat(10_000)}\n`, 'invalidMessage'],
    ['bytes that are no text', Buffer.from([0, 255, 254, 10]), 'parseError'],
  ] as const)('tells %s why, and hangs up', async ([, bytes, code]) => {
    const socket = await agent();
    socket.send(bytes);
    const { id, error } = await socket.message();
    expect([id, error?.data?.code]).toEqual([null, code]);
    await socket.untilEnded();
  });

  test('does not gather a line without end', async () => {
    const socket = await agent();
    for (let sent = 0; sent <= maxRequestBytes; sent += 1 << 20) socket.send(Buffer.alloc(1 << 20, 0x61));
    expect((await socket.message()).error?.data?.code).toBe('tooLarge');
    await socket.untilEnded();
  });

  test.for([
    ['constructor', {}, 'unknownMethod'],
    ['__proto__', {}, 'unknownMethod'],
    ['prompt', {}, 'unknownMethod'],
    ['kill', { targets: [{ pid: 0 }], signal: 9 }, 'invalidParams'],
    ['kill', { targets: [{ pid: -1 }], signal: 9 }, 'invalidParams'],
    ['kill', { targets: [{ pid: 4 }], signal: 65 }, 'invalidParams'],
    ['run', { argv: [] }, 'invalidParams'],
    ['ps', { columns: ['no such column'], select: 'all' }, 'invalidParams'],
    ['fanout', { call: 1, nodes: [1], method: 'hello', params: {} }, 'unknownMethod'],
    ['dial', { node: 99 }, 'unknownNode'],
  ] as const)('answers %s %j with an error and goes on', async ([method, params, code]) => {
    const socket = await agent();
    socket.request(1, 'hello', hello);
    await socket.message();
    socket.request(2, method, params);
    expect((await socket.message(2)).error?.data?.code).toBe(code);
    socket.request(3, 'info', {});
    expect((await socket.message(3)).result).toMatchObject({ managed: 2 });
  });

  test('is not held up by a client that asks much and reads nothing', async () => {
    const socket = await agent();
    socket.request(1, 'hello', hello);
    for (let id = 2; id < 300; id++) socket.request(id, 'ps', { columns: ['pid', 'comm', 'args'], select: 'all' });
    expect((await cluster.nsh(['nodes'])).status).toBe(0);
  });
});

describe('the shim', () => {
  const opened = async (role: 'attach' | 'read' = 'attach'): Promise<RawSocket> => {
    const socket = await shim();
    socket.send(openStream({ process: { pid: localPid(target) }, role }));
    return socket;
  };
  const lies: readonly (readonly [string, Buffer, RegExp])[] = [
    ['a data frame of 4 GB', frame(3, 0xffffffff, atOffset(0, 0n)), /limit/],
    ['an open frame of 1 MB', frame(1, 1 << 20), /limit/],
    ['a data frame shorter than its head', frame(3, 4, Buffer.alloc(4)), /offset/],
    ['an ack of the wrong length', frame(4, 3, Buffer.alloc(3)), /instead of 9/],
    ['a frame of an unknown type', frame(0x1f, 0), /type 31/],
    ['a stream number that does not exist', frame(3, 10, atOffset(7, 0n, 'x')), /stream/],
    ['an offset beyond every file', frame(4, 9, atOffset(1, 0xffff_ffff_ffff_ffffn)), /range/],
    ['an ack of bytes that it was never sent', frame(4, 9, atOffset(1, 1n << 40n)), /ack/i],
    ['output', frame(3, 10, atOffset(1, 0n, 'x')), /not for input/],
    ['a frame that only shims send', frame(7, 2, Buffer.from('{}')), /does not send/],
    ['input with a hole before it', frame(3, 10, atOffset(0, 1n << 30n, 'x')), /offset|input/i],
    ['a second open frame', openStream({ process: { pid: localPid(4) } }), /once/],
  ];
  test.for(lies)('tells a client that sends %s, and hangs up', async ([, bytes, message]) => {
    const socket = await opened();
    socket.send(bytes);
    expect((await socket.errorFrame()).message).toMatch(message);
    await socket.untilEnded();
  });

  test.for([
    ['something before open', frame(4, 9, atOffset(1, 0n)), /first frame must be open/],
    ['an open frame that is no JSON', frame(1, 3, Buffer.from('no!')), /JSON/],
    ['an open frame without a process', frame(1, 2, Buffer.from('{}')), /open: /],
    ['a window of 1 GB', openStream({ process: { pid: localPid(4) }, window: 1 << 30 }), /window/],
    [
      'a process that is not there',
      openStream({ process: { pid: localPid(4_194_000) } }),
      /no record of process 4194000/,
    ],
  ] as const)('refuses %s', async ([, bytes, message]) => {
    const socket = await shim();
    socket.send(bytes);
    expect((await socket.errorFrame()).message).toMatch(message);
    await socket.untilEnded();
  });

  test('lets a reader read only', async () => {
    const socket = await opened('read');
    socket.send(frame(9, 2, Buffer.from([9, 0])));
    expect((await socket.errorFrame()).data?.code).toBe('notPermitted');
    expect((await cluster.nsh(['kill', '-0', `1.${target}`])).status).toBe(0);
  });

  test('takes no harm from a frame that is cut, nor from one that comes byte by byte', async () => {
    const cut = await opened();
    cut.send(frame(3, 500, atOffset(0, 0n, 'begun')));
    cut.close();
    const slow = await shim();
    for (const byte of openStream({ process: { pid: localPid(target) }, role: 'read', follow: false }))
      slow.send(Buffer.from([byte]));
    await slow.untilEnded();
    expect(slow.frames.map(({ type }) => type)).toEqual(expect.arrayContaining(['opened', 'data', 'eof']));
  });

  test('answers control requests that make no sense with an error', async () => {
    const socket = await shim();
    socket.request(1, 'spawn', { argv: ['true'] });
    expect((await socket.message()).error?.data?.code).toBe('invalidParams');
    socket.request(2, 'hasOwnProperty', {});
    expect((await socket.message(2)).error?.data?.code).toBe('unknownMethod');
    socket.send('{ no JSON\n');
    expect((await socket.message(3)).error?.data?.code).toBe('parseError');
    await socket.untilEnded();
  });
});

test('after all that agent, shim and the stream of another are the same', async () => {
  expect(await cluster.agentPid('n1')).toBe(agentPid);
  expect(join(state, readdirSync(state).find((entry) => entry.startsWith('shim-')) ?? '')).toBe(shimSocket);
  const { status, stderr } = await cluster.nsh(['kill', '-0', `1.${target}`]);
  expect([status, stderr]).toEqual([0, '']);
});
