/** Which of a bash's three are the person's terminal, and how the others get to it. Pure. */
import { Readable, Writable } from 'node:stream';
import type { Params } from '../../src/protocol/control.ts';
import { foregroundPipeKeepBytes } from '../../src/protocol/limits.ts';
import type { BashJob } from '../session/runner.ts';

export interface TerminalPlan {
  readonly pipes: Partial<Pick<Params<'run'>, 'stdin' | 'stdout' | 'keepBytes' | 'onDisconnect'>>;
  /** For the shell that starts the bash. */
  readonly redirections: string;
  /** What its stdin is fed from. Undefined: it reads the terminal, or nothing. */
  readonly source?: Readable;
  /** Where its stdout goes. Undefined: to the terminal. */
  readonly target?: Writable;
}

/** @returns undefined where it has no business on a terminal: nothing of it is the person's, or it is in the background. */
export function planTerminal(job: BashJob): TerminalPlan | undefined {
  const { stdin, stdout, stderr, pipeline } = job;
  // It has a terminal of its own, for whoever takes it from the background.
  if (job.outlives === true) return { pipes: {}, redirections: '' };
  if (job.isBackground === true) return undefined;
  if (stdin === 'inherit' && stdout === 'inherit' && stderr === 'inherit') return { pipes: {}, redirections: '' };
  if (pipeline === undefined) return undefined;
  const isMerged = stderr === stdout;
  const isKnown =
    (stdin === 'inherit' || stdin === 'null' || stdin instanceof Readable) &&
    (stdout === 'inherit' || stdout instanceof Writable) &&
    (stderr === 'inherit' || isMerged);
  if (!isKnown) return undefined;
  const source = stdin instanceof Readable ? stdin : undefined;
  const target = stdout instanceof Writable ? stdout : undefined;
  return {
    pipes: {
      // Nobody else could carry its bytes on.
      onDisconnect: 'hup',
      ...(source === undefined ? {} : { stdin: 'pipe' as const }),
      ...(target === undefined ? {} : { stdout: 'pipe' as const, keepBytes: foregroundPipeKeepBytes }),
    },
    redirections: [stdin === 'null' ? '</dev/null' : '', isMerged && target !== undefined ? '2>&1' : '']
      .filter((word) => word !== '')
      .join(' '),
    ...(source === undefined ? {} : { source }),
    ...(target === undefined ? {} : { target }),
  };
}
