/** What the interactive shell needs of the session: run a line, and tell where things stand. */
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import type { CommandContext } from '../command.ts';
import type { SessionKnowledge } from '../completion/index.ts';
import type { Surroundings } from '../language/nsh-words.ts';

export interface SessionPlace {
  readonly node: string;
  readonly cwd: string;
  readonly home: string;
  readonly status: number;
  /** Running and stopped jobs. */
  readonly jobs: number;
  readonly stoppedJobs: number;
}

export interface LineOutcome {
  readonly status: number;
  /** The line asked the session to end: `exit`. */
  readonly exit: boolean;
}

export interface LineRunner {
  readonly place: SessionPlace;
  /** `set -o vi`. */
  readonly isVi: boolean;
  /** What of a line is nsh's. */
  readonly words: Surroundings;
  /** A variable that the shell itself heeds, like NSH_PROMPT. */
  variable(name: string): string | undefined;
  /** Takes over the jobs of shells that have gone. @returns how many there are. */
  adoptJobs(client: ClusterClient): Promise<number>;
  /** Before the first line. */
  readStartFile(context: CommandContext): Promise<void>;
  /** The session is on the machine where nsh runs. */
  readonly isHere: boolean;
  /** Enter on such a text begins another line. */
  isUnfinished(text: string): boolean;
  /** For completion. */
  knowledge(client: ClusterClient): SessionKnowledge;
  /** The terminal is the line's until this settles. What fails is told on stderr. */
  run(text: string, context: CommandContext): Promise<LineOutcome>;
  /** A line was interrupted before it could begin. */
  interrupted(): LineOutcome;
  /** A key of the terminal reached nsh, and nothing else, while a line runs: what has no terminal of its own is to hear of it. */
  interrupt(signal: 'INT' | 'QUIT'): void;
  /** The same for Ctrl-Z. */
  suspend(): void;
  close(): Promise<void>;
}
