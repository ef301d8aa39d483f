import { duplexPair, type Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { NshError } from '../../src/protocol/errors.ts';
import { watchSilence } from '../../src/rpc/heartbeat.ts';
import { RpcPeer } from '../../src/rpc/peer.ts';

const fast = { tickMs: 10, askAfter: 3, giveUpAfter: 10 };
const open: RpcPeer[] = [];
afterEach(() => {
  for (const peer of open.splice(0)) peer.close();
});

/** A watched peer, and the lines that its other end got. */
function watched(): { peer: RpcPeer; far: Duplex; lines: () => string[] } {
  const [near, far] = duplexPair();
  let text = '';
  far.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const peer = new RpcPeer(near, { name: 'far' });
  open.push(peer);
  watchSilence(peer, () => new NshError('timeout', 'far stands still'), fast);
  return { peer, far, lines: () => text.trim().split('\n') };
}

it('ends every open request where nothing comes, not even the answer to a ping, and gives them up', async () => {
  const { peer, lines } = watched();
  const asked = Promise.allSettled([peer.request('wait', {}), peer.request('run', {})]);
  for (const outcome of await asked) expect(outcome).toMatchObject({ reason: { message: 'far stands still' } });
  expect(await peer.closed).toMatchObject({ code: 'timeout' });
  await expect.poll(lines).toHaveLength(6);
  expect(lines()[2]).toContain('"ping"');
  expect(lines().slice(3)).toEqual([1, 2, 3].map((id) => `{"jsonrpc":"2.0","method":"cancel","params":{"id":${id}}}`));
});

it('waits as long as it takes for an answer while pings are answered, if only by an error', async () => {
  const { peer, far } = watched();
  far.on('data', (chunk: Buffer) => {
    for (const line of chunk.toString().trim().split('\n')) {
      const { id, method } = JSON.parse(line) as { id: number; method: string };
      const error = { code: -32601, message: 'no such method', data: { code: 'unknownMethod' } };
      if (method === 'ping') far.write(`${JSON.stringify({ jsonrpc: '2.0', id, error })}\n`);
    }
  });
  const answer = peer.request('wait', {});
  await delay(500);
  far.write('{"jsonrpc":"2.0","id":1,"result":{"code":0}}\n');
  expect(await answer).toEqual({ code: 0 });
});

it('says nothing while nothing is asked', async () => {
  const { peer, lines } = watched();
  await delay(300);
  expect(lines()).toEqual(['']);
  expect(peer.heard).toBe(0);
});

it('an answer that comes in pieces is no silence', async () => {
  const { peer, far } = watched();
  const answer = peer.request('ps', {});
  const text = `{"jsonrpc":"2.0","id":1,"result":"${'x'.repeat(40)}"}\n`;
  for (const character of text) {
    far.write(character);
    await delay(8);
  }
  expect(await answer).toBe('x'.repeat(40));
});
