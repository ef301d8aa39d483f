/**
 * Is a history of concurrent operations linearizable? The algorithm of Wing and Gong with Lowe's memoisation ("Testing for
 * linearizability", 2017), as Porcupine has it: try every order that real time allows, and never the same set of operations with the same
 * state twice. An operation without an answer may take effect at any time after it began, or never.
 */

export interface Operation<I, O> {
  readonly client: number;
  readonly input: I;
  /** Absent: nobody knows whether it took effect. */
  readonly output?: O;
  /** Order of events in the whole history: when it began, and when its answer came. */
  readonly invoked: number;
  readonly returned?: number;
}

/** What one object would do if there were one client at a time. */
export interface Model<S, I, O> {
  readonly initial: S;
  /** The state behind the operation; undefined: with this output it cannot be. Without an output any would do. */
  readonly step: (state: S, input: I, output: O | undefined) => S | undefined;
  /** Alike where states are. */
  readonly keyOf: (state: S) => string;
}

export type Verdict<I, O> =
  | { readonly isLinearizable: true; readonly steps: number }
  /** In no order does this operation's answer come about; `placed` others could be, at the most, before it had to be. */
  | {
      readonly isLinearizable: false;
      readonly steps: number;
      readonly impossible: Operation<I, O>;
      readonly placed: number;
    };

/** More is not a verdict but a history that is too wild: begin a new object sooner. */
const defaultMaxSteps = 3_000_000;

/**
 * @param operations all on one object, in the order in which they began
 * @throws Error where it takes more than `maxSteps` to tell
 */
export function checkLinearizable<S, I, O>(
  model: Model<S, I, O>,
  operations: readonly Operation<I, O>[],
  maxSteps = defaultMaxSteps,
): Verdict<I, O> {
  const head = linkEvents(operations);
  const seen = new Set<string>();
  const trail: { readonly event: CallEvent<I, O>; readonly state: S }[] = [];
  let state = model.initial;
  let placed = 0n;
  let deepest = -1;
  let impossible: Operation<I, O> | undefined;
  let event = head.next;
  for (let steps = 0; ; steps++) {
    if (steps > maxSteps) throw new Error(`not decided after ${maxSteps} steps over ${operations.length} operations`);
    // Only calls without an answer are left, and they need not have happened.
    if (event === undefined) return { isLinearizable: true, steps };
    if (event.kind === 'call') {
      const next = isPointless(event, placed) ? undefined : stepOf(model, state, event.operation);
      const isNew = next !== undefined && isAdded(seen, `${(placed | event.bit).toString(32)} ${model.keyOf(next)}`);
      if (!isNew) {
        event = event.next;
        continue;
      }
      trail.push({ event, state });
      state = next;
      placed |= event.bit;
      lift(event);
      event = head.next;
    } else {
      // This answer has come, and its operation has no place yet: something before it must have been otherwise.
      if (trail.length > deepest) {
        deepest = trail.length;
        impossible = event.operation;
      }
      const last = trail.pop();
      if (last === undefined) {
        return { isLinearizable: false, steps, impossible: impossible ?? event.operation, placed: deepest };
      }
      state = last.state;
      placed ^= last.event.bit;
      unlift(last.event);
      event = last.event.next;
    }
  }
}

/** Where an operation without an answer would change nothing it is as good as one that never happened. */
function stepOf<S, I, O>(model: Model<S, I, O>, state: S, { input, output, returned }: Operation<I, O>): S | undefined {
  const next = model.step(state, input, output);
  const isIdle = returned === undefined && next !== undefined && model.keyOf(next) === model.keyOf(state);
  return isIdle ? undefined : next;
}

/** Of operations alike, all without an answer, the one that began first can always stand for the others. */
function isPointless<I, O>({ twin }: CallEvent<I, O>, placed: bigint): boolean {
  return twin !== 0n && (placed & twin) === 0n;
}

interface Link<I, O> {
  prev: Link<I, O>;
  next: Event<I, O> | undefined;
}

interface CallEvent<I, O> extends Link<I, O> {
  readonly kind: 'call';
  readonly operation: Operation<I, O>;
  readonly bit: bigint;
  /** Bit of the one before it that is the same and has no answer either; 0: none. */
  twin: bigint;
  answer: AnswerEvent<I, O> | undefined;
}

interface AnswerEvent<I, O> extends Link<I, O> {
  readonly kind: 'answer';
  readonly operation: Operation<I, O>;
}

type Event<I, O> = CallEvent<I, O> | AnswerEvent<I, O>;

/** Calls and answers in the order in which they happened, as a list from which operations are taken out and put back. */
function linkEvents<I, O>(operations: readonly Operation<I, O>[]): Link<I, O> {
  const head = newLink<I, O>();
  const unanswered = new Map<string, bigint>();
  const events = operations.flatMap((operation, index): { readonly at: number; readonly event: Event<I, O> }[] => {
    const { invoked, returned, input } = operation;
    const bit = 1n << BigInt(index);
    const call: CallEvent<I, O> = { ...newLink<I, O>(), kind: 'call', operation, bit, twin: 0n, answer: undefined };
    if (returned === undefined) {
      const alike = JSON.stringify(input);
      call.twin = unanswered.get(alike) ?? 0n;
      unanswered.set(alike, bit);
      return [{ at: invoked, event: call }];
    }
    const answer: AnswerEvent<I, O> = { ...newLink<I, O>(), kind: 'answer', operation };
    call.answer = answer;
    return [
      { at: invoked, event: call },
      { at: returned, event: answer },
    ];
  });
  let last = head;
  for (const { event } of events.sort((a, b) => a.at - b.at)) {
    event.prev = last;
    last.next = event;
    last = event;
  }
  return head;
}

function newLink<I, O>(): Link<I, O> {
  const link: { prev: Link<I, O> | undefined; next: Event<I, O> | undefined } = { prev: undefined, next: undefined };
  link.prev = link as Link<I, O>;
  return link as Link<I, O>;
}

function lift<I, O>(call: CallEvent<I, O>): void {
  takeOut(call);
  if (call.answer !== undefined) takeOut(call.answer);
}

/** Undoes the last `lift` that was not undone yet: each link still knows its neighbours. */
function unlift<I, O>(call: CallEvent<I, O>): void {
  if (call.answer !== undefined) putBack(call.answer);
  putBack(call);
}

function takeOut<I, O>(event: Event<I, O>): void {
  event.prev.next = event.next;
  if (event.next !== undefined) event.next.prev = event.prev;
}

function putBack<I, O>(event: Event<I, O>): void {
  event.prev.next = event;
  if (event.next !== undefined) event.next.prev = event;
}

function isAdded(seen: Set<string>, key: string): boolean {
  const before = seen.size;
  return seen.add(key).size > before;
}
