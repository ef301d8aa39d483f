/** What to do about what an etcd says: behind its own words, in every message about it. Pure. */
import { quoteText } from '../../ids/quote-text.ts';

/** Whom and what an etcd was asked for. */
export interface Asked {
  readonly login: { readonly name: string; readonly passwordFile: string } | undefined;
  /** Begins all keys; '': every key is asked for. */
  readonly prefix: string;
}

const hints: readonly (readonly [text: string, hint: (asked: Asked) => string])[] = [
  ['etcdserver: no leader', () => 'most of its members are down or cannot reach each other'],
  ['etcdserver: request timed out', () => 'are most of its members up, and can they reach each other?'],
  ['database space exceeded', () => 'compact and defragment it, then: etcdctl alarm disarm'],
  ['permission denied', deniedHint],
  [
    'authentication failed',
    ({ login }) => `it was asked as ${nameOf(login)} with what stands in ${login?.passwordFile}`,
  ],
  ['user name is empty', () => 'it asks for users: name a passwordFile in the cluster file, see nsh-cluster(5)'],
  ['invalid auth token', ({ login }) => `${nameOf(login)} was given a token, and it does not know that`],
];

export function withHint(
  asked: Asked,
  { endpoint, details }: { readonly endpoint: string; readonly details: string },
): string {
  const hint = hints.find(([text]) => details.includes(text))?.[1](asked);
  return `etcd at ${endpoint}: ${details}${hint === undefined ? '' : ` (${hint})`}`;
}

function deniedHint({ login, prefix }: Asked): string {
  const keys = prefix === '' ? 'every key' : `all keys that begin with ${prefix}`;
  const what = prefix === '' ? "''" : prefix;
  return (
    `a role of ${nameOf(login)} must let it read and write ${keys}: ` +
    `etcdctl role grant-permission --prefix ROLE readwrite ${what}`
  );
}

function nameOf(login: Asked['login']): string {
  return login === undefined ? 'the user that the client certificate names' : `user ${quoteText(login.name)}`;
}
