/** The text that a bash gets for one of the session: with the session's `$!` and `$$`, which no bash can be told. */
import type { ByteText } from '../language/byte-text.ts';
import { replaceLastJob } from '../language/last-job.ts';
import { writeShellId } from '../language/shell-id.ts';
import type { BashRunner } from './runner.ts';
import type { Session } from './session.ts';

export function givenText(session: Session, text: ByteText, runner: BashRunner): ByteText {
  const { lastId } = session.jobs;
  const given = lastId === undefined ? text : replaceLastJob(text, lastId);
  return isOwn(session, runner) ? writeShellId(given, session.shellId) : given;
}

/** What traps of the session do, likewise. */
export function givenTraps(session: Session, runner: BashRunner): Session['state']['traps'] {
  const { traps } = session.state;
  if (!isOwn(session, runner)) return traps;
  return new Map(
    [...traps].map(([name, action]) => [name, action === undefined ? action : writeShellId(action, session.shellId)]),
  );
}

/** On other machines the number is another process's: there `$$` is the bash that runs. */
function isOwn({ options }: Session, runner: BashRunner): boolean {
  return runner.node === options.runner.node;
}
