/** `on NODE`: moves the session to another node; `on` alone tells where it is. */
import { NshError } from '../../src/protocol/errors.ts';
import type { SessionBuiltins } from './builtins.ts';
import type { Session } from './session.ts';

export const moveName = 'on';

/** What the session's own machine is called. */
const ownName = 'localhost';

export function withMoving(session: Session, base: SessionBuiltins): SessionBuiltins {
  const { nodes } = session.options;
  if (nodes === undefined) return base;
  return {
    names: new Set([...base.names, moveName]),
    run: async (name, args, streams, around) => {
      if (name !== moveName) return await base.run(name, args, streams, around);
      const [where, ...more] = args;
      if (where === undefined) {
        streams.stdout.write(`${session.current.node === '' ? ownName : session.current.node}\n`);
        return 0;
      }
      if (more.length > 0)
        throw new NshError('usage', `on: one node, not ${args.length}; '@${where} COMMAND' runs a command there`);
      if (where === ownName) {
        session.current = session.options.runner;
        return 0;
      }
      const found = await nodes.resolve(where.replace(/^@/, ''));
      const [runner] = found;
      if (runner === undefined || found.length > 1) {
        throw new NshError('usage', `on: ${where} names ${found.length} nodes; a session is on one`);
      }
      session.current = runner;
      return 0;
    },
  };
}
