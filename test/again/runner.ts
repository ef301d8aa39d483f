/**
 * Shows that a test can be tried once more on a fixture that others share, whatever its first try has left. Each is run to its end, then
 * broken off at the assertion in its middle, as a failure does, and then to its end again: the first and the last must pass.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { chai, TestRunner, type RunnerTestCase } from 'vitest';

/** What the first two tries fail with in any case, so that there is a next one. */
class TriedAgain extends Error {}

/** Of the try that runs, of which there may be several side by side. */
interface Try {
  assertions: number;
  /** Which of them it is broken off at; 0: at none. */
  readonly breakAt: number;
}
const current = new AsyncLocalStorage<Try>();

interface Tried {
  assertions: number;
  failure: unknown;
}

export default class AgainRunner extends TestRunner {
  readonly #tried = new WeakMap<RunnerTestCase, Tried>();

  async runTask(test: RunnerTestCase): Promise<void> {
    const tried = this.#tried.get(test) ?? { assertions: 0, failure: undefined };
    this.#tried.set(test, tried);
    const before = test.result?.retryCount ?? 0;
    const now: Try = { assertions: 0, breakAt: before === 1 ? Math.ceil(tried.assertions / 2) : 0 };
    try {
      await current.run(now, async () => TestRunner.getTestFn(test)());
    } catch (error) {
      if (!(error instanceof TriedAgain)) tried.failure ??= before === 1 ? undefined : error;
      if (before === 2) throw error;
    }
    if (before === 2) {
      if (tried.failure !== undefined) throw tried.failure;
      return;
    }
    if (before === 0) tried.assertions = now.assertions;
    throw new TriedAgain(`try ${before + 1} of 3`);
  }
}

for (const name of Object.getOwnPropertyNames(chai.Assertion.prototype)) {
  if (!/^to[A-Z]/.test(name)) continue;
  chai.util.overwriteMethod(chai.Assertion.prototype, name, (inner: (...args: unknown[]) => unknown) => {
    return function (this: Chai.Assertion, ...args: unknown[]): unknown {
      // One that is polled is as many as it takes.
      const now = chai.util.flag(this, '_poll.fn') === undefined ? current.getStore() : undefined;
      if (now !== undefined && ++now.assertions === now.breakAt) throw new TriedAgain('broken off here');
      return inner.apply(this, args);
    };
  });
}
