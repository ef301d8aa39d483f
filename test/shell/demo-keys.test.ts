/** The demo's keys, held against ssh-keygen and ssh2. */
import { execFileSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { describe, expect, it } from 'vitest';
import { ensureSshd } from '../hosts/ensure-sshd.ts';
import { encodeKeys, makeKeys } from '../../shell/demo/keys.ts';

describe('keys of the demo', () => {
  it('are read by ssh-keygen, which finds the same public key', async () => {
    const { sshKeygen, libraryPath } = await ensureSshd();
    const env = { ...process.env, ...(libraryPath === undefined ? {} : { LD_LIBRARY_PATH: libraryPath }) };
    const directory = mkdtempSync(join(tmpdir(), 'nsh-test-'));
    try {
      const keys = makeKeys();
      const file = join(directory, 'id_ed25519');
      writeFileSync(file, keys.private, { mode: 0o600 });
      const printed = execFileSync(sshKeygen, ['-y', '-f', file], { encoding: 'utf8', env });
      expect(printed.trim()).toBe(`${keys.public} nsh demo`);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('are read by ssh2 where the public key begins with a zero byte, too', () => {
    // A seed whose public key begins with zero, found by trying; PKCS #8 is the constant head and the seed (RFC 8410).
    const head = Buffer.from('302e020100300506032b657004220420', 'hex');
    const publicOf = (seed: Buffer): Buffer => {
      const key = createPrivateKey({ key: Buffer.concat([head, seed]), format: 'der', type: 'pkcs8' });
      return Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url');
    };
    const seeds = Array.from({ length: 5_000 }, (_, index) => {
      const seed = Buffer.alloc(32);
      seed.writeUInt32BE(index, 0);
      return seed;
    });
    const seed = seeds.find((candidate) => publicOf(candidate)[0] === 0);
    if (seed === undefined) throw new Error('no public key of 5,000 begins with a zero byte');
    const keys = encodeKeys(seed, publicOf(seed), Buffer.from('nshd'));
    const [secret, open] = [ssh2.utils.parseKey(keys.private), ssh2.utils.parseKey(keys.public)];
    if (secret instanceof Error || open instanceof Error) throw new Error('ssh2 cannot read it');
    expect(secret.getPublicSSH()).toEqual(open.getPublicSSH());
    const signature = secret.sign('text');
    expect(open.verify('text', signature)).toBe(true);
  });
});
