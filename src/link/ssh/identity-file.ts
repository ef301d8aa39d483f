/** One IdentityFile: its public half, read without a passphrase where the format allows it, and signing with the private one. */
import { readFile, stat } from 'node:fs/promises';
import ssh2 from 'ssh2';
import type { ParsedKey } from 'ssh2';
import { NshError } from '../../protocol/errors.ts';
import { unlockOnce } from './key-ring.ts';
import type { Asker } from './prompt.ts';

export interface IdentityFile {
  readonly path: string;
  readonly publicKey: ParsedKey;
  /** Asks for the passphrase where there is one. undefined: only the public half is here; an ssh-agent must hold the other. */
  readonly privateKey: (() => Promise<ParsedKey>) | undefined;
}

export interface PassphraseSource {
  readonly asker: Asker;
  readonly tries: number;
  readonly isOver: () => boolean;
}

/** @returns the key, or why it cannot be used, for people; undefined where there is no such file. */
export async function readIdentityFile(
  path: string,
  source: PassphraseSource,
): Promise<IdentityFile | string | undefined> {
  const [privateText, publicText] = await Promise.all([readOptional(path), readOptional(`${path}.pub`)]);
  if (privateText === undefined) return publicText === undefined ? undefined : publicOnly(path, publicText);
  const open = await openPermissions(path);
  if (open !== undefined) return open;
  const parsed = firstKey(ssh2.utils.parseKey(privateText));
  if (!(parsed instanceof Error)) {
    return { path, publicKey: parsed, privateKey: parsed.isPrivateKey() ? () => Promise.resolve(parsed) : undefined };
  }
  if (/unsupported|sk-/i.test(parsed.message) && !isEncrypted(privateText)) return `${path}: ${parsed.message}`;
  const privateKey = (): Promise<ParsedKey> =>
    unlockOnce(path, {
      canAsk: source.asker.canAsk,
      isOver: source.isOver,
      unlock: () => unlock(path, privateText, source),
    });
  const publicKey = publicHalf(publicText, privateText);
  if (publicKey !== undefined) return { path, publicKey, privateKey };
  // The old PEM format hides the public half too: here the passphrase is needed before the host can say whether it wants the key.
  const unlocked = await privateKey();
  return { path, publicKey: unlocked, privateKey: () => Promise.resolve(unlocked) };
}

/** OpenSSH's words and rules: as many tries as NumberOfPasswordPrompts; an empty answer passes the key over. */
async function unlock(path: string, text: string, source: PassphraseSource): Promise<ParsedKey> {
  if (!source.asker.canAsk) {
    throw new KeyUnusable(
      `${path} needs a passphrase, and there is no terminal to ask on: add it to an ssh-agent with ssh-add`,
    );
  }
  for (let attempt = 0; attempt < source.tries; attempt += 1) {
    const passphrase = await source.asker.ask('passphrase', `Enter passphrase for key '${path}': `, false);
    if (passphrase === '') break;
    const key = firstKey(ssh2.utils.parseKey(text, passphrase));
    if (!(key instanceof Error)) return key;
  }
  throw new KeyUnusable(`${path}: the passphrase was not given`);
}

/** This key is passed over, the login goes on; anything else that is thrown ends it. */
export class KeyUnusable extends NshError {
  constructor(message: string) {
    super('authFailed', message);
  }
}

function publicOnly(path: string, text: string): IdentityFile | string {
  const key = firstKey(ssh2.utils.parseKey(text));
  return key instanceof Error ? `${path}.pub: ${key.message}` : { path, publicKey: key, privateKey: undefined };
}

function publicHalf(publicText: string | undefined, privateText: string): ParsedKey | undefined {
  const fromPub = publicText === undefined ? undefined : firstKey(ssh2.utils.parseKey(publicText));
  if (fromPub !== undefined && !(fromPub instanceof Error)) return fromPub;
  const blob = opensshPublicBlob(privateText);
  const parsed = blob === undefined ? undefined : firstKey(ssh2.utils.parseKey(blob));
  return parsed instanceof Error ? undefined : parsed;
}

/** PROTOCOL.key: magic, cipher, kdf, kdf options, number of keys, public key: all before the encrypted part. */
function opensshPublicBlob(text: string): Buffer | undefined {
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]+?)-----END/.exec(text)?.[1];
  if (body === undefined) return undefined;
  const bytes = Buffer.from(body, 'base64');
  let at = 'openssh-key-v1\0'.length;
  const string = (): Buffer | undefined => {
    if (at + 4 > bytes.length) return undefined;
    const end = at + 4 + bytes.readUInt32BE(at);
    const value = end > bytes.length ? undefined : bytes.subarray(at + 4, end);
    at = end;
    return value;
  };
  for (let skipped = 0; skipped < 3; skipped += 1) string();
  at += 4;
  const blob = string();
  if (blob === undefined || blob.length < 4) return undefined;
  const type = blob.subarray(4, 4 + blob.readUInt32BE(0)).toString('latin1');
  return Buffer.from(`${type} ${blob.toString('base64')}`);
}

function isEncrypted(text: string): boolean {
  return text.includes('ENCRYPTED') || text.includes('BEGIN OPENSSH PRIVATE KEY');
}

async function openPermissions(path: string): Promise<string | undefined> {
  const { mode, uid } = await stat(path);
  if (uid !== process.getuid?.() || (mode & 0o077) === 0) return undefined;
  return `${path}: its permissions are too open (0${(mode & 0o777).toString(8)}): chmod 600 it`;
}

/** ssh2 answers a list for formats that may hold several keys. */
function firstKey(parsed: ParsedKey | ParsedKey[] | Error): ParsedKey | Error {
  if (!Array.isArray(parsed)) return parsed;
  return parsed[0] ?? new Error('no key in the file');
}

async function readOptional(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return undefined; // Default identities mostly do not exist, and an unreadable one is passed over as OpenSSH does.
  }
}
