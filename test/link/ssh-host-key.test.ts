import { execFile } from 'node:child_process';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeKeyPair } from '../hosts/keys.ts';
import { startHosts, type Hosts } from '../hosts/start-hosts.ts';
import { connect, failure, person } from './support.ts';

const run = promisify(execFile);
let hosts: Hosts;
let host: string;
let key: string;
let files = 0;

beforeAll(async () => {
  hosts = await startHosts({ count: 2 });
  const { address, port, hostKey } = hosts.host('n1').facts;
  host = `[${address}]:${port}`;
  key = hostKey;
});
afterAll(async () => hosts?.stop());

/** A configuration with a known_hosts file of its own. */
async function withKnownHosts(
  text: string | undefined,
  ...lines: string[]
): Promise<{ sshConfig: string; file: string }> {
  files += 1;
  const file = join(hosts.directory, `known-${files}`, 'known_hosts');
  const sshConfig = join(hosts.directory, `known-${files}.conf`);
  if (text !== undefined) {
    await run('mkdir', ['-p', join(file, '..')]);
    await writeFile(file, text);
  }
  await writeFile(sshConfig, [`UserKnownHostsFile ${file}`, ...lines, `Include ${hosts.sshConfig}`, ''].join('\n'));
  return { sshConfig, file };
}

async function opens(text: string, ...lines: string[]): Promise<boolean> {
  const { sshConfig } = await withKnownHosts(text, ...lines);
  const link = await connect(hosts, 'n1', { sshConfig });
  link.close();
  return true;
}

test('a key stands in known_hosts in each way that OpenSSH writes it', async () => {
  const { address, port } = hosts.host('n1');
  expect(await opens(`${host} ${key}\n`)).toBe(true);
  expect(await opens(`other,[${address.slice(0, -1)}?]:* ${key}\n`)).toBe(true);
  expect(await opens(`# a comment\n\n${address} ${key}`)).toBe(true);
  expect(await opens(`alias ${key}`, 'HostKeyAlias alias')).toBe(true);
  expect(await opens(`[${address}]:${port} ${makeKeyPair().publicKey}\n[${address}]:${port} ${key}`)).toBe(true);
});

test('a file hashed by ssh-keygen is read', async () => {
  const { sshConfig, file } = await withKnownHosts(`${host} ${key}\n`);
  await run(hosts.openssh.sshKeygen, ['-H', '-f', file]);
  expect(await readFile(file, 'utf8')).toMatch(/^\|1\|/);
  const link = await connect(hosts, 'n1', { sshConfig });
  link.close();
});

test('a changed key stops the connection, names the entry, and asks nobody', async () => {
  const other = makeKeyPair().publicKey;
  const { sshConfig, file } = await withKnownHosts(`# first\n${host} ${other}\n`, 'StrictHostKeyChecking ask');
  const answers = person('yes');
  const error = await failure(connect(hosts, 'n1', { sshConfig, prompt: answers.prompt }));
  expect(error.code).toBe('hostKeyChanged');
  expect(error.message).toContain('REMOTE HOST IDENTIFICATION HAS CHANGED');
  expect(error.message).toContain(`${file}:2`);
  expect(answers.asked).toEqual([]);
});

test('a changed key stops the connection even where checking is switched off', async () => {
  const { sshConfig } = await withKnownHosts(`${host} ${makeKeyPair().publicKey}\n`, 'StrictHostKeyChecking no');
  expect((await failure(connect(hosts, 'n1', { sshConfig }))).code).toBe('hostKeyChanged');
});

test('a host that has no key of the known type counts as changed', async () => {
  const path = join(hosts.directory, `ecdsa_host-${performance.now()}`);
  await run(hosts.openssh.sshKeygen, ['-q', '-t', 'ecdsa', '-N', '', '-f', path]);
  const { sshConfig } = await withKnownHosts(`${host} ${await readFile(`${path}.pub`, 'utf8')}`);
  const error = await failure(connect(hosts, 'n1', { sshConfig }));
  expect(error.code).toBe('hostKeyChanged');
  expect(error.message).toContain('no host key of a type that is known');
});

test('a revoked key is refused, although it is known', async () => {
  const { sshConfig } = await withKnownHosts(`${host} ${key}\n@revoked ${host} ${key}\n`, 'StrictHostKeyChecking no');
  const error = await failure(connect(hosts, 'n1', { sshConfig }));
  expect(error.code).toBe('hostKeyChanged');
  expect(error.message).toContain('REVOKED HOST KEY');
});

test('a host known by a certificate authority alone is refused by name', async () => {
  const { sshConfig } = await withKnownHosts(`@cert-authority ${host} ${makeKeyPair().publicKey}\n`);
  const error = await failure(connect(hosts, 'n1', { sshConfig }));
  expect(error.code).toBe('unsupported');
  expect(error.message).toContain('transport: openssh');
});

test.each([
  ['yes', () => ['yes']],
  ['the fingerprint', (print: string) => ['what?', print]],
])('an unknown key is asked about, and %s adds it', async (_name, answer) => {
  const publicFile = join(hosts.directory, 'n1.pub');
  await writeFile(publicFile, key);
  const { stdout } = await run(hosts.openssh.sshKeygen, ['-l', '-f', publicFile]);
  const print = stdout.split(' ')[1] ?? '';
  const { sshConfig, file } = await withKnownHosts(undefined, 'StrictHostKeyChecking ask');
  const answers = person(...answer(print));
  const link = await connect(hosts, 'n1', { sshConfig, prompt: answers.prompt });
  link.close();
  expect(answers.asked[0]).toMatchObject({ kind: 'host-key', echo: true, node: 'n1' });
  expect(answers.asked[0]?.text).toContain(print);
  expect(await readFile(file, 'utf8')).toBe(`${host} ${key}\n`);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await stat(join(file, '..'))).mode & 0o777).toBe(0o700);
  // The same host is known from now on, to ssh too.
  const again = await connect(hosts, 'n1', { sshConfig });
  again.close();
  await run(hosts.openssh.ssh, ['-F', sshConfig, '-o', 'BatchMode=yes', 'n1', 'true']);
});

test('an unknown key that is declined is refused and not kept', async () => {
  const { sshConfig, file } = await withKnownHosts(undefined, 'StrictHostKeyChecking ask');
  const error = await failure(connect(hosts, 'n1', { sshConfig, prompt: person('no').prompt }));
  expect(error.code).toBe('hostKeyUnknown');
  await expect(stat(file)).rejects.toThrow('ENOENT');
});

test('an unknown key without a terminal is refused, with what to do', async () => {
  const { sshConfig } = await withKnownHosts(undefined, 'StrictHostKeyChecking ask');
  const error = await failure(connect(hosts, 'n1', { sshConfig }));
  expect(error.code).toBe('hostKeyUnknown');
  expect(error.message).toMatch(/no terminal to ask on \(ED25519 SHA256:.*Log in once with "ssh -F \S+ n1"/);
  expect(error.message).toContain(`"ssh -F ${sshConfig} `);
});

test('StrictHostKeyChecking=yes refuses an unknown key without asking', async () => {
  const { sshConfig } = await withKnownHosts(undefined, 'StrictHostKeyChecking yes');
  const answers = person('yes');
  expect((await failure(connect(hosts, 'n1', { sshConfig, prompt: answers.prompt }))).code).toBe('hostKeyUnknown');
  expect(answers.asked).toEqual([]);
});

test.each(['accept-new', 'no'])(
  'StrictHostKeyChecking=%s adds an unknown key without asking, hashed where that is wanted',
  async (strict) => {
    const { sshConfig, file } = await withKnownHosts(
      '# no newline',
      `StrictHostKeyChecking ${strict}`,
      'HashKnownHosts yes',
    );
    const link = await connect(hosts, 'n1', { sshConfig });
    link.close();
    expect(await readFile(file, 'utf8')).toMatch(/^# no newline\n\|1\|[^ ]+ ssh-ed25519 /);
    const { stdout } = await run(hosts.openssh.sshKeygen, ['-F', host, '-f', file]);
    expect(stdout).toContain(key);
    await rm(file);
  },
);
