import { execFile } from 'node:child_process';
import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { explainFailure, wasDropped } from '../../src/link/openssh/errors.ts';
import { questionKind } from '../../src/link/openssh/askpass.ts';
import { makeKeyPair } from '../hosts/keys.ts';
import { startHosts, type Hosts } from '../hosts/start-hosts.ts';
import { connect, failure, person, soon } from './support.ts';

const run = promisify(execFile);
let hosts: Hosts;
let encrypted: string;

beforeAll(async () => {
  hosts = await startHosts({ count: 2, host: (index) => (index === 1 ? { maxStartups: '2:100:3' } : {}) });
  // Other test files make directories in /tmp at the same time.
  vi.stubEnv('TMPDIR', hosts.directory);
  encrypted = join(hosts.directory, 'encrypted');
  await run(hosts.openssh.sshKeygen, ['-q', '-f', encrypted, '-t', 'ed25519', '-N', 'hush hush', '-a', '1']);
  const file = join(hosts.host('n1').facts.directory, 'authorized_keys');
  await writeFile(file, (await readFile(file, 'utf8')) + (await readFile(`${encrypted}.pub`, 'utf8')));
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await hosts?.stop();
});

const node = { transport: 'openssh' } as const;

/** The private directories of links that are open. */
async function directories(): Promise<string[]> {
  return (await readdir(tmpdir())).filter((name) => name.startsWith('nsh-ssh-'));
}

test('a link logs in, runs commands, and removes everything when it is closed', async () => {
  const link = await connect(hosts, 'n1', { node });
  onTestFinished(async () => {
    link.close();
    await link.closed.catch(() => undefined);
  });
  expect(await directories()).toHaveLength(1);
  expect(await link.exec('echo out; echo err >&2; exit 3', soon())).toEqual({
    stdout: 'out\n',
    stderr: 'err\n',
    code: 3,
  });
  link.close();
  expect(await link.closed).toBeUndefined();
  expect(await directories()).toEqual([]);
});

test('passphrase and unknown host are asked of the person', async () => {
  const sshConfig = join(hosts.directory, 'ask.conf');
  await rm(join(hosts.directory, 'empty'), { force: true });
  const text = (await readFile(hosts.sshConfig, 'utf8')).replace(hosts.userKey, encrypted);
  await writeFile(sshConfig, `UserKnownHostsFile ${hosts.directory}/empty\nStrictHostKeyChecking ask\n${text}`);
  const answers = person('yes', 'hush hush');
  const link = await connect(hosts, 'n1', { sshConfig, node, prompt: answers.prompt });
  link.close();
  await link.closed;
  expect(answers.asked.map(({ kind, echo }) => [kind, echo])).toEqual([
    ['host-key', true],
    ['passphrase', false],
  ]);
  expect(await readFile(join(hosts.directory, 'empty'), 'utf8')).toContain(hosts.host('n1').facts.hostKey);
});

test('a person who declines ends the login', async () => {
  const sshConfig = join(hosts.directory, 'declined.conf');
  await writeFile(sshConfig, (await readFile(hosts.sshConfig, 'utf8')).replace(hosts.userKey, encrypted));
  expect((await failure(connect(hosts, 'n1', { sshConfig, node, prompt: person().prompt }))).code).toBe('authFailed');
});

test('without a terminal nothing is asked', async () => {
  const sshConfig = join(hosts.directory, 'silent.conf');
  await writeFile(sshConfig, (await readFile(hosts.sshConfig, 'utf8')).replace(hosts.userKey, encrypted));
  const error = await failure(connect(hosts, 'n1', { sshConfig, node }));
  expect(error.code).toBe('authFailed');
  expect(error.message).toMatch(/^n1: ssh: .*Permission denied/);
});

test('a changed host key is told as such', async () => {
  const { address, port } = hosts.host('n1');
  await writeFile(join(hosts.directory, 'changed'), `[${address}]:${port} ${makeKeyPair().publicKey}\n`);
  const sshConfig = join(hosts.directory, 'changed.conf');
  await writeFile(
    sshConfig,
    `UserKnownHostsFile ${hosts.directory}/changed\n${await readFile(hosts.sshConfig, 'utf8')}`,
  );
  const error = await failure(connect(hosts, 'n1', { sshConfig, node }));
  expect(error.code).toBe('hostKeyChanged');
  expect(error.message).toContain('REMOTE HOST IDENTIFICATION HAS CHANGED');
});

test('a host that nobody listens on is unreachable', async () => {
  const error = await failure(connect(hosts, 'n1', { node: { ...node, port: 9 } }));
  expect(error.code).toBe('unreachable');
  expect(error.message).toContain('Connection refused');
});

test('12 logins at once to a host that takes two at a time all come through', async () => {
  const links = await Promise.all(
    Array.from({ length: 12 }, () => connect(hosts, 'n2', { node, signal: soon(40_000) })),
  );
  expect(links).toHaveLength(12);
  for (const link of links) link.close();
  await Promise.all(links.map((link) => link.closed));
}, 60_000);

test.each([
  ['Permission denied (publickey).', 'authFailed'],
  ['Host key verification failed.', 'hostKeyUnknown'],
  ['ssh: connect to host x port 22: Connection timed out', 'timeout'],
  ['ssh: Could not resolve hostname x: Name or service not known', 'unreachable'],
])('%j means %s', (stderr, code) => {
  expect(explainFailure('n1', stderr, '').code).toBe(code);
});

test('what a host says never carries control characters into a message', () => {
  expect(explainFailure('n1', '\x1b]0;owned\x07bad\x9b2J', '').message).toBe('n1: ssh: ?]0;owned?bad?2J');
});

test('a connection that sshd had no room for is told from others', () => {
  expect(wasDropped('kex_exchange_identification: Connection closed by remote host')).toBe(true);
  expect(wasDropped('Permission denied (publickey).')).toBe(false);
});

test.each([
  ["Enter passphrase for key '/x': ", '', 'passphrase', false],
  ["root@host's password: ", '', 'password', false],
  ['Are you sure you want to continue connecting (yes/no/[fingerprint])? ', '', 'host-key', true],
  ['(root@host) Verification code: ', '', 'keyboard-interactive', false],
] as const)('%j is a question of kind %s', (text, hint, kind, isEchoed) => {
  expect(questionKind(text, hint)).toEqual({ kind, echo: isEchoed });
});
