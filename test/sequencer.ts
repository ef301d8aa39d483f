/** In which order files run: those that wait for long come first, so that none of them is what everybody waits for in the end. */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const waiting = ['test/e2e/', 'test/interactive/', 'test/session/', 'test/link/', 'test/agent/'];

export default class WaitingFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = waiting.findIndex((directory) => moduleId.includes(`/${directory}`));
      return at < 0 ? waiting.length : at;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}
