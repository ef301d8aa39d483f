/** `--help` of the builtins that only a session has; the others' is told where they run (command-builtins.ts). */
import { findSessionCommand } from '../commands/session-commands.ts';
import { renderHelp } from '../help.ts';
import type { SessionBuiltins } from './builtins.ts';

export function withHelp(base: SessionBuiltins): SessionBuiltins {
  return {
    names: base.names,
    run: async (name, args, streams, around) => {
      const described = args[0] === '--help' ? findSessionCommand(name) : undefined;
      if (described === undefined) return await base.run(name, args, streams, around);
      const { stdout } = streams;
      stdout.write(renderHelp(described, (stdout as { columns?: number }).columns, ''));
      return 0;
    },
  };
}
