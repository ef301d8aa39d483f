/** Checks the key that a host shows against known_hosts, and asks or refuses as StrictHostKeyChecking says. Always, for every link. */
import { NshError } from '../../protocol/errors.ts';
import {
  findKnownHosts,
  fingerprint,
  judgeHostKey,
  knownHostNames,
  knownKeyTypes,
  type EntryPlace,
  type HostKey,
  type KnownHost,
} from '../../policy/host-key.ts';
import { appendKnownHost, readKnownHosts } from './known-hosts.ts';
import type { Asker } from './prompt.ts';
import { unsupported, type SshSettings } from './settings.ts';

const maxAnswers = 5;

export interface HostKeyCheck {
  /** Key types that known_hosts holds for the host; empty where it holds none. */
  readonly knownTypes: readonly string[];
  /** @param key the host's key as SSH sends it. @throws NshError `hostKeyChanged` or `hostKeyUnknown`. */
  verify(key: Buffer): Promise<void>;
  /** Why no common type of host key was found, where we offered only the known ones. */
  noCommonType(): NshError;
}

export async function prepareHostKeyCheck(node: string, settings: SshSettings, asker: Asker): Promise<HostKeyCheck> {
  const paths = [...settings.userKnownHostsFiles, ...settings.globalKnownHostsFiles];
  const files = await readKnownHosts(paths).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new NshError('hostKeyUnknown', `${node}: known_hosts cannot be read: ${reason}`, { cause: error });
  });
  const names = knownHostNames(settings.hostName, settings.port, settings.hostKeyAlias);
  const [name = settings.hostName, withoutPort] = names;
  const entries = findKnownHosts(files, name);
  // A key revoked for the host counts on whichever port it is shown.
  const others = withoutPort === undefined ? [] : findKnownHosts(files, withoutPort);
  const check = { node, settings, asker, name, entries, others };
  return {
    knownTypes: knownKeyTypes(entries.length > 0 ? entries : others),
    verify: (key) => verify(check, toHostKey(key)),
    noCommonType: () => changedType(node, settings, entries),
  };
}

interface Check {
  readonly node: string;
  readonly settings: SshSettings;
  readonly asker: Asker;
  readonly name: string;
  readonly entries: readonly KnownHost[];
  readonly others: readonly KnownHost[];
}

async function verify(check: Check, offered: HostKey): Promise<void> {
  const { node } = check;
  const decision = judgeHostKey(check.entries, offered);
  switch (decision.kind) {
    case 'ok':
      return;
    case 'revoked':
      throw revoked(check, decision.entry, offered);
    case 'changed':
      throw changed(check, decision.entry, offered);
    case 'certificateWanted':
      throw unsupported(node, `${place(decision.entry)} wants a host certificate`);
    case 'unknown': {
      const elsewhere = judgeHostKey(check.others, offered);
      if (elsewhere.kind === 'ok') return;
      if (elsewhere.kind === 'revoked') throw revoked(check, elsewhere.entry, offered);
      await decideUnknown(check, offered, decision.otherTypes);
    }
  }
}

async function decideUnknown(check: Check, offered: HostKey, otherTypes: readonly EntryPlace[]): Promise<void> {
  const { node, settings, asker } = check;
  if (settings.strictHostKeyChecking === 'yes') {
    throw unknown(
      node,
      `no ${label(offered)} host key is known for ${check.name}, and StrictHostKeyChecking is on`,
      check,
      offered,
    );
  }
  if (settings.strictHostKeyChecking === 'ask') {
    if (!asker.canAsk) {
      throw unknown(
        node,
        `the host key of ${check.name} is not known, and there is no terminal to ask on`,
        check,
        offered,
      );
    }
    await ask(check, offered, otherTypes);
  }
  const [file] = settings.userKnownHostsFiles;
  if (file === undefined) return;
  try {
    await appendKnownHost(file, check.name, offered, settings.hashKnownHosts);
  } catch (error) {
    // With `no` the person has asked for no protection. Otherwise a key that is not kept could change unseen the next time.
    if (settings.strictHostKeyChecking === 'no') return;
    const reason = error instanceof Error ? error.message : String(error);
    throw new NshError('hostKeyUnknown', `${node}: its host key could not be added to ${file}: ${reason}`, {
      cause: error,
    });
  }
}

async function ask(check: Check, offered: HostKey, otherTypes: readonly EntryPlace[]): Promise<void> {
  const { settings, asker, node } = check;
  const print = fingerprint(offered);
  const others = otherTypes.map((entry) => `This host is known by a key of another type: ${place(entry)}\n`).join('');
  let text =
    `The authenticity of host '${settings.alias} (${address(settings)})' can't be established.\n` +
    `${label(offered)} key fingerprint is ${print}.\n${others}` +
    'Are you sure you want to continue connecting (yes/no/[fingerprint])? ';
  for (let answers = 0; answers < maxAnswers; answers += 1) {
    const answer = (await asker.ask('host-key', text, true)).trim();
    if (answer.toLowerCase() === 'yes' || answer === print) return;
    if (answer.toLowerCase() === 'no') break;
    text = "Please type 'yes', 'no' or the fingerprint: ";
  }
  throw new NshError('hostKeyUnknown', `${node}: its host key was not accepted`);
}

function unknown(node: string, why: string, check: Check, offered: HostKey): NshError {
  const advice = `Log in once with "${check.settings.loginCommand}", or add its key to ${check.settings.userKnownHostsFiles[0] ?? 'known_hosts'}`;
  return new NshError('hostKeyUnknown', `${node}: ${why} (${label(offered)} ${fingerprint(offered)}). ${advice}`, {
    data: { fingerprint: fingerprint(offered), host: check.name },
  });
}

/** OpenSSH's words, so that a person finds what they know of it. */
function changed(check: Check, entry: EntryPlace, offered: HostKey): NshError {
  const print = fingerprint(offered);
  return new NshError(
    'hostKeyChanged',
    `${check.node}: REMOTE HOST IDENTIFICATION HAS CHANGED. It is possible that someone is doing something nasty: someone could be ` +
      `eavesdropping on you right now (man-in-the-middle attack), or the host key has just been changed. The ${label(offered)} key that ` +
      `${check.name} sent is ${print}; the one known stands in ${place(entry)}. Ask the host's administrator; if the change is ` +
      `right, remove the old key with: ssh-keygen -f ${entry.file} -R '${check.name}'`,
    { data: { fingerprint: print, host: check.name, file: entry.file, line: entry.line } },
  );
}

function changedType(node: string, settings: SshSettings, entries: readonly KnownHost[]): NshError {
  const [entry] = entries;
  const known = entry === undefined ? '' : ` (${place(entry)})`;
  return new NshError(
    'hostKeyChanged',
    `${node}: ${address(settings)} shows no host key of a type that is known for it${known}. Its keys have changed, or it is another ` +
      `host. Ask the host's administrator before you remove the old entry`,
    { data: entry === undefined ? {} : { file: entry.file, line: entry.line } },
  );
}

function revoked(check: Check, entry: EntryPlace, offered: HostKey): NshError {
  return new NshError(
    'hostKeyChanged',
    `${check.node}: REVOKED HOST KEY DETECTED. The ${label(offered)} key that ${check.name} sent (${fingerprint(offered)}) is marked as ` +
      `revoked in ${place(entry)}: someone could be impersonating this host`,
    { data: { fingerprint: fingerprint(offered), host: check.name, file: entry.file, line: entry.line } },
  );
}

function place(entry: EntryPlace): string {
  return `${entry.file}:${entry.line}`;
}

function address(settings: SshSettings): string {
  return settings.port === 22 ? settings.hostName : `[${settings.hostName}]:${settings.port}`;
}

/** `ED25519` and so on, as ssh shows types to people. */
function label(key: HostKey): string {
  if (key.type.startsWith('ecdsa-')) return 'ECDSA';
  return key.type.replace(/^ssh-/, '').toUpperCase();
}

/** The blob begins with its type, as an SSH string. */
function toHostKey(blob: Buffer): HostKey {
  const length = blob.length >= 4 ? blob.readUInt32BE(0) : 0;
  return { type: blob.subarray(4, 4 + length).toString('latin1'), key: blob.toString('base64') };
}
