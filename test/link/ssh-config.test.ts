import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConfigFiles } from '../../src/link/ssh/config-files.ts';
import { loadSettings, loginCommand } from '../../src/link/ssh/config-source.ts';
import { person } from '../../src/link/ssh/config-query.ts';
import { readSettings, type SshSettings } from '../../src/link/ssh/settings.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nsh-config-'));
});
afterAll(async () => rm(directory, { recursive: true, force: true }));

async function file(name: string, text: string): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, text);
  return path;
}

const text = `
Include DIRECTORY/more-*
Host web*
  HostName %h.example.org
  Port 2222
  User deploy
  IdentityFile ~/.ssh/web
  IdentityFile %d/keys/%r@%h
  ProxyJump gate,user@inner:2200
  ServerAliveInterval 7
Match host db1 user admin
  IdentitiesOnly yes
Host *
  IdentityFile "DIRECTORY/with space"
  ConnectTimeout 3
  UserKnownHostsFile ~/.ssh/a DIRECTORY/%k
  HostKeyAlias alias
  PreferredAuthentications publickey,password
  StrictHostKeyChecking accept-new
  Port 99
`;

/** As `ssh -G` has it, and as it is read where there is no ssh program. */
async function both(host: string, options: { user?: string; port?: number } = {}): Promise<[SshSettings, SshSettings]> {
  await file('more-1', 'Host web2\n  HashKnownHosts yes\n');
  const configFile = await file('config', text.replaceAll('DIRECTORY', directory));
  const query = { node: host, host, configFile, ...options };
  const read = readSettings(host, host, await readConfigFiles(query), person(), loginCommand(query));
  return [await loadSettings(query), read];
}

test('a person is told to log in by the same configuration, in words for the shell', async () => {
  const [settings] = await both('web3', { user: 'other', port: 7 });
  expect(settings.loginCommand).toBe(`ssh -F ${directory}/config -l other -p 7 web3`);
  expect(loginCommand({ node: 'n', host: 'web1' })).toBe('ssh web1');
  expect(loginCommand({ node: 'n', host: 'web1', configFile: "/my file's" })).toBe(
    String.raw`ssh -F '/my file'\''s' web1`,
  );
});

test('a configuration is understood as ssh understands it', async () => {
  const [settings] = await both('web2');
  const { home } = person();
  expect(settings).toMatchObject({
    hostName: 'web2.example.org',
    port: 2222,
    user: 'deploy',
    identityFiles: [`${home}/.ssh/web`, `${home}/keys/deploy@web2.example.org`, `${directory}/with space`],
    proxyJump: ['gate', 'user@inner:2200'],
    keepaliveIntervalMs: 7_000,
    connectTimeoutMs: 3_000,
    userKnownHostsFiles: [`${home}/.ssh/a`, `${directory}/alias`],
    hostKeyAlias: 'alias',
    strictHostKeyChecking: 'accept-new',
    hashKnownHosts: true,
    authMethods: ['publickey', 'password'],
  });
});

test.each([
  ['web2', {}],
  ['web3', { user: 'other', port: 7 }],
  ['db1', {}],
  ['db1', { user: 'admin' }],
  ['plain', {}],
] as const)('without an ssh program %s %j comes out the same', async (host, options) => {
  const [settings, read] = await both(host, options);
  // What ssh -G adds are its lists of algorithms, which without it are ssh2's own.
  const { algorithms: _ours, globalKnownHostsFiles: _global, ...expected } = settings;
  const { algorithms: _none, globalKnownHostsFiles: _defaults, ...actual } = read;
  expect(actual).toEqual(expected);
});

test('tokens that ssh does not know stay as they are, and %% is a percent sign', async () => {
  const configFile = await file('tokens', 'Host *\n  ProxyCommand relay --host=%h --port=%p --user=%r 100%% ~ ${X}\n');
  const settings = await loadSettings({ node: 'n', host: 'h1', configFile, user: 'u', port: 5 });
  expect(settings.proxyCommand).toBe('relay --host=h1 --port=5 --user=u 100% ~ ${X}');
});

test('IdentityAgent may be none, a path or a variable', async () => {
  const agent = async (value: string): Promise<string | undefined> =>
    readSettings('n', 'h', new Map([['identityagent', [value]]]), { ...person(), env: { SOCK: '/run/sock' } })
      .identityAgent;
  expect(await agent('none')).toBe('none');
  expect(await agent('SSH_AUTH_SOCK')).toBeUndefined();
  expect(await agent('$SOCK')).toBe('/run/sock');
  expect(await agent('~/a')).toBe(`${person().home}/a`);
});

test.each([
  'RevokedHostKeys /etc/revoked',
  'KnownHostsCommand /bin/cat',
  'ProxyUseFdpass yes',
  'PreferredAuthentications gssapi-with-mic',
])('%s is refused by name', async (line) => {
  const configFile = await file('refused', `Host *\n  ${line}\n`);
  const name = line.startsWith('Preferred') ? 'gssapi-with-mic' : (line.split(' ')[0] ?? '');
  await expect(loadSettings({ node: 'n1', host: 'h1', configFile })).rejects.toMatchObject({
    code: 'unsupported',
    message: expect.stringContaining(name),
  });
});
