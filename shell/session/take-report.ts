/** Takes a bash's report into the session; what is not sound is dropped, and told once. */
import type { ByteText } from '../language/byte-text.ts';
import { MalformedState } from './byte-cursor.ts';
import { exitTrap } from './driver.ts';
import { nodeText, without } from './naming.ts';
import { readReport, type Report } from './read-report.ts';
import type { BashRunner } from './runner.ts';
import type { Session } from './session.ts';
import { rebase } from './rebase.ts';
import { absorb, type ShellState } from './shell-state.ts';

export interface ReportOrigin {
  readonly runner: BashRunner;
  /** The bash was asked what it started with. */
  readonly wantsFresh: boolean;
  /** Functions of nsh's own, which the session must not keep. */
  readonly hidden: ReadonlySet<string>;
  /** The session as it was given to the bash; default as it is. */
  readonly given?: ShellState;
}

/** @returns undefined where there is none: the bash did not come to its end. */
export function takeReport(
  session: Session,
  text: ByteText,
  { runner, wantsFresh, hidden, given = session.state }: ReportOrigin,
): Report | undefined {
  const { node } = runner;
  try {
    const report = readReport(text, wantsFresh);
    if (report === undefined) return undefined;
    if (report.fresh !== undefined) session.fresh.set(node, report.fresh);
    const fresh = session.fresh.get(node);
    if (fresh === undefined) return undefined;
    for (const reason of report.refused)
      session.tellOnce(`${nodeText(node)}dropped from the session's state: ${reason}`);
    const { functions, traps, cpu } = report.after;
    if (node !== '') session.addFarCpu(cpu);
    const ownTraps = new Map([...traps].filter(([, action]) => action !== exitTrap));
    const after = { ...report.after, functions: without(functions, hidden), traps: ownTraps };
    const changed = absorb(given, after, { node, isCurrent: runner === session.current, fresh });
    session.state = rebase(given, changed, session.state);
    return report;
  } catch (error) {
    if (!(error instanceof MalformedState)) throw error;
    session.tellOnce(`${nodeText(node)}the session's state was not taken back: ${error.message}`);
    return undefined;
  }
}
