/**
 * Who holds or waits, as it stands in the value of its entry, so that anybody can list it. It is told to people and never trusted: what
 * a claim may do hangs on its key, its session and its create revision alone.
 */
import * as v from 'valibot';
import { isClaimId, type ClaimId } from './keys.ts';

export interface Party {
  /** Its cluster PID; 0 where it has none that the cluster knows. */
  readonly gpid: number;
  readonly node: string;
  /** Its command line, cut. */
  readonly command: string;
  /** ms since the epoch by the clock of its node, for people alone. */
  readonly since: number;
  /** Claims that are given up only after this one: a command that runs under a lock and asks for another one. Deadlocks are found by it. */
  readonly within: readonly ClaimId[];
  /** What it tells of itself: an address, for one. */
  readonly says?: string;
}

/** UTF-16 units of a command line that are kept. */
const maxCommand = 200;
const maxNode = 256;
const maxWithin = 64;
/** Of what a party says, characters: 128 operations of that size fit into a transaction's 1.5 MiB. */
export const maxSays = 4096;

const schema = v.object({
  gpid: v.fallback(v.pipe(v.number(), v.safeInteger(), v.minValue(0)), 0),
  node: v.fallback(v.pipe(v.string(), v.maxLength(maxNode)), '?'),
  command: v.fallback(v.pipe(v.string(), v.maxLength(maxCommand + 1)), '?'),
  since: v.fallback(v.pipe(v.number(), v.minValue(0), v.maxValue(8.64e15)), 0),
  within: v.fallback(v.pipe(v.array(v.string()), v.maxLength(maxWithin)), []),
  says: v.optional(v.fallback(v.string(), '?')),
});

const nobody: Party = { gpid: 0, node: '?', command: '?', since: 0, within: [] };

export function encodeParty({ command, within, ...party }: Party): Uint8Array {
  // Half a character at the cut would come back as another one: it goes.
  const cut =
    command.length > maxCommand ? `${command.slice(0, maxCommand).replace(/[\ud800-\udbff]$/, '')}…` : command;
  return Buffer.from(JSON.stringify({ ...party, command: cut, within: within.slice(-maxWithin) }));
}

/** What cannot be read, since another program wrote it, is told as `?`. */
export function decodeParty(value: Uint8Array): Party {
  const parsed = v.safeParse(schema, parseJson(value));
  if (!parsed.success) return nobody;
  const { within, says, ...party } = parsed.output;
  return { ...party, within: within.filter((id) => isClaimId(id)), ...(says === undefined ? {} : { says }) };
}

function parseJson(value: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(value).toString('utf8'));
  } catch {
    // Not of our making: `nobody` says so.
    return undefined;
  }
}

/** `30004711 on web1 (make -j8)`. */
export function describeParty({ gpid, node, command }: Party): string {
  return `${gpid === 0 ? 'a process' : gpid} on ${node} (${command})`;
}
