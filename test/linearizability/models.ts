/** What a register, a counter and a lock do when one client at a time uses them. Without an output every outcome is allowed. */
import type { Model } from './checker.ts';

export type RegisterInput =
  | { readonly do: 'read' }
  | { readonly do: 'write'; readonly value: string }
  | { readonly do: 'cas'; readonly from: string; readonly to: string };
/** Of a read the value, of a compare-and-set whether it was set. */
export type RegisterOutput = string | boolean | undefined;

/** Empty at first, as ''. */
export const register: Model<string, RegisterInput, { readonly value: RegisterOutput }> = {
  initial: '',
  keyOf: (state) => state,
  step: (state, input, output) => {
    switch (input.do) {
      case 'read':
        return output === undefined || output.value === state ? state : undefined;
      case 'write':
        return input.value;
      default: {
        const isSet = state === input.from;
        if (output !== undefined && output.value !== isSet) return undefined;
        return isSet ? input.to : state;
      }
    }
  },
};

export type CounterInput = { readonly do: 'add'; readonly by: number } | { readonly do: 'get' };

/** Each answers the number behind it. */
export const counter: Model<number, CounterInput, { readonly value: number }> = {
  initial: 0,
  keyOf: String,
  step: (state, input, output) => {
    const next = input.do === 'add' ? state + input.by : state;
    return output === undefined || output.value === next ? next : undefined;
  },
};

/** `id` is that of one attempt, never used again. */
export type LockInput =
  | { readonly do: 'acquire'; readonly id: string }
  | { readonly do: 'release'; readonly id: string }
  | { readonly do: 'holder' };
/** `token` of an acquire that succeeded, else 0; `id` of the holder; `done` of a release that found its own. */
export type LockOutput = { readonly token: bigint } | { readonly done: boolean } | { readonly id: string };

export interface LockState {
  readonly holder: string;
  /** The highest fencing token that somebody is known to have got. */
  readonly token: bigint;
}

export const lock: Model<LockState, LockInput, LockOutput> = {
  initial: { holder: '', token: 0n },
  keyOf: ({ holder, token }) => `${holder} ${token}`,
  step: (state, input, output) => {
    switch (input.do) {
      case 'acquire': {
        const isFree = state.holder === '';
        if (output === undefined || !('token' in output)) return isFree ? { ...state, holder: input.id } : state;
        if (output.token === 0n) return isFree ? undefined : state;
        // Tokens strictly increase: that is what they are for.
        return isFree && output.token > state.token ? { holder: input.id, token: output.token } : undefined;
      }
      case 'release': {
        const isOwn = state.holder === input.id;
        if (output !== undefined && 'done' in output && output.done !== isOwn) return undefined;
        return isOwn ? { ...state, holder: '' } : state;
      }
      default:
        return output === undefined || ('id' in output && output.id === state.holder) ? state : undefined;
    }
  },
};
