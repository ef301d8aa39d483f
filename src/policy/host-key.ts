/**
 * Whether a host key may be trusted: the rules of known_hosts (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT). Pure: the caller reads the files
 * and acts on the decision. Host certificates are not checked here; an entry that asks for them is named, so that it can be refused.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

export interface KnownHostsFile {
  readonly path: string;
  readonly text: string;
}

/** Where an entry stands, for messages. */
export interface EntryPlace {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly keyType: string;
}

export interface KnownHost extends EntryPlace {
  readonly marker: 'revoked' | 'certAuthority' | undefined;
  /** Base64 of the key. */
  readonly key: string;
}

export type HostKeyDecision =
  | { readonly kind: 'ok' }
  /** `otherTypes`: entries for this host with keys of other types only. */
  | { readonly kind: 'unknown'; readonly otherTypes: readonly EntryPlace[] }
  | { readonly kind: 'changed'; readonly entry: EntryPlace }
  | { readonly kind: 'revoked'; readonly entry: EntryPlace }
  /** The host is known by a certificate authority only. */
  | { readonly kind: 'certificateWanted'; readonly entry: EntryPlace };

export interface HostKey {
  /** `ssh-ed25519` and so on, as in the key itself. */
  readonly type: string;
  /** Base64. */
  readonly key: string;
}

/** @param entries all that match the host, in order of the files */
export function judgeHostKey(entries: readonly KnownHost[], offered: HostKey): HostKeyDecision {
  const same = entries.filter((entry) => entry.key === offered.key);
  const revoked = same.find((entry) => entry.marker === 'revoked');
  if (revoked !== undefined) return { kind: 'revoked', entry: revoked };
  const plain = entries.filter((entry) => entry.marker === undefined);
  if (plain.some((entry) => entry.key === offered.key)) return { kind: 'ok' };
  const sameType = plain.find((entry) => entry.keyType === offered.type);
  if (sameType !== undefined) return { kind: 'changed', entry: sameType };
  const authority = entries.find((entry) => entry.marker === 'certAuthority');
  if (authority !== undefined && plain.length === 0) return { kind: 'certificateWanted', entry: authority };
  return { kind: 'unknown', otherTypes: plain };
}

/**
 * The name under which known_hosts has a host: the alias, else `host`, or `[host]:port` off the default port. A second name is looked up
 * only to accept: OpenSSH takes a key that is known for the host without its port.
 */
export function knownHostNames(host: string, port: number, alias: string | undefined): readonly string[] {
  const name = (alias ?? host).toLowerCase();
  return alias !== undefined || port === 22 ? [name] : [`[${name}]:${port}`, name];
}

/** Entries of the files that match the name, revoked and authority entries among them. */
export function findKnownHosts(files: readonly KnownHostsFile[], name: string): KnownHost[] {
  return files.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, index) => {
      const entry = parseLine(line);
      if (entry === undefined || !matchesHost(entry.hosts, name)) return [];
      return [{ file: path, line: index + 1, marker: entry.marker, keyType: entry.keyType, key: entry.key }];
    }),
  );
}

/** Types of the plain keys known for a host. */
export function knownKeyTypes(entries: readonly KnownHost[]): string[] {
  return [...new Set(entries.filter((entry) => entry.marker === undefined).map((entry) => entry.keyType))];
}

interface Line {
  readonly marker: KnownHost['marker'];
  readonly hosts: string;
  readonly keyType: string;
  readonly key: string;
}

/** undefined for comments, empty lines and lines that are no entries: OpenSSH passes over them too. */
function parseLine(line: string): Line | undefined {
  const words = line.trim().split(/[ \t]+/);
  if (words[0] === undefined || words[0] === '' || words[0].startsWith('#')) return undefined;
  const marker = words[0].startsWith('@') ? words.shift() : undefined;
  const [hosts, keyType, key] = words;
  if (hosts === undefined || keyType === undefined || key === undefined) return undefined;
  if (marker === undefined) return { marker: undefined, hosts, keyType, key };
  if (marker === '@revoked') return { marker: 'revoked', hosts, keyType, key };
  if (marker === '@cert-authority') return { marker: 'certAuthority', hosts, keyType, key };
  return undefined;
}

function matchesHost(hosts: string, name: string): boolean {
  if (hosts.startsWith('|')) return matchesHashed(hosts, name);
  return matchesPatterns(hosts.toLowerCase().split(','), name);
}

/** A negated pattern that matches outweighs all others. */
function matchesPatterns(patterns: readonly string[], name: string): boolean {
  let found = false;
  for (const pattern of patterns) {
    const negated = pattern.startsWith('!');
    if (!matchesPattern(negated ? pattern.slice(1) : pattern, name)) continue;
    if (negated) return false;
    found = true;
  }
  return found;
}

/** `*` and `?` only; no regular expression, which a hostile pattern could make slow. */
function matchesPattern(pattern: string, name: string): boolean {
  let [at, here, star, resume] = [0, 0, -1, 0];
  while (here < name.length) {
    if (pattern[at] === '*') {
      star = at;
      resume = here;
      at += 1;
    } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === name[here])) {
      at += 1;
      here += 1;
    } else if (star >= 0) {
      at = star + 1;
      resume += 1;
      here = resume;
    } else return false;
  }
  while (pattern[at] === '*') at += 1;
  return at === pattern.length;
}

/** `|1|SALT|HASH`: HMAC-SHA1 of the name. */
function matchesHashed(field: string, name: string): boolean {
  const [, version, salt, hash] = field.split('|');
  if (version !== '1' || salt === undefined || hash === undefined) return false;
  const expected = Buffer.from(hash, 'base64');
  const actual = hostHash(name, Buffer.from(salt, 'base64'));
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

function hostHash(name: string, salt: Buffer): Buffer {
  return createHmac('sha1', salt).update(name).digest();
}

/** A line to append. With a salt (20 random bytes) the name is hashed, as HashKnownHosts asks. */
export function knownHostsLine(name: string, offered: HostKey, salt?: Buffer): string {
  const hosts = salt === undefined ? name : `|1|${salt.toString('base64')}|${hostHash(name, salt).toString('base64')}`;
  return `${hosts} ${offered.type} ${offered.key}\n`;
}

/** `SHA256:…` as ssh-keygen -l prints it. */
export function fingerprint(offered: HostKey): string {
  const hash = createHash('sha256').update(Buffer.from(offered.key, 'base64')).digest('base64');
  return `SHA256:${hash.replace(/=+$/, '')}`;
}
