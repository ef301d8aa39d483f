/** JSON-RPC 2.0 messages, one to a line: reading, writing, and the shape of each. */
import { NshError, toWireError, type WireError } from '../protocol/errors.ts';
import { RawJson } from './raw-json.ts';

export type MessageId = number | string;

export type Message =
  | { readonly kind: 'request'; readonly id: MessageId; readonly method: string; readonly params: unknown }
  | { readonly kind: 'notification'; readonly method: string; readonly params: unknown }
  | { readonly kind: 'result'; readonly id: MessageId; readonly result: unknown }
  | { readonly kind: 'error'; readonly id: MessageId | null; readonly error: WireError };

const head = '{"jsonrpc":"2.0",';

export function encodeRequest(id: MessageId, method: string, params: unknown): string {
  return `${head}"id":${JSON.stringify(id)},"method":${JSON.stringify(method)},"params":${JSON.stringify(params ?? {})}}\n`;
}

export function encodeNotification(method: string, params: unknown): string {
  return `${head}"method":${JSON.stringify(method)},"params":${JSON.stringify(params ?? {})}}\n`;
}

/** The result comes last, after the id: `resultPrefix` relies on it to pass results through unread. */
export function encodeResult(id: MessageId, result: unknown): string {
  return `${resultPrefix(id)}${JSON.stringify(result ?? {})}}\n`;
}

export function encodeError(id: MessageId | null, error: unknown): string {
  return `${head}"id":${JSON.stringify(id)},"error":${JSON.stringify(toWireError(error))}}\n`;
}

/** What every result line of ours begins with. */
export function resultPrefix(id: MessageId): string {
  return `${head}"id":${JSON.stringify(id)},"result":`;
}

/** The result of `line` as raw text, where it is a result for `id` in our own spelling. */
export function rawResult(line: Buffer, id: MessageId): RawJson | undefined {
  const prefix = resultPrefix(id);
  if (line.length <= prefix.length || line.toString('latin1', 0, prefix.length) !== prefix) return undefined;
  return RawJson.from(line.subarray(prefix.length, line.length - 1));
}

/** @throws NshError `parseError` or `invalidMessage` */
export function decodeMessage(line: Buffer): Message {
  let value: unknown;
  try {
    value = JSON.parse(line.toString('utf8'));
  } catch (error) {
    throw new NshError('parseError', 'a message is not JSON', { cause: error });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid('is not an object');
  const { jsonrpc, id, method, params, result, error } = value as Record<string, unknown>;
  if (jsonrpc !== '2.0') throw invalid('does not say "jsonrpc":"2.0"');
  if (typeof method === 'string') {
    if (id === undefined) return { kind: 'notification', method, params };
    return { kind: 'request', id: messageId(id), method, params };
  }
  if (error !== undefined) return { kind: 'error', id: id === null ? null : messageId(id), error: wireError(error) };
  if (result !== undefined) return { kind: 'result', id: messageId(id), result };
  throw invalid('is neither a request nor a response');
}

function messageId(value: unknown): MessageId {
  if (typeof value === 'number' || typeof value === 'string') return value;
  throw invalid('has an id that is neither a number nor a string');
}

function wireError(value: unknown): WireError {
  if (typeof value !== 'object' || value === null) throw invalid('has an error that is not an object');
  const { code, message, data } = value as Record<string, unknown>;
  if (typeof code !== 'number' || typeof message !== 'string') throw invalid('has an error without code and message');
  const isRecord = typeof data === 'object' && data !== null && !Array.isArray(data);
  return isRecord ? { code, message, data: data as Record<string, unknown> } : { code, message };
}

function invalid(why: string): NshError {
  return new NshError('invalidMessage', `a message ${why}`);
}
