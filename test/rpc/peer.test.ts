import { duplexPair, type Duplex } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { NshError } from '../../src/protocol/errors.ts';
import { RpcPeer, Upgrade, type PeerOptions } from '../../src/rpc/peer.ts';
import { RawJson } from '../../src/rpc/raw-json.ts';

const open: RpcPeer[] = [];
afterEach(() => {
  for (const peer of open.splice(0)) peer.close();
});

function pair(options: Partial<PeerOptions>): { client: RpcPeer; server: RpcPeer; raw: [Duplex, Duplex] } {
  const raw = duplexPair();
  const client = new RpcPeer(raw[0], { name: 'server' });
  const server = new RpcPeer(raw[1], { name: 'client', ...options });
  open.push(client, server);
  return { client, server, raw };
}

/** A peer whose other end is written by hand. */
function byHand(): { peer: RpcPeer; far: Duplex; said: () => string } {
  const [near, far] = duplexPair();
  let text = '';
  far.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const peer = new RpcPeer(near, { name: 'far' });
  open.push(peer);
  return { peer, far, said: () => text };
}

describe('RpcPeer', () => {
  it('answers several requests out of order, each to its own asker', async () => {
    const waiting: (() => void)[] = [];
    const { client } = pair({
      onRequest: async (method) => {
        await new Promise<void>((resolve) => {
          waiting.push(resolve);
          if (waiting.length === 2) for (const go of waiting.toReversed()) go();
        });
        return { method };
      },
    });
    expect(await Promise.all([client.request('a', {}), client.request('b', {})])).toEqual([
      { method: 'a' },
      { method: 'b' },
    ]);
  });

  it('carries code, message and data of an error', async () => {
    const { client } = pair({
      onRequest: () => Promise.reject(new NshError('noSuchProcess', 'web1: gone', { data: { pid: 5 } })),
    });
    await expect(client.request('x', {})).rejects.toMatchObject({
      code: 'noSuchProcess',
      message: 'web1: gone',
      data: { pid: 5 },
    });
  });

  it('tells the handler when a request is given up, and still works', async () => {
    let sawAbort: () => void = () => undefined;
    const aborted = new Promise<void>((resolve) => (sawAbort = resolve));
    const { client } = pair({
      onRequest: (method, _params, { signal }) =>
        method === 'slow'
          ? new Promise((_, reject) => {
              signal.addEventListener('abort', () => {
                sawAbort();
                reject(new NshError('cancelled', 'stopped'));
              });
            })
          : Promise.resolve({ ok: true }),
    });
    const controller = new AbortController();
    const slow = client.request('slow', {}, { signal: controller.signal });
    controller.abort();
    await expect(slow).rejects.toMatchObject({ code: 'cancelled' });
    await aborted;
    expect(await client.request('quick', {})).toEqual({ ok: true });
  });

  it('fails a request by its deadline', async () => {
    const { client } = pair({ onRequest: () => new Promise(() => undefined) });
    await expect(client.request('never', {}, { deadlineMs: 20 })).rejects.toMatchObject({ code: 'timeout' });
  });

  it('fails every open request when the connection breaks, and every later one', async () => {
    const { client, raw } = pair({ onRequest: () => new Promise(() => undefined) });
    const request = client.request('never', {});
    raw[0].destroy(new Error('cut'));
    await expect(request).rejects.toMatchObject({ code: 'linkLost' });
    await expect(client.request('later', {})).rejects.toMatchObject({ code: 'linkLost' });
  });

  it('hands a result on unread, and reads it where it is spelled otherwise', async () => {
    const { peer, far } = byHand();
    const first = peer.request('a', {}, { raw: true });
    far.write('{"jsonrpc":"2.0","id":1,"result":{"rows":[1,2]}}\n');
    expect(await first).toBeInstanceOf(RawJson);
    const second = peer.request('b', {}, { raw: true });
    far.write('{ "jsonrpc": "2.0", "result": {"rows": []}, "id": 2 }\n');
    expect(await second).toEqual({ rows: [] });
  });

  it('becomes a byte stream right behind the result, on both sides', async () => {
    const { client } = pair({
      onRequest: () =>
        Promise.resolve(
          new Upgrade(({ stream }) => {
            stream.write('raw\nbytes');
            stream.pipe(stream);
          }),
        ),
    });
    const { stream, head } = await client.requestUpgrade('dial', {});
    let text = head.toString();
    stream.write('!');
    await new Promise<void>((resolve) => {
      stream.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        if (text.endsWith('!')) resolve();
      });
      stream.resume();
    });
    expect(text).toBe('raw\nbytes!');
    stream.destroy();
  });

  it.each([
    ['not json\n', 'parseError'],
    ['[1]\n', 'invalidMessage'],
    ['{"id":1,"method":"x"}\n', 'invalidMessage'],
    ['{"jsonrpc":"2.0","id":{},"method":"x"}\n', 'invalidMessage'],
    ['{"jsonrpc":"2.0","id":1}\n', 'invalidMessage'],
    ['{"jsonrpc":"2.0","id":1,"error":5}\n', 'invalidMessage'],
  ])('says why it closes on %j', async (line, code) => {
    const { peer, far, said } = byHand();
    far.write(line);
    expect(await peer.closed).toMatchObject({ code });
    expect(said()).toContain(`"code":"${code}"`);
  });

  it('closes on a message over its limit', async () => {
    const { raw, server } = pair({ maxLineBytes: 100 });
    raw[0].write('x'.repeat(101));
    expect(await server.closed).toMatchObject({ code: 'tooLarge' });
  });

  it('answers an unknown method with an error and goes on', async () => {
    const { client } = pair({});
    await expect(client.request('nothing', {})).rejects.toMatchObject({ code: 'unknownMethod' });
    await expect(client.request('nothing', {})).rejects.toMatchObject({ code: 'unknownMethod' });
  });
});
