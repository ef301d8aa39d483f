/**
 * One request to many nodes, on behalf of a client of this machine. Each answer goes out as it comes; what other nodes
 * answered passes through unread (RawJson). A node that fails costs only its own answer.
 */
import type { NodeSpec } from '../../src/cluster/node-spec.ts';
import { fanoutMethods, type CheckedParams, type FanoutMethod } from '../../src/protocol/control.ts';
import { NshError, toNshError, toWireError } from '../../src/protocol/errors.ts';
import { encodeNotification } from '../../src/rpc/message.ts';
import type { RpcPeer } from '../../src/rpc/peer.ts';
import { RawJson } from '../../src/rpc/raw-json.ts';
import type { ClusterLinks } from './cluster-links.ts';
import type { Requester } from './link-context.ts';
import type { NodeConnection } from './node-connection.ts';

export interface FanoutContext {
  readonly links: ClusterLinks;
  readonly client: RpcPeer;
  readonly requester: (node: NodeSpec) => Requester;
  /** Answers for this machine's own node. */
  readonly own: (method: string, params: unknown, signal: AbortSignal) => Promise<unknown>;
}

/** Methods that change nothing: asked once more where the agent over there died under them. */
const repeatable: ReadonlySet<string> = new Set<FanoutMethod>(['info', 'ps', 'find', 'wait', 'screen', 'status']);

/** From the answer to `stop` to the end of the agent. */
const goneDeadlineMs = 5_000;

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}

export async function fanout(
  request: CheckedParams<'fanout'>,
  context: FanoutContext,
  signal: AbortSignal,
): Promise<Record<string, never>> {
  if (!(fanoutMethods as readonly string[]).includes(request.method)) {
    throw new NshError('unknownMethod', `${request.method} cannot be asked of many nodes`);
  }
  await Promise.all(
    request.nodes.map(async (id) => {
      const line = await answerOf(id, request, context, signal);
      if (!signal.aborted) context.client.writeLine(line);
    }),
  );
  return {};
}

async function answerOf(
  id: number,
  request: CheckedParams<'fanout'>,
  context: FanoutContext,
  signal: AbortSignal,
): Promise<string | Buffer> {
  const { links } = context;
  const own = id === links.self.id || id === 0;
  try {
    const result = own
      ? await askSelf(request, context, signal)
      : await askNode(() => links.connection(id), request, context, signal);
    return encodeAnswer(request.call, id, result);
  } catch (error) {
    // This agent is ending: its end is the answer, so that the client asks the next one.
    if (links.isClosed) return await new Promise<never>(() => undefined);
    const name = own ? links.self.name : (links.nodes.find((node) => node.id === id)?.name ?? String(id));
    return encodeNotification('answer', { call: request.call, node: id, error: toWireError(named(name, error)) });
  }
}

function askSelf(
  { method, params, deadlineMs }: CheckedParams<'fanout'>,
  context: FanoutContext,
  signal: AbortSignal,
): Promise<unknown> {
  if (deadlineMs === 0) return context.own(method, params, signal);
  const late = new NshError('timeout', `no answer within ${deadlineMs / 1000} s`);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(late), deadlineMs);
    context
      .own(method, params, signal)
      .finally(() => clearTimeout(timer))
      .then(resolve, reject);
  });
}

async function askNode(
  connectionNow: () => NodeConnection,
  { method, params, deadlineMs, nodes }: CheckedParams<'fanout'>,
  context: FanoutContext,
  signal: AbortSignal,
): Promise<unknown> {
  const isOneOfMany = nodes.length > 1;
  const mayStart = method !== 'status' && method !== 'stop';
  const options = { signal, raw: true, ...(deadlineMs === 0 ? {} : { deadlineMs }) };
  for (let attempt = 1; ; attempt++) {
    // Asked anew each time: the cluster file may have changed meanwhile.
    const connection = connectionNow();
    const requester = { ...context.requester(connection.node), mayStart, isOneOfMany, signal };
    const { peer } = await connection.need(requester).catch(async (error: unknown) => {
      if (!isKill(method, params) || toNshError(error).data?.['hasShim'] !== true) throw error;
      return await connection.need({ ...requester, mayStart: true });
    });
    try {
      const result = await peer.request(method, params, options);
      // Its answer comes before its end; whoever asked for that wants to see it gone.
      if (method === 'stop') await Promise.race([peer.closed, delay(goneDeadlineMs)]);
      return result;
    } catch (error) {
      const known = toNshError(error);
      if (known.code === 'timeout')
        throw new NshError('timeout', `no answer within ${deadlineMs / 1000} s`, { cause: known });
      const isWorthwhile = known.code === 'linkLost' && repeatable.has(method) && attempt < 3 && !signal.aborted;
      if (!isWorthwhile) throw known;
    }
  }
}

/** `stop` that is to end shims too: where one is left without an agent, only an agent can end it. */
function isKill(method: string, params: unknown): boolean {
  return method === 'stop' && (params as { kill?: unknown } | null)?.kill === true;
}

/** Every error that comes from a node begins with its name. */
function named(name: string, error: unknown): NshError {
  const known = toNshError(error);
  if (known.message.startsWith(`${name}:`)) return known;
  return new NshError(known.code, `${name}: ${known.message}`, {
    cause: known,
    ...(known.data === undefined ? {} : { data: known.data }),
  });
}

function encodeAnswer(call: number, node: number, result: unknown): string | Buffer {
  if (!(result instanceof RawJson)) return encodeNotification('answer', { call, node, result });
  // cluster/connect.ts reads this head where the rest is not JSON.
  const head = `{"jsonrpc":"2.0","method":"answer","params":{"call":${call},"node":${node},"result":`;
  return Buffer.concat([Buffer.from(head), result.text, Buffer.from('}}\n')]);
}
