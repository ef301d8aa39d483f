/** Records what clients did and what they were told, by object, and has it checked. */
import { isUnavailable, isUnknown } from '../../src/store/errors.ts';
import { checkLinearizable, type Model, type Operation } from './checker.ts';

export interface Counts {
  ok: number;
  /** Certainly not done, and so no part of the history. */
  failed: number;
  unknown: number;
}

interface Recorded<I, O> {
  readonly client: number;
  readonly input: I;
  readonly invoked: number;
  output?: O;
  returned?: number;
}

/** Operations on objects of one kind; each object is checked by itself, for linearizability is local (Herlihy and Wing, 1990). */
export class History<S, I, O> {
  readonly counts: Counts = { ok: 0, failed: 0, unknown: 0 };
  readonly #kind: string;
  readonly #model: Model<S, I, O>;
  readonly #objects = new Map<string, Recorded<I, O>[]>();
  #clock = 0;

  constructor(kind: string, model: Model<S, I, O>) {
    this.#kind = kind;
    this.#model = model;
  }

  /** @returns what it answered; undefined: it failed, or nobody knows. @throws what is neither */
  async record(object: string, client: number, input: I, run: () => Promise<O>): Promise<O | undefined> {
    const operations = this.#objects.get(object) ?? [];
    this.#objects.set(object, operations);
    const operation: Recorded<I, O> = { client, input, invoked: this.#clock++ };
    operations.push(operation);
    try {
      const output = await run();
      operation.output = output;
      operation.returned = this.#clock++;
      this.counts.ok += 1;
      return output;
    } catch (error) {
      if (isUnknown(error)) this.counts.unknown += 1;
      else if (isUnavailable(error)) {
        this.counts.failed += 1;
        operations.splice(operations.indexOf(operation), 1);
      } else throw error;
      return undefined;
    }
  }

  get objects(): number {
    return this.#objects.size;
  }

  /** One text for each object whose history is not linearizable, with the operations around the place. */
  violations(): string[] {
    return [...this.#objects].flatMap(([object, operations]) => {
      const verdict = checkLinearizable(this.#model, operations);
      if (verdict.isLinearizable) return [];
      return [
        `${this.#kind} ${object}: ${operations.length} operations in no order:\n${tell(operations, verdict.impossible)}`,
      ];
    });
  }
}

const shownAround = 12;

function tell<I, O>(operations: readonly Operation<I, O>[], impossible: Operation<I, O>): string {
  const at = operations.indexOf(impossible);
  return operations
    .slice(Math.max(0, at - shownAround), at + shownAround)
    .map((operation) => {
      const { client, input, output, invoked, returned } = operation;
      const answer = returned === undefined ? 'no answer' : showValue(output);
      return `${operation === impossible ? '→' : ' '} ${invoked}–${returned ?? '∞'} client ${client}: ${showValue(input)} → ${answer}`;
    })
    .join('\n');
}

function showValue(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? String(part) : part));
}
