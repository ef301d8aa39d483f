/** `nsh locks`: who holds and who waits, in the whole cluster, and who waits for each other. */
import { readClaims, type ClaimState } from '../../src/coordination/claims.ts';
import { findDeadlocks } from '../../src/coordination/deadlock.ts';
import type { Command, OptionSpec } from '../command.ts';
import { Given, jsonOption } from '../coordination/options.ts';
import { describeDeadlocks } from '../coordination/tell-waiting.ts';
import { escapeJson } from '../escape.ts';
import { parseOptions } from '../getopt.ts';
import { makeReporter } from '../run/report.ts';
import { formatDuration } from '../run/values.ts';
import { renderTable, type TableColumn } from '../table.ts';

const noHeaders: OptionSpec = { long: 'no-headers', summary: 'print no heading' };
const options: readonly OptionSpec[] = [jsonOption, noHeaders];

export const locksCommand: Command = {
  name: 'locks',
  synopsis: ['[--json] [NAME…]'],
  summary: 'show who holds and who waits for locks and their kin',
  options,
  details: ['Processes that wait for each other for ever are named on stderr.'],
  run: async (context, args) => {
    const parsed = parseOptions(options, args);
    const given = new Given(parsed.options);
    const reporter = makeReporter(context, 'locks');
    const store = await (await context.cluster()).store(context.signal, (note) => reporter.say(note));
    const all = await readClaims(store, { signal: context.signal });
    const names = new Set(parsed.operands);
    const claims = all.filter(({ place }) => names.size === 0 || names.has(place.name));
    if (given.has(jsonOption)) {
      context.stdout.write(`${escapeJson(JSON.stringify(toJson(claims, all), undefined, 2))}\n`);
      return 0;
    }
    const now = Date.now();
    const width = context.terminal.columns;
    context.stdout.write(
      renderTable(claims, columns(now), { width, colour: context.terminal.colour, heading: !given.has(noHeaders) }),
    );
    for (const line of describeDeadlocks(all)) reporter.say(line);
    return 0;
  },
};

function columns(now: number): readonly TableColumn<ClaimState>[] {
  return [
    { header: 'KIND', text: ({ place }) => place.kind },
    { header: 'NAME', text: ({ place }) => place.name },
    { header: 'STATE', text: stateOf, style: ({ state }) => (state === 'holds' ? 'green' : undefined) },
    { header: 'PID', align: 'right', text: ({ party }) => (party.gpid === 0 ? '-' : String(party.gpid)) },
    { header: 'NODE', text: ({ party }) => party.node },
    { header: 'TOKEN', align: 'right', text: ({ token }) => String(token) },
    { header: 'FOR', align: 'right', text: ({ party }) => duration(now - party.since) },
    { header: 'COMMAND', text: ({ party }) => party.command },
  ];
}

/** Since it came, not since it holds. Clocks of nodes differ a little. */
function duration(ms: number): string {
  return formatDuration(Math.max(0, Math.floor(ms / 1000) * 1000));
}

function stateOf({ state, mode, place }: ClaimState): string {
  return mode === 's' && place.kind === 'lock' ? `${state}, shared` : state;
}

function toJson(claims: readonly ClaimState[], all: readonly ClaimState[]): unknown {
  return {
    claims: claims.map((claim) => ({
      kind: claim.place.kind,
      name: claim.place.name,
      state: claim.state,
      shared: claim.mode === 's',
      size: claim.size,
      pid: claim.party.gpid,
      node: claim.party.node,
      command: claim.party.command,
      ...(claim.party.says === undefined ? {} : { says: claim.party.says }),
      since: new Date(claim.party.since).toISOString(),
      token: String(claim.token),
      id: claim.id,
      waitsFor: claim.blockers.map(({ id }) => id),
    })),
    deadlocks: findDeadlocks(all).map((circle) => circle.map(({ id }) => id)),
  };
}
