/** One method of a JSON-RPC connection: what it takes and what it answers, each checked where it arrives. */
import * as v from 'valibot';

export interface Method<P extends v.GenericSchema, R extends v.GenericSchema> {
  readonly params: P;
  readonly result: R;
}

export function method<P extends v.GenericSchema, R extends v.GenericSchema>(params: P, result: R): Method<P, R> {
  return { params, result };
}

/** No parameters, or nothing to answer. */
export const none = v.object({});
