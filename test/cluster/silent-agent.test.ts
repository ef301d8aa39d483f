/** What a client makes of an agent of this machine that stands still while it is asked. The agent is played by this test. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import { connectCluster } from '../../src/cluster/connect.ts';
import { nodePaths } from '../../src/cluster/paths.ts';
import { nodeId } from '../../src/ids/gpid.ts';

interface Request {
  readonly id?: number;
  readonly method: string;
  readonly params: Record<string, unknown>;
}
/** What the agent says to a request; undefined: nothing. */
type Say = (request: Request) => readonly object[] | undefined;

class PlayedAgent {
  readonly directory = mkdtempSync(join(tmpdir(), 'nsh-silent-'));
  readonly env = { XDG_STATE_HOME: this.directory, HOME: this.directory };
  readonly requests: Request[] = [];
  readonly client: ClusterClient;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #say: Say;

  constructor(say: Say) {
    this.#say = say;
    const paths = nodePaths(this.env, 'lab', nodeId(0));
    mkdirSync(paths.state, { recursive: true, mode: 0o700 });
    writeFileSync(paths.agentLock, `${process.pid} 1 boot\n`);
    this.#server = createServer((socket) => this.#serve(socket)).listen(paths.agentSocket);
    const nodes = [1, 2, 3].map((id) => ({ id: nodeId(id), name: `n${id}`, labels: [] }));
    const file = { path: '/nowhere', mtimeMs: 0, size: 0 };
    this.client = connectCluster({ cluster: 'lab', file, agentCommand: 'nsh-agent', nodes }, { env: this.env });
  }

  close(): void {
    this.client.close();
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    rmSync(this.directory, { recursive: true, force: true });
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString();
      for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n')) {
        const request = JSON.parse(text.slice(0, end)) as Request;
        text = text.slice(end + 1);
        this.requests.push(request);
        const known = request.method === 'hello' ? [{ id: request.id, result: hello }] : this.#say(request);
        for (const message of known ?? []) socket.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
      }
    });
  }
}

const hello = { protocol: 1, version: '0.1.0', node: 0, name: 'localhost', boot: 'b-1', pid: process.pid };
const silent = `the agent of this machine (PID ${process.pid}) does not answer: it may hang; 'kill -KILL ${process.pid}' ends it, and what it runs stays`;

const played: PlayedAgent[] = [];
function play(say: Say): PlayedAgent {
  const agent = new PlayedAgent(say);
  played.push(agent);
  return agent;
}
afterAll(() => {
  for (const agent of played.splice(0)) agent.close();
});

it.concurrent('a request to one that says nothing ends with its PID and what to do, and is given up', {
  timeout: 30_000,
}, async () => {
  const agent = play(() => undefined);
  const [node] = agent.client.nodes;
  if (node === undefined) throw new Error('no node');
  const began = performance.now();
  await expect(agent.client.call(node, 'wait', { process: { pid: 1 } }, { deadlineMs: 0 })).rejects.toMatchObject({
    code: 'timeout',
    message: silent,
  });
  expect(performance.now() - began).toBeGreaterThan(8_000);
  expect(performance.now() - began).toBeLessThan(14_000);
  await expect
    .poll(() => agent.requests.map(({ method }) => method))
    .toEqual(['hello', 'fanout', 'ping', 'cancel', 'cancel']);
  // What comes right after it does not take as long again.
  const again = performance.now();
  await expect(agent.client.status()).rejects.toMatchObject({ message: silent });
  expect(performance.now() - again).toBeLessThan(1_000);
});

it.concurrent('a fan-out keeps the answers that came, and names every other node', { timeout: 30_000 }, async () => {
  const agent = play(({ method, params }) =>
    method === 'fanout'
      ? [{ method: 'answer', params: { call: params['call'], node: 2, error: { code: -32603, message: 'n2: no' } } }]
      : undefined,
  );
  const answers: string[] = [];
  for await (const { node, error } of agent.client.fanout(agent.client.nodes, 'info', {}))
    answers.push(`${node.name}: ${error?.message}`);
  expect(answers).toEqual(['n2: n2: no', `n1: ${silent}`, `n3: ${silent}`]);
});

it.concurrent('a dial to which nothing comes back ends the same way', { timeout: 40_000 }, async () => {
  const agent = play(() => undefined);
  const [node] = agent.client.nodes;
  if (node === undefined) throw new Error('no node');
  const { signal } = new AbortController();
  await expect(agent.client.dial(node, '/s', signal)).rejects.toMatchObject({ code: 'timeout', message: silent });
});

it.concurrent('a stream through one that stands still breaks, as through one that has died', {
  timeout: 40_000,
}, async () => {
  const agent = play(({ id, method }) => (method === 'dial' ? [{ id, result: {} }] : undefined));
  const [node] = agent.client.nodes;
  if (node === undefined) throw new Error('no node');
  const stream = await agent.client.dial(node, '/s', new AbortController().signal);
  stream.resume();
  const error = await new Promise((resolve) => void stream.once('error', resolve));
  expect(error).toMatchObject({ code: 'timeout', message: silent });
});

it.concurrent('a long wait goes on while pings are answered', { timeout: 30_000 }, async () => {
  let id: number | undefined;
  let pings = 0;
  const agent = play((request) => {
    if (request.method === 'fanout') id = request.id;
    if (request.method !== 'ping') return undefined;
    pings++;
    const call = agent.requests.find(({ method }) => method === 'fanout')?.params['call'];
    const answer = { method: 'answer', params: { call, node: 1, result: { code: 7, signal: null, atMs: 1 } } };
    return [{ id: request.id, result: {} }, ...(pings < 4 ? [] : [answer, { id, result: {} }])];
  });
  const [node] = agent.client.nodes;
  if (node === undefined) throw new Error('no node');
  const began = performance.now();
  expect(await agent.client.call(node, 'wait', { process: { pid: 1 } }, { deadlineMs: 0 })).toMatchObject({ code: 7 });
  expect(performance.now() - began).toBeGreaterThan(11_000);
});
