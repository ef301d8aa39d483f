/** The scenario files of test/fixtures/supervision, played with an injected clock. */
import { describe, expect, it } from 'vitest';
import { playScenario, readScenarios } from './scenario.ts';

describe.each(['strategies.yaml', 'restarts.yaml', 'orders.yaml'])('of %s', (file) => {
  it.each(readScenarios(file).map((scenario) => [scenario.title, scenario] as const))('%s', (_, scenario) => {
    expect(() => playScenario(scenario)).not.toThrow();
  });
});
