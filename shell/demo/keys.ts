/**
 * Ed25519 keys in OpenSSH's formats (PROTOCOL.key of OpenSSH, RFC 8709). Ours, because the generator of ssh2 1.17 drops a leading
 * zero byte: one key in 256 cannot be read again.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';

export interface SshKeys {
  /** As in a file id_ed25519, without a passphrase. */
  readonly private: string;
  /** As in authorized_keys and known_hosts: `ssh-ed25519 AAAA…`. */
  readonly public: string;
}

const type = 'ssh-ed25519';

export function makeKeys(): SshKeys {
  const { d = '', x = '' } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  return encodeKeys(Buffer.from(d, 'base64url'), Buffer.from(x, 'base64url'), randomBytes(4));
}

/**
 * @param seed 32 bytes (RFC 8032 calls it the private key)
 * @param publicKey 32 bytes
 * @param check 4 bytes, written twice, by which a reader knows that it has decrypted rightly
 */
export function encodeKeys(seed: Buffer, publicKey: Buffer, check: Buffer): SshKeys {
  const publicBlob = Buffer.concat([string(type), string(publicKey)]);
  const secret = Buffer.concat([
    check,
    check,
    publicBlob,
    string(Buffer.concat([seed, publicKey])),
    string('nsh demo'),
  ]);
  const padding = Buffer.from(Array.from({ length: (8 - (secret.length % 8)) % 8 }, (_, index) => index + 1));
  const noCipher = [string('none'), string('none'), string('')];
  const body = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    ...noCipher,
    uint32(1),
    string(publicBlob),
    string(Buffer.concat([secret, padding])),
  ]);
  const lines = body.toString('base64').match(/.{1,70}/g) ?? [];
  const armour = (word: string) => `-----${word} OPENSSH PRIVATE KEY-----\n`;
  return {
    private: `${armour('BEGIN')}${lines.join('\n')}\n${armour('END')}`,
    public: `${type} ${publicBlob.toString('base64')}`,
  };
}

function uint32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
}

/** `string` of RFC 4251, section 5: length, then bytes. */
function string(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint32(bytes.length), bytes]);
}
