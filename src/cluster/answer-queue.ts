/** Answers of a fan-out as they come in, for one reader. */
import type { AnswerParams } from '../protocol/control.ts';
import type { NshError } from '../protocol/errors.ts';

export class AnswerQueue implements AsyncIterable<AnswerParams> {
  #answers: AnswerParams[] = [];
  #ended: { readonly error: NshError | undefined } | undefined;
  #wake: (() => void) | undefined;

  push(answer: AnswerParams): void {
    this.#answers.push(answer);
    this.#wake?.();
  }

  /** No answer follows; with an error the reader gets it after the answers that were there. */
  end(error?: NshError): void {
    this.#ended ??= { error };
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<AnswerParams, void, void> {
    for (;;) {
      const batch = this.#answers;
      this.#answers = [];
      yield* batch;
      if (this.#answers.length > 0) continue;
      if (this.#ended !== undefined) {
        if (this.#ended.error !== undefined) throw this.#ended.error;
        return;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
