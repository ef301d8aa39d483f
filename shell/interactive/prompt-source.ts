/** What the prompt and the status line show, gathered from where it is known. */
import { hostname, userInfo } from 'node:os';
import type { StyledRun } from '../editor/styled-run.ts';
import type { ClusterWatch } from './cluster-watch.ts';
import type { SessionPlace } from './line-runner.ts';
import { defaultTemplate, renderPrompt } from './prompt.ts';
import { statusLine } from './status-line.ts';

export interface PromptSourceOptions {
  /** NSH_PROMPT. */
  readonly template: () => string | undefined;
  readonly colour: () => boolean;
  readonly place: () => SessionPlace;
  readonly watch: ClusterWatch;
}

/** Lines after which nobody is new any more. */
const linesOfANewcomer = 5;

export class PromptSource {
  readonly #options: PromptSourceOptions;
  readonly #host = hostname();
  readonly #user = userName();
  readonly #isRoot = process.geteuid?.() === 0;
  /** So many have been run. */
  lines = 0;

  constructor(options: PromptSourceOptions) {
    this.#options = options;
  }

  prompt(columns: number): readonly StyledRun[] {
    const { template, colour, place, watch } = this.#options;
    const { seen } = watch;
    const facts = {
      ...place(),
      user: this.#user,
      isRoot: this.#isRoot,
      host: this.#host,
      cluster: watch.cluster,
      // What has not answered yet is not down.
      nodesUp: seen.all - seen.down.length,
      nodesAll: seen.all,
      line: this.lines + 1,
      now: new Date(),
    };
    return renderPrompt(template() ?? defaultTemplate, facts, { colour: colour(), columns });
  }

  status(columns: number): string {
    const { colour, place, watch } = this.#options;
    const { seen } = watch;
    if (watch.cluster === '') return '';
    const facts = {
      cluster: watch.cluster,
      nodesUp: seen.up,
      nodesAll: seen.all,
      down: seen.down,
      connecting: seen.unknown,
      jobs: place().jobs,
      isNew: this.lines < linesOfANewcomer,
    };
    return statusLine(facts, columns, colour());
  }
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.geteuid?.() ?? ''); // a uid without a name
  }
}
