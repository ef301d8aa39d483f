/** The wording of what the primitives refuse. */
import { NshError } from '../protocol/errors.ts';
import type { Place } from './keys.ts';
import { describeParty, type Party } from './party.ts';

/** `lock 'build'`. */
export function describePlace({ kind, name }: Pick<Place, 'kind' | 'name'>): string {
  return `${kind} '${name}'`;
}

/** A write in the name of a holder or leader that is one no more: nothing was written. */
export function staleToken(place: Place, token: bigint): NshError {
  return new NshError(
    'staleToken',
    `${describePlace(place)}: token ${token} is of a holder that has lost it; nothing was written`,
    { data: { kind: place.kind, name: place.name, token: String(token) } },
  );
}

/** @param used by those who are there now. */
export function sizeDiffers(place: Place, used: string, wanted: number, party: Party | undefined): NshError {
  const by = party === undefined ? '' : `, as for ${describeParty(party)}`;
  return new NshError(
    'sizeDiffers',
    `${describePlace(place)} is in use with -n ${used}${by}, not with -n ${wanted}: all who name it must say the same number`,
    { data: { kind: place.kind, name: place.name, used, wanted } },
  );
}

export function nameTaken(name: string, party: Party): NshError {
  return new NshError('taken', `the name '${name}' is taken by ${describeParty(party)}`, {
    data: { name, gpid: party.gpid, node: party.node },
  });
}
