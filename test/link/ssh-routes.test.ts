import { createServer } from 'node:net';
import { writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startHosts, type Hosts } from '../hosts/start-hosts.ts';
import { connect, failure, soon, until } from './support.ts';

let hosts: Hosts;
beforeAll(async () => {
  hosts = await startHosts({ count: 4, host: (index) => (index === 3 ? { maxStartups: '2:100:3' } : {}) });
});
afterAll(async () => hosts?.stop());

async function config(name: string, ...lines: string[]): Promise<string> {
  const path = join(hosts.directory, `${name}.conf`);
  await writeFile(path, `${lines.join('\n')}\nHost *\n  Include ${hosts.sshConfig}\n`);
  return path;
}

/** sshd processes of a host beyond the listener: one or two for each connection. */
function sessions(name: string): number {
  // Without namespaces an sshd's own processes carry no mark.
  return hosts
    .host(name)
    .processes()
    .filter(({ command }) => /^sshd(-session)?: /.test(command) && !command.includes('[listener]')).length;
}

test('ProxyJump goes through two hosts, each with its own configuration, and closes all of it', async () => {
  const sshConfig = await config('jump', 'Host n3', '  ProxyJump n1,n2');
  const link = await connect(hosts, 'n3', { sshConfig });
  const { stdout } = await link.exec('echo $SSH_CONNECTION', soon());
  const { stdout: name } = await link.exec('hostname', soon());
  expect(name).toBe(hosts.isolation === 'none' ? `${hostname()}\n` : 'n3\n');
  expect(stdout).toContain(hosts.host('n3').address);
  expect(sessions('n1')).toBeGreaterThan(0);
  link.close();
  expect(await link.closed).toBeUndefined();
  await until(() => sessions('n1') === 0 && sessions('n2') === 0, 'the jump hosts are left');
});

test('links through the same jump host share one connection to it', async () => {
  const sshConfig = await config('shared-jump', 'Host n2 n3', '  ProxyJump n1');
  const links = await Promise.all(['n2', 'n3', 'n2', 'n3'].map((name) => connect(hosts, name, { sshConfig })));
  expect(sessions('n1')).toBeLessThanOrEqual(2);
  links[0]?.close();
  await links[0]?.closed;
  expect((await links[1]?.exec('echo still', soon()))?.stdout).toBe('still\n');
  for (const link of links) link.close();
});

test('a jump host that cannot be reached is named', async () => {
  const sshConfig = await config(
    'bad-jump',
    'Host nowhere',
    `  HostName ${hosts.host('n1').address}`,
    '  Port 9',
    'Host n3',
    '  ProxyJump nowhere',
  );
  const error = await failure(connect(hosts, 'n3', { sshConfig }));
  expect(error.code).toBe('unreachable');
  expect(error.message).toMatch(/^jump host nowhere: cannot connect to \S+ port 9: connection refused/);
});

test('a host that the jump host cannot reach is named', async () => {
  const sshConfig = await config('bad-target', 'Host n3', '  ProxyJump n1');
  const error = await failure(connect(hosts, 'n3', { sshConfig, node: { port: 9 } }));
  expect(error.message).toMatch(/^n3: jump host n1 cannot connect to \S+ port 9/);
});

test('hosts that are each other’s ProxyJump end in an error', async () => {
  const sshConfig = await config('circle', 'Host n1', '  ProxyJump n2', 'Host n2', '  ProxyJump n1');
  expect((await failure(connect(hosts, 'n1', { sshConfig }))).message).toContain('leads back to itself');
});

test('ProxyCommand carries the connection, with its tokens, and its process ends with the link', async () => {
  const sshConfig = await config(
    'proxy',
    'Host n2',
    `  ProxyCommand ${hosts.openssh.ssh} -F ${hosts.sshConfig} -W [%h]:%p n1`,
  );
  const link = await connect(hosts, 'n2', { sshConfig });
  expect((await link.exec('echo $SSH_CONNECTION', soon())).stdout).toContain(hosts.host('n2').address);
  link.close();
  await link.closed;
  await until(() => sessions('n1') === 0, 'the ProxyCommand has ended');
});

test('a ProxyCommand that fails is quoted', async () => {
  const sshConfig = await config('bad-proxy', 'Host n2', '  ProxyCommand sh -c "echo no way >&2; exit 4"');
  const error = await failure(connect(hosts, 'n2', { sshConfig }));
  expect(error.code).toBe('unreachable');
  expect(error.message).toContain('no way');
}, 40_000);

test('a host that nobody listens on is unreachable, with the reason', async () => {
  const error = await failure(connect(hosts, 'n1', { node: { port: 9 } }));
  expect(error.code).toBe('unreachable');
  expect(error.message).toMatch(/^n1: cannot connect to \S+ port 9: connection refused/);
});

test('a host that accepts and never speaks is left after ConnectTimeout', async () => {
  const server = createServer(() => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const sshConfig = await config(
    'silent',
    'Host silent',
    '  HostName 127.0.0.1',
    `  Port ${port}`,
    '  ConnectTimeout 1',
  );
  const begin = performance.now();
  const error = await failure(connect(hosts, 'silent', { sshConfig }));
  expect(error.code).toBe('timeout');
  expect(error.message).toContain('did not answer within 1 s');
  expect(performance.now() - begin).toBeLessThan(4_000);
  server.close();
});

test('a login ends when nobody waits for it any more', async () => {
  const server = createServer(() => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const sshConfig = await config('left', 'Host silent', '  HostName 127.0.0.1', `  Port ${port}`);
  const error = await failure(connect(hosts, 'silent', { sshConfig, signal: AbortSignal.timeout(100) }));
  expect(error.code).toBe('timeout');
  server.close();
});

test('32 logins at once to a host that takes two at a time all come through', async () => {
  const links = await Promise.all(Array.from({ length: 32 }, () => connect(hosts, 'n4', { signal: soon(25_000) })));
  for (const link of links) link.close();
  expect(links).toHaveLength(32);
});

test('a host name that looks like an option is none', async () => {
  expect((await failure(connect(hosts, 'x', { node: { host: '-oProxyCommand=touch /tmp/never' } }))).code).toBe(
    'unreachable',
  );
});

test('options that ssh2 cannot honour are refused by name', async () => {
  const sshConfig = await config('revoked', 'RevokedHostKeys /etc/passwd');
  const error = await failure(connect(hosts, 'n1', { sshConfig }));
  expect(error.code).toBe('unsupported');
  expect(error.message).toContain('RevokedHostKeys');
});

test('a configuration that ssh does not accept is quoted', async () => {
  const sshConfig = await config('broken', 'NoSuchOption yes');
  expect((await failure(connect(hosts, 'n1', { sshConfig }))).message).toMatch(
    /line 1: Bad configuration option: nosuchoption/i,
  );
});
