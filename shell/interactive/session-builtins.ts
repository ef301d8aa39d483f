/** The builtins that only a session has, beside the commands of nsh: `history`; `on` is session/move.ts's. */
import { toNshError } from '../../src/protocol/errors.ts';
import { builtinSummaries } from '../commands/index.ts';
import { escapeLines, escapeText } from '../escape.ts';
import { showLine } from '../history/index.ts';
import type { SessionBuiltins, BuiltinStreams } from '../session/builtins.ts';

export interface SessionBuiltinsOptions {
  /** The commands of nsh, for one call. */
  readonly base: (signal: AbortSignal) => SessionBuiltins;
  readonly history: () => Iterable<string>;
}

export function sessionBuiltins({ base, history }: SessionBuiltinsOptions): SessionBuiltins {
  const own: Readonly<Record<string, (args: readonly string[], streams: BuiltinStreams) => Promise<number>>> = {
    history: (args, streams) => showHistory(args, streams, history),
  };
  const names = new Set([...builtinSummaries.map(([name]) => name), ...Object.keys(own), 'fg']);
  return {
    names,
    run: async (name, args, streams, around) => {
      // What is no job of this session may be one that another has left.
      if (name === 'fg') return await base(around.signal).run('attach', args, streams, around);
      const mine = own[name];
      if (name === 'help') return await help(args, streams, () => base(around.signal).run(name, args, streams, around));
      if (mine === undefined) return await base(around.signal).run(name, args, streams, around);
      try {
        return await mine(args, streams);
      } catch (error) {
        const known = toNshError(error, 'usage');
        streams.stderr.write(`nsh ${name}: ${escapeLines(known.message)}\n`);
        return known.exitStatus;
      }
    },
  };
}

/** What `help` says, and how to get on at the prompt. */
async function help(
  args: readonly string[],
  { stdout }: BuiltinStreams,
  commands: () => Promise<number>,
): Promise<number> {
  const status = await commands();
  if (args.length === 0 && status === 0) stdout.write(keys);
  return status;
}

const keys = `
Directory, variables, functions and aliases go along to every node.
Keys: Tab completes, Ctrl-R searches the history, → takes what stands in grey,
Ctrl-Z stops what runs, Ctrl-\\ and then d leaves it running ('attach PID' comes
back), Ctrl-C ends it, Ctrl-D or 'exit' leaves.
`;

async function showHistory(
  [count]: readonly string[],
  { stdout, stderr }: BuiltinStreams,
  history: () => Iterable<string>,
): Promise<number> {
  if (count !== undefined && !/^\d+$/.test(count)) {
    stderr.write(`nsh history: ${escapeText(count)}: a number of lines is to be given\n`);
    return 2;
  }
  const lines = [...history()];
  const from = count === undefined ? 0 : Math.max(0, lines.length - Number(count));
  const width = String(lines.length).length;
  const shown = lines.slice(from).map((line, i) => `${String(from + i + 1).padStart(width + 1)}  ${showLine(line)}\n`);
  stdout.write(shown.join(''));
  return await Promise.resolve(0);
}
