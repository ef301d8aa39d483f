/** The commands of nsh as builtins of a session: the same definitions, run in this process on the session's streams. */
import { NshError, toNshError } from '../../src/protocol/errors.ts';
import { loadCommand, builtinSummaries } from '../commands/index.ts';
import type { OwnedContext } from '../context.ts';
import { escapeLines } from '../escape.ts';
import { signalStatus } from '../signal-status.ts';
import { helpHint } from '../usage.ts';
import type { SessionBuiltins } from './builtins.ts';

export function commandBuiltins(context: OwnedContext): SessionBuiltins {
  return {
    names: new Set(builtinSummaries.map(([name]) => name)),
    run: async (name, args, streams, around) => {
      const command = await loadCommand(name);
      if (command === undefined) throw new NshError('usage', `${name}: no such command`);
      const isOwnStdout = streams.stdout === process.stdout;
      const terminal = isOwnStdout ? context.terminal : { columns: undefined, rows: undefined, colour: false };
      try {
        if (args[0] === '--help') return await printHelp(name, streams.stdout, terminal.columns);
        return await command.run(
          {
            ...context,
            ...streams,
            terminal,
            cwd: around.cwd === '' ? context.cwd : around.cwd,
            env: { ...context.env, ...around.env },
            signal: AbortSignal.any([context.signal, around.signal]),
          },
          args,
        );
      } catch (error) {
        const known = toNshError(error);
        if (known.data?.['help'] === true) return await printHelp(name, streams.stdout, terminal.columns);
        const broken = signalStatus(known);
        if (broken !== undefined) return broken;
        streams.stderr.write(`nsh ${name}: ${escapeLines(known.message)}\n`);
        if (known.code === 'usage') streams.stderr.write(`${helpHint(name)}\n`);
        return known.exitStatus;
      }
    },
  };
}

async function printHelp(name: string, stdout: NodeJS.WritableStream, columns: number | undefined): Promise<number> {
  const [{ renderHelp }, command] = await Promise.all([import('../help.ts'), loadCommand(name)]);
  if (command !== undefined) stdout.write(renderHelp(command, columns, ''));
  return 0;
}
