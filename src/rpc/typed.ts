/** The one place where what came over a control connection is checked against its schema. */
import * as v from 'valibot';
import { methods, type CheckedParams, type MethodName, type Params, type Result } from '../protocol/control.ts';
import { NshError, type ErrorCode } from '../protocol/errors.ts';
import type { CallOptions, RpcPeer } from './peer.ts';

/** @throws NshError with `code`, naming the first place that does not fit. */
export function check<S extends v.GenericSchema>(
  schema: S,
  value: unknown,
  what: string,
  code: ErrorCode,
): v.InferOutput<S> {
  const parsed = v.safeParse(schema, value, { abortEarly: true });
  if (parsed.success) return parsed.output;
  const issue = parsed.issues[0];
  const place = v.getDotPath(issue) ?? '';
  throw new NshError(code, `${what}: ${place === '' ? '' : `${place}: `}${issue.message}`);
}

/** Calls a method and checks its result: the other end may be of another version, or hostile. */
export async function callMethod<M extends MethodName>(
  peer: RpcPeer,
  name: M,
  params: Params<M>,
  options: CallOptions = {},
): Promise<Result<M>> {
  const result = await peer.request(name, params, options);
  return checkResult(name, result, peer.name);
}

export function checkResult<M extends MethodName>(name: M, result: unknown, from: string): Result<M> {
  return check(
    methods[name].result as v.GenericSchema<unknown, Result<M>>,
    result,
    `${from}: ${name}`,
    'invalidMessage',
  );
}

/** Handlers for some methods, each with its checked parameters. */
export type Handlers<Names extends MethodName, Context> = {
  readonly [M in Names]: (params: CheckedParams<M>, context: Context) => Promise<unknown>;
};

/** @throws NshError `unknownMethod`, `invalidParams`, or what the handler throws. */
export function dispatch<Names extends MethodName, Context>(
  handlers: Handlers<Names, Context>,
  name: string,
  params: unknown,
  context: Context,
): Promise<unknown> {
  if (!Object.hasOwn(handlers, name))
    throw new NshError('unknownMethod', `this agent has no method ${JSON.stringify(name)}`);
  const known = name as Names;
  const checked = check(
    methods[known].params as unknown as v.GenericSchema<unknown, CheckedParams<Names>>,
    params,
    name,
    'invalidParams',
  );
  return handlers[known](checked, context);
}
