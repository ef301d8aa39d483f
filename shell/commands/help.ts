/** `help`: lists the commands, or tells more of one; of what is bash's own, bash tells. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import { findNear, askWhether } from '../../src/ids/near.ts';
import { quoteText } from '../../src/ids/quote-text.ts';
import { renderCommandList, type Summary } from '../command-list.ts';
import type { Command, CommandContext } from '../command.ts';
import { parseOptions } from '../getopt.ts';
import { renderHelp } from '../help.ts';
import { findSessionCommand, sessionSummaries } from './session-commands.ts';

/** Given by commands/index.ts, which cannot be imported by a command of its own. */
export interface KnownCommands {
  readonly summaries: readonly Summary[];
  readonly load: (name: string) => Promise<Command | undefined>;
}

export function makeHelpCommand(known: KnownCommands): Command {
  return {
    name: 'help',
    synopsis: ['[COMMAND…]'],
    summary: 'list the commands, or tell more of one',
    options: [],
    async run(context, args) {
      const { operands } = parseOptions([], args);
      const { columns } = context.terminal;
      if (operands.length === 0) {
        const all = [...known.summaries, ...sessionSummaries];
        context.stdout.write(`${renderCommandList(all, columns)}\n${closing}`);
        return 0;
      }
      // As bash's: it goes on, and tells by its status that a name was unknown.
      let status = 0;
      for (const name of operands) {
        const command = (await known.load(name)) ?? findSessionCommand(name);
        if (command !== undefined) context.stdout.write(renderHelp(command, columns, ''));
        else if (!(await askBash(context, name))) {
          context.stderr.write(`nsh help: ${unknown(name, known)}\n`);
          status = 1;
        }
      }
      return status;
    },
  };
}

const closing = `Where a command runs:
  @web1 COMMAND      there, as if here; @web[1-8], @all, @@LABEL: on many nodes,
                     @@GROUP: where a group of processes runs,
                     @any: on the least burdened
  COMMAND | @db1 …   stages of a pipeline may run on different nodes
  COMMAND &          in the background, as a job

'help COMMAND' and 'COMMAND --help' tell more of one, 'man nsh' tells all.
Everything else is bash: 'help cd' and 'help for' tell what bash tells.
on, jobs, fg, bg, disown and history are in a session only, all others also
commands of the program: 'nsh ps -a'. In a session too nsh stands before lock,
sem, elect, barrier, counter, kv, name and node: 'nsh node drain n2'.
`;

function unknown(name: string, { summaries }: KnownCommands): string {
  const near = findNear(
    name,
    [...summaries, ...sessionSummaries].map(([each]) => each),
  );
  const hint =
    askWhether(near) ||
    `; 'help' lists the commands, 'man ${/^[\w.-]+$/.test(name) ? name : 'PROGRAM'}' tells of programs`;
  return `there is no help for ${quoteText(name)}${hint}`;
}

/** False where bash knows nothing of it either. */
async function askBash({ stdout, signal }: CommandContext, name: string): Promise<boolean> {
  const script = 'help -- "$1"';
  const child = spawn('bash', ['--norc', '--noprofile', '-c', script, 'bash', name], {
    stdio: ['ignore', 'pipe', 'ignore'],
    signal,
  });
  const ended = once(child, 'close').then(([status]) => status === 0);
  await pipeline(child.stdout, stdout, { end: false });
  return await ended;
}
