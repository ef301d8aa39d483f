/** The suite as `npm run test:again` runs it: each test three times on the same fixture, see runner.ts. For a few files at once; too long for all. */
import { mergeConfig } from 'vitest/config';
import suite from '../vitest.config.ts';

const { reporters: _, ...test } = suite.test ?? {};

export default mergeConfig({ test }, { test: { retry: 2, runner: './test/again/runner.ts', reporters: ['default'] } });
