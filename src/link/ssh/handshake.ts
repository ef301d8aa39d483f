/** One login with ssh2 over a byte stream that leads to an sshd: key exchange, host key check, authentication. */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import ssh2 from 'ssh2';
import type { Algorithms, Client, ConnectConfig } from 'ssh2';
import { NshError } from '../../protocol/errors.ts';
import { printable } from '../printable.ts';
import { abortError } from '../wait.ts';
import type { HostKeyCheck } from './host-key-check.ts';
import { makeAuth } from './auth.ts';
import { KeyAgent } from './key-agent.ts';
import type { Asker } from './prompt.ts';
import { unsupported, type SshSettings } from './settings.ts';

export interface HandshakeOptions {
  readonly label: string;
  readonly settings: SshSettings;
  readonly stream: Duplex;
  readonly hostKey: HostKeyCheck;
  readonly asker: Asker;
  readonly sshAuthSock: string | undefined;
  readonly signal: AbortSignal;
  /** The keys are exchanged: from here on it is the login that takes the time. */
  readonly onKeysExchanged: () => void;
}

/** @throws NshError `authFailed`, `hostKeyChanged`, `hostKeyUnknown`, `unreachable`, `unsupported`, `timeout`. */
export async function handshake(options: HandshakeOptions): Promise<Client> {
  const { label, settings, stream, hostKey, asker, signal } = options;
  const client = new ssh2.Client();
  let onAbort: () => void = () => undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      onAbort = () => reject(abortError(signal, `${label}: the login`));
      const keys = new KeyAgent({
        settings,
        sshAuthSock: options.sshAuthSock,
        passphrases: { asker, tries: settings.passwordPrompts, isOver: () => signal.aborted },
        onFatal: reject,
      });
      const auth = makeAuth({ label, settings, asker, keys, onFatal: reject });
      let exchanged = false;
      const onEnd = (): void => {
        const closed = new NshError('unreachable', `${label}: the host closed the connection during the login`);
        reject(exchanged ? closed : new Dropped());
      };
      // ssh2 goes on after an agent's failure by itself. What was decided first counts: later rejections change nothing.
      client.on('error', (error: Error & { level?: string; code?: unknown }) => {
        if (error.level === 'client-socket' || /lost before handshake/.test(error.message)) onEnd();
        else if (error.level !== 'agent') reject(explain(options, error, () => auth.failure()));
      });
      client.on('close', onEnd).on('end', onEnd);
      client.on('handshake', () => {
        exchanged = true;
        options.onKeysExchanged();
      });
      client.once('ready', resolve);
      signal.addEventListener('abort', onAbort, { once: true });
      if (signal.aborted) onAbort();
      client.connect({
        ...baseConfig(settings),
        sock: stream,
        username: settings.user,
        algorithms: algorithms(label, settings, hostKey.knownTypes),
        hostVerifier: (key: Buffer, done: (ok: boolean) => void) => {
          hostKey.verify(key).then(
            () => done(true),
            (error: unknown) => {
              reject(error);
              done(false);
            },
          );
        },
        authHandler: auth.handler,
      });
    });
  } catch (error) {
    client.removeAllListeners();
    client.on('error', () => undefined); // The reason is known already.
    client.end();
    stream.destroy();
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
  client.removeAllListeners();
  return client;
}

function baseConfig(settings: SshSettings): ConnectConfig & { strictVendor: boolean } {
  return {
    keepaliveInterval: settings.keepaliveIntervalMs,
    keepaliveCountMax: settings.keepaliveCountMax,
    // Deadlines are the caller's: a person who is asked may take their time.
    readyTimeout: 0,
    // A server that does not know OpenSSH's forwarding says so by itself.
    strictVendor: false,
  };
}

/** ssh2's own in its own order, which puts the fast ones first, of those that the configuration allows. */
function algorithms(label: string, settings: SshSettings, knownTypes: readonly string[]): Algorithms {
  const { kex, cipher, hmac, serverHostKey } = settings.algorithms;
  return {
    kex: common(label, 'KexAlgorithms', ours.kex, kex),
    cipher: common(label, 'Ciphers', ours.cipher, cipher),
    hmac: common(label, 'MACs', ours.hmac, hmac),
    serverHostKey: hostKeyAlgorithms(label, serverHostKey, knownTypes),
  } as Algorithms;
}

/** What ssh2 offers by default on Node 20 and newer; kept here since ssh2 does not tell. */
const ours = {
  kex: [
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    'ecdh-sha2-nistp256',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
    'diffie-hellman-group-exchange-sha256',
    'diffie-hellman-group14-sha256',
    'diffie-hellman-group15-sha512',
    'diffie-hellman-group16-sha512',
    'diffie-hellman-group17-sha512',
    'diffie-hellman-group18-sha512',
  ],
  cipher: [
    'aes128-gcm@openssh.com',
    'aes256-gcm@openssh.com',
    'aes128-ctr',
    'aes192-ctr',
    'aes256-ctr',
    'chacha20-poly1305@openssh.com',
  ],
  hmac: [
    'hmac-sha2-256-etm@openssh.com',
    'hmac-sha2-512-etm@openssh.com',
    'hmac-sha1-etm@openssh.com',
    'hmac-sha2-256',
    'hmac-sha2-512',
    'hmac-sha1',
  ],
  serverHostKey: [
    'ssh-ed25519',
    'ecdsa-sha2-nistp256',
    'ecdsa-sha2-nistp384',
    'ecdsa-sha2-nistp521',
    'rsa-sha2-512',
    'rsa-sha2-256',
    'ssh-rsa',
  ],
} as const;

function common(
  label: string,
  keyword: string,
  own: readonly string[],
  allowed: readonly string[] | undefined,
): string[] {
  if (allowed === undefined) return [...own];
  const both = own.filter((name) => allowed.includes(name));
  if (both.length === 0) throw unsupported(label, `${keyword} in ssh_config allows only ${allowed.join(', ')}`);
  return both;
}

/** Only the types that known_hosts holds: another type would be an unknown key, although the host is known. */
function hostKeyAlgorithms(
  label: string,
  allowed: readonly string[] | undefined,
  knownTypes: readonly string[],
): string[] {
  // SHA-1 signatures only where the configuration asks for them, as OpenSSH has it.
  const safe = ours.serverHostKey.filter((name) => name !== 'ssh-rsa' || allowed?.includes(name) === true);
  const offered = common(label, 'HostKeyAlgorithms', safe, allowed);
  const ofKnown = offered.filter((name) => knownTypes.includes(/rsa/.test(name) ? 'ssh-rsa' : name));
  return ofKnown.length === 0 ? offered : ofKnown;
}

/** The connection ended before the keys were exchanged: sshd has no room (MaxStartups), and may have said so in words. */
export class Dropped extends Error {}

function explain(
  { label, hostKey, settings }: HandshakeOptions,
  error: Error & { level?: string; code?: unknown },
  authFailure: () => NshError,
): NshError {
  const said = printable(error.message);
  if (error.level === 'client-authentication') return authFailure();
  if (/no matching host key format/i.test(said) && hostKey.knownTypes.length > 0) return hostKey.noCommonType();
  if (/no matching/i.test(said)) return unsupported(label, `no algorithm is common with the host (${said})`);
  // Numbers are SSH disconnect codes (RFC 4253, 11.1): the host itself ended the login, mostly after too many failures.
  if (typeof error.code === 'number') {
    const failure = authFailure();
    return new NshError('authFailed', `${label}: the host ended the login: "${said}". ${failure.message}`, {
      cause: error,
    });
  }
  const where = `${settings.hostName} port ${settings.port}`;
  return new NshError('unreachable', `${label}: the login at ${where} broke off: ${said}`, { cause: error });
}

/**
 * Waits until the host begins to speak; nothing is taken from the stream.
 * @returns false where it closed without a word, as sshd does with connections beyond MaxStartups.
 */
export async function hasGreeted(stream: Duplex | Socket, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      stream.off('readable', onReadable).off('close', onClose).off('error', onClose).off('end', onClose);
      signal.removeEventListener('abort', onAbort);
    };
    const onReadable = (): void => {
      if (stream.readableLength === 0) {
        // The end of the stream: it is told only after a read.
        stream.read();
        return;
      }
      settle();
      resolve(true);
    };
    const onClose = (): void => {
      settle();
      resolve(false);
    };
    const onAbort = (): void => {
      settle();
      reject(signal.reason);
    };
    stream.on('readable', onReadable).on('close', onClose).on('error', onClose).on('end', onClose);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}
