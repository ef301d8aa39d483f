/** What the commands make of what is wanted of a group: from what is there to what is to be, or why not. Pure. */
import { suggestNear } from '../../src/ids/near.ts';
import { quoteText } from '../../src/ids/quote-text.ts';
import type { SeenWanted, WantedChange } from '../../src/coordination/groups/edit.ts';
import { isGroupName } from '../../src/policy/supervision/identity.ts';
import { writeGroupSpec, type WrittenSpec } from '../../src/policy/supervision/parse-spec.ts';
import type { GroupSpec } from '../../src/policy/supervision/spec.ts';
import type { Wanted } from '../../src/policy/supervision/wanted.ts';
import { NshError } from '../../src/protocol/errors.ts';
import { specWith, type GivenSpec } from './spec-options.ts';

/** `note`: it is so already, and nothing is changed. */
export type Decision =
  | { readonly change: WantedChange; readonly note?: never }
  | { readonly note: string; readonly change?: never };

/** What is known of the group beside what is wanted of it. */
export interface Around {
  /** Names of all groups, to point to one that was meant. */
  readonly names: readonly string[];
  /** Why it has failed in this round. */
  readonly failed?: string;
}

/** A new one. @throws NshError `usage`; `taken` where there is one of that name. */
export function decideNew({ name, wanted }: SeenWanted, spec: GroupSpec): Decision {
  if (wanted !== undefined) {
    if (wanted.rest === 'removed') throw beingRemoved(name);
    const { replicas, argv } = wanted.spec;
    throw new NshError(
      'taken',
      `there is a group ${quoteText(name)} already, with ${count(replicas)} of ${quoteText(argv.join(' '))}: ` +
        `'nsh group update ${name}' changes it, 'nsh scale ${name}=N' its number, 'nsh group rm ${name}' removes it`,
      { data: { group: name, replicas } },
    );
  }
  const text = `${count(spec.replicas)} of ${argvOf(spec)}`;
  return { change: { to: { spec, round: 1, restarts: 0 }, event: { kind: 'start', text } } };
}

/** One that was stopped, or has stopped by itself. */
export function decideAgain(seen: SeenWanted, around: Around): Decision {
  const wanted = existing(seen, around, `: give its command to make one, 'nsh group start ${seen.name} -- COMMAND'`);
  if (wanted.rest === undefined && around.failed === undefined) return { note: `${seen.name} is started already` };
  const { rest: _rest, op: _op, ...kept } = wanted;
  return { change: { to: { ...kept, round: wanted.round + 1 }, event: { kind: 'start', text: 'again' } } };
}

export function decideStop(seen: SeenWanted, around: Around): Decision {
  const wanted = existing(seen, around);
  if (wanted.rest === 'stopped') return { note: `${seen.name} is stopped already` };
  return { change: { to: { ...plain(wanted), rest: 'stopped' }, event: { kind: 'stop' } } };
}

export function decideRemove(seen: SeenWanted, around: Around): Decision {
  if (seen.wanted?.rest === 'removed') return { note: `${seen.name} is being removed already` };
  const wanted = existing(seen, around);
  return { change: { to: { ...plain(wanted), rest: 'removed' }, event: { kind: 'rm' } } };
}

/** One after the other. */
export function decideRestart(seen: SeenWanted, around: Around): Decision {
  const wanted = running(seen, around);
  return {
    change: { to: { ...plain(wanted), restarts: wanted.restarts + 1 }, event: { kind: 'restart', text: 'rolling' } },
  };
}

export function decideUpdate(
  seen: SeenWanted,
  around: Around,
  given: GivenSpec,
  command: readonly string[] | undefined,
): Decision {
  const wanted = existing(seen, around);
  const spec = specWith(wanted.spec, seen.name, given, command);
  const [before, after] = [writeGroupSpec(wanted.spec), writeGroupSpec(spec)];
  const keys = (Object.keys({ ...before, ...after }) as (keyof WrittenSpec)[]).filter(
    (key) => JSON.stringify(before[key]) !== JSON.stringify(after[key]),
  );
  if (keys.length === 0) return { note: `${seen.name} is so already` };
  return { change: { to: { ...plain(wanted), spec }, event: { kind: 'update', text: keys.join(', ') } } };
}

export function decideScale(seen: SeenWanted, around: Around, replicas: string): Decision {
  const wanted = existing(seen, around);
  let spec: GroupSpec;
  try {
    spec = specWith(wanted.spec, seen.name, { replicas });
  } catch (error) {
    if (!(error instanceof NshError)) throw error;
    throw new NshError(error.code, `${seen.name}: ${error.message}`, { cause: error });
  }
  if (spec.replicas === wanted.spec.replicas) return { note: `${seen.name} has ${count(spec.replicas)} already` };
  const text = `${wanted.spec.replicas} -> ${spec.replicas}`;
  return { change: { to: { ...plain(wanted), spec }, event: { kind: 'scale', text } } };
}

/** @throws NshError `usage` for a name that cannot be one; `noSuchGroup` */
function existing({ name, wanted }: SeenWanted, { names }: Around, hint?: string): Wanted {
  if (wanted === undefined) throw noSuchGroup(name, names, hint);
  if (wanted.rest === 'removed') throw beingRemoved(name);
  return wanted;
}

function running(seen: SeenWanted, around: Around): Wanted {
  const wanted = existing(seen, around);
  const { name } = seen;
  if (wanted.rest === 'stopped')
    throw new NshError('usage', `${name} is stopped: 'nsh group start ${name}' starts it again`);
  if (around.failed !== undefined)
    throw new NshError('usage', `${name} has failed: ${around.failed}; 'nsh group start ${name}' starts it again`);
  return wanted;
}

export function noSuchGroup(name: string, names: readonly string[], hint?: string): NshError {
  if (!isGroupName(name))
    return new NshError(
      'usage',
      `a group's name is a letter, then letters, digits, - _ . (64 at most), not ${quoteText(name)}`,
    );
  const near = suggestNear(name, names);
  const what = hint ?? (near === '' ? "; 'nsh group ls' lists those that there are" : near);
  return new NshError('unknownGroup', `there is no group ${quoteText(name)}${what}`, { data: { group: name } });
}

function beingRemoved(name: string): NshError {
  return new NshError(
    'taken',
    `${name} is being removed: 'nsh group rm --wait ${name}' waits until it is gone, 'nsh group show ${name}' tells what still runs`,
    { data: { group: name } },
  );
}

function plain({ op: _op, ...wanted }: Wanted): Omit<Wanted, 'op'> {
  return wanted;
}

function argvOf({ argv }: GroupSpec): string {
  return argv.join(' ');
}

function count(replicas: number): string {
  return `${replicas} ${replicas === 1 ? 'replica' : 'replicas'}`;
}
