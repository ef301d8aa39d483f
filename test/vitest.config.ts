import { defineConfig } from 'vitest/config';

/** One process per file, few at once: most files start sshd, agents and PTYs of their own. */
export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/global-setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    // One look at a screen among six thousand tests may come at a bad moment; what has needed a second try is named.
    retry: process.env['CI'] === 'true' ? 1 : 0,
    hookTimeout: 60_000,
    // A busy machine takes its time; who waits for nothing has waited in vain either way.
    expect: { poll: { timeout: 15_000 } },
    reporters: ['default', './test/second-tries.ts'],
  },
});
