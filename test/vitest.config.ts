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
    hookTimeout: 60_000,
    // A busy machine takes its time; who waits for nothing has waited in vain either way.
    expect: { poll: { timeout: 15_000 } },
    reporters: ['default'],
  },
});
