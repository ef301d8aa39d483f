/** Joins the rows of ps with who holds and who waits, as the store has it. */
import { readClaims } from '../../src/coordination/claims.ts';
import { toNshError } from '../../src/protocol/errors.ts';
import type { CommandContext } from '../command.ts';
import { makeReporter } from '../run/report.ts';
import type { Row, RowClaim } from './row.ts';

const deadlineMs = 5_000;

/** @returns false where the store did not say, which has been told on stderr then; rows have no claims then. */
export async function attachClaims(context: CommandContext, rows: readonly Row[]): Promise<boolean> {
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(deadlineMs)]);
  try {
    const store = await (await context.cluster()).store(signal);
    const byGpid = new Map<number, RowClaim[]>();
    for (const { party, place, state, token } of await readClaims(store, { deadlineMs, signal })) {
      const claim: RowClaim = { what: `${place.kind}:${place.name}`, state, token };
      const known = byGpid.get(party.gpid);
      if (known === undefined) byGpid.set(party.gpid, [claim]);
      else known.push(claim);
    }
    for (const row of rows) row.claims = row.ended ? [] : (byGpid.get(row.gpid) ?? []);
    return true;
  } catch (error) {
    context.signal.throwIfAborted();
    makeReporter(context, 'ps').say(`locks and waits are not known: ${toNshError(error).message}`);
    return false;
  }
}
