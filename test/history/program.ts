/** Runs a program beside this file in a process of its own, and keeps what it says. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

export interface RunningProgram {
  readonly child: ChildProcessByStdio<null, Readable, null>;
  /** Whole lines so far. */
  lines(): string[];
  /** Resolves when it has said so many lines, or has ended. */
  untilLines(count: number): Promise<void>;
  readonly ended: Promise<number | null>;
}

const running = new Set<RunningProgram>();

/** Ends what a failed test has left. */
export async function endPrograms(): Promise<void> {
  for (const { child } of running) child.kill('SIGKILL');
  await Promise.all([...running].map(({ ended }) => ended));
}

export function startProgram(name: string, ...args: readonly string[]): RunningProgram {
  const file = join(import.meta.dirname, name);
  const child = spawn(process.execPath, ['--import', 'tsx', file, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  const lines = (): string[] =>
    text
      .slice(0, text.lastIndexOf('\n') + 1)
      .split('\n')
      .slice(0, -1);
  const untilLines = async (count: number): Promise<void> => {
    const isOver = ended.then(() => true);
    while (lines().length < count) {
      const hasMore = once(child.stdout, 'data').then(() => false);
      if (await Promise.race([hasMore, isOver])) return;
    }
  };
  const program = { child, lines, untilLines, ended };
  running.add(program);
  void ended.then(() => running.delete(program));
  return program;
}
