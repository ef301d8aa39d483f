/**
 * Where the primitives keep what they have in the store. Every key of theirs is made and read here.
 *
 *     lock/NAME/SESSION.NONCE.x     a claim: exclusive (x) or shared (s). The order of the queue is that of the create revisions.
 *     semaphore/NAME/…x  semaphore/NAME/size        barrier/NAME/…x  barrier/NAME/size  barrier/NAME/gate
 *     election/NAME/…x   counter/NAME   kv/KEY   name/NAME
 *     abandoned/SESSION.NONCE       a claim whose answer did not come and that must never appear any more (claim.ts)
 *
 * A claim's key is no other key's prefix, so that one of them can be watched alone.
 */
import { quoteText } from '../ids/quote-text.ts';
import { NshError } from '../protocol/errors.ts';
import type { SessionId } from '../store/store.ts';

export const placeKinds = ['lock', 'semaphore', 'election', 'barrier'] as const;
export type PlaceKind = (typeof placeKinds)[number];
/** `x`: alone. `s`: beside others that are shared, too. */
export type ClaimMode = 'x' | 's';

declare const brand: unique symbol;
/** `SESSION.NONCE`: one claim of one process; unique for ever. */
export type ClaimId = string & { readonly [brand]: 'ClaimId' };

/** What is claimed: a lock, a semaphore, an election or a barrier, by its name. */
export interface Place {
  readonly kind: PlaceKind;
  readonly name: string;
  /** Of its keys; ends with `/`. */
  readonly prefix: string;
}

export interface ClaimKey {
  readonly key: string;
  readonly id: ClaimId;
  readonly session: SessionId;
  readonly mode: ClaimMode;
}

/** Bytes of UTF-8 of a name: its key must have room for a namespace too. */
const maxNameBytes = 200;
const claimKey = /^(([1-9a-f][0-9a-f]{0,15})\.[0-9a-f]{12})\.([xs])$/;

/** @throws NshError `usage` for a name that cannot be one. */
export function placeOf(kind: PlaceKind, name: string): Place {
  checkName(kind, name);
  return { kind, name, prefix: `${kind}/${encodePart(name)}/` };
}

/** What a key below `KIND/` is of; undefined for one that no version known here has made. */
export function readPlaceKey(key: string): { readonly place: Place; readonly rest: string } | undefined {
  const [kind, part, rest, ...more] = key.split('/');
  const known = placeKinds.find((candidate) => candidate === kind);
  if (known === undefined || part === undefined || rest === undefined || more.length > 0) return undefined;
  return { place: { kind: known, name: decodePart(part), prefix: `${known}/${part}/` }, rest };
}

export function makeClaimId(session: SessionId): ClaimId {
  const nonce = crypto.getRandomValues(new Uint8Array(6));
  return `${session}.${Buffer.from(nonce).toString('hex')}` as ClaimId;
}

export function isClaimId(text: string): text is ClaimId {
  return claimKey.test(`${text}.x`);
}

export function claimKeyOf(place: Place, id: ClaimId, mode: ClaimMode): string {
  return `${place.prefix}${id}.${mode}`;
}

/** Undefined for keys of the place that are no claims. */
export function readClaimKey(place: Place, key: string): ClaimKey | undefined {
  const found = key.startsWith(place.prefix) ? claimKey.exec(key.slice(place.prefix.length)) : null;
  if (found === null) return undefined;
  const [, id = '', session = '', mode = ''] = found;
  return { key, id: id as ClaimId, session: session as SessionId, mode: mode as ClaimMode };
}

/** The number that all who name a semaphore or barrier agree on. */
export const sizeKeyOf = (place: Place): string => `${place.prefix}size`;
/** Which members of a barrier have passed. */
export const gateKeyOf = (place: Place): string => `${place.prefix}gate`;
export const abandonedKeyOf = (id: ClaimId): string => `abandoned/${id}`;

export const counterPrefix = 'counter/';
export const valuePrefix = 'kv/';
export const namePrefix = 'name/';

/** @param what is named, for the message. @throws NshError `usage` */
export function checkName(what: string, name: string): void {
  if (name === '') throw new NshError('usage', `a ${what} needs a name`);
  if (/[\u0000-\u001f\u007f-\u009f]|\p{Surrogate}/u.test(name))
    throw new NshError(
      'usage',
      `${quoteText(name)} is no name for a ${what}: it has characters that cannot be printed`,
    );
  const bytes = Buffer.byteLength(name);
  if (bytes > maxNameBytes)
    throw new NshError('usage', `the name of a ${what} has ${bytes} bytes; ${maxNameBytes} is the most`);
}

function encodePart(name: string): string {
  return name.replaceAll('%', '%25').replaceAll('/', '%2F');
}

function decodePart(part: string): string {
  return part.replaceAll('%2F', '/').replaceAll('%25', '%');
}
