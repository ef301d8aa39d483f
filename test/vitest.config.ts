import { defineConfig } from 'vitest/config';
import WaitingFirst from './sequencer.ts';

/** Tests that compute, and start nothing for long: many small files, which share the modules that they import. */
const computing = ['ids', 'protocol', 'rpc', 'policy', 'completion', 'editor', 'highlight', 'language'].map(
  (name) => `test/${name}/**/*.test.ts`,
);

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    globalSetup: ['test/global-setup.ts'],
    pool: 'forks',
    testTimeout: 60_000,
    // One look at a screen among six thousand tests may come at a bad moment; what has needed a second try is named.
    retry: process.env['CI'] === 'true' ? 1 : 0,
    hookTimeout: 60_000,
    // A busy machine takes its time; who waits for nothing has waited in vain either way.
    expect: { poll: { timeout: 15_000 } },
    sequence: { sequencer: WaitingFirst },
    reporters: ['default', './test/second-tries.ts'],
    projects: [
      {
        extends: true,
        test: { name: 'computing', include: computing, isolate: false, maxWorkers: 2, sequence: { groupOrder: 0 } },
      },
      {
        // A process for each file; the files start sshd, agents and PTYs of their own, and wait for them more than they compute.
        extends: true,
        test: {
          name: 'processes',
          include: ['test/**/*.test.ts'],
          exclude: computing,
          maxWorkers: 4,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
