import { expect, test } from 'vitest';
import {
  findKnownHosts,
  fingerprint,
  judgeHostKey,
  knownHostNames,
  knownHostsLine,
} from '../../src/policy/host-key.ts';

const key = { type: 'ssh-ed25519', key: 'AAAAC3NzaC1lZDI1NTE5AAAAIKey1' };
const other = { type: 'ssh-ed25519', key: 'AAAAC3NzaC1lZDI1NTE5AAAAIKey2' };
const rsa = { type: 'ssh-rsa', key: 'AAAAB3NzaC1yc2EAAAAKey3' };

function judge(text: string, name: string, offered = key) {
  return judgeHostKey(findKnownHosts([{ path: 'kh', text }], name), offered);
}

test.each([
  ['web1 ssh-ed25519 KEY', 'web1', 'ok'],
  ['web1,web2 ssh-ed25519 KEY comment', 'web2', 'ok'],
  ['WEB1 ssh-ed25519 KEY', 'web1', 'ok'],
  ['web* ssh-ed25519 KEY', 'web17', 'ok'],
  ['web? ssh-ed25519 KEY', 'web17', 'unknown'],
  ['*.example.org,!bad.example.org ssh-ed25519 KEY', 'good.example.org', 'ok'],
  ['*.example.org,!bad.example.org ssh-ed25519 KEY', 'bad.example.org', 'unknown'],
  ['!bad.example.org,* ssh-ed25519 KEY', 'bad.example.org', 'unknown'],
  ['[web1]:2222 ssh-ed25519 KEY', '[web1]:2222', 'ok'],
  ['[web1]:2222 ssh-ed25519 KEY', 'web1', 'unknown'],
  ['web1 ssh-ed25519 OTHER', 'web1', 'changed'],
  ['web1 ssh-ed25519 OTHER\nweb1 ssh-ed25519 KEY', 'web1', 'ok'],
  ['web1 ssh-rsa RSA', 'web1', 'unknown'],
  ['web1 ssh-ed25519 KEY\n@revoked * ssh-ed25519 KEY', 'web1', 'revoked'],
  ['@revoked web1 ssh-ed25519 OTHER\nweb1 ssh-ed25519 KEY', 'web1', 'ok'],
  ['@cert-authority *.org ssh-ed25519 OTHER', 'web1.org', 'certificateWanted'],
  ['@cert-authority *.org ssh-ed25519 OTHER\nweb1.org ssh-ed25519 KEY', 'web1.org', 'ok'],
  ['@unknown web1 ssh-ed25519 KEY', 'web1', 'unknown'],
  ['# web1 ssh-ed25519 KEY', 'web1', 'unknown'],
  ['', 'web1', 'unknown'],
  ['nonsense', 'web1', 'unknown'],
  ['|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg= ssh-ed25519 KEY', '192.168.1.61', 'ok'],
  ['|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg= ssh-ed25519 KEY', '192.168.1.62', 'unknown'],
  ['|1|broken ssh-ed25519 KEY', 'web1', 'unknown'],
])('known_hosts %j makes the key of %s: %s', (text, name, kind) => {
  const lines = text.replaceAll('KEY', key.key).replaceAll('OTHER', other.key).replaceAll('RSA', rsa.key);
  expect(judge(lines, name).kind).toBe(kind);
});

test('a changed key names the line of the entry', () => {
  expect(judge(`# one\n\nweb1 ${other.type} ${other.key}`, 'web1')).toEqual({
    kind: 'changed',
    entry: expect.objectContaining({ file: 'kh', line: 3, keyType: 'ssh-ed25519' }),
  });
});

test('many stars in a pattern do not take long', () => {
  const begin = performance.now();
  expect(judge(`${'*a'.repeat(200)}b ssh-ed25519 ${key.key}`, 'a'.repeat(1_000)).kind).toBe('unknown');
  expect(performance.now() - begin).toBeLessThan(1_000);
});

test('a port other than 22 is part of the name, and the name alone is looked up second', () => {
  expect(knownHostNames('Web1', 22, undefined)).toEqual(['web1']);
  expect(knownHostNames('web1', 2222, undefined)).toEqual(['[web1]:2222', 'web1']);
  expect(knownHostNames('web1', 2222, 'alias')).toEqual(['alias']);
});

test('a hashed line is found again by its name only', () => {
  const line = knownHostsLine('[web1]:2222', key, Buffer.alloc(20, 7));
  expect(line).not.toContain('web1');
  expect(judge(line, '[web1]:2222').kind).toBe('ok');
  expect(judge(line, '[web2]:2222').kind).toBe('unknown');
});

test('a fingerprint is written as ssh-keygen writes it', () => {
  expect(fingerprint({ type: 'ssh-ed25519', key: Buffer.from('x').toString('base64') })).toBe(
    'SHA256:LXEWQrcmsEQBYnyp+6wy9chTD7GQPMTbAiWHF5IaSIE',
  );
});
