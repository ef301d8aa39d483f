import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { until } from '../link/support.ts';
import { startHosts } from './start-hosts.ts';

const run = promisify(execFile);

test('a host answers ssh under its name, with its own hostname, home and process table', async () => {
  const hosts = await startHosts({ count: 2 });
  try {
    const { stdout } = await run(hosts.openssh.ssh, [
      '-F',
      hosts.sshConfig,
      'n2',
      'hostname; echo $HOME; ps -e | wc -l',
    ]);
    const [name, home, processes] = stdout.trim().split('\n');
    expect(home).toBe(hosts.host('n2').home);
    if (hosts.isolation === 'none') return;
    expect(name).toBe('n2');
    expect(Number(processes)).toBeLessThan(10);
    expect((await hosts.host('n1').exec(['hostname'])).stdout).toBe('n1\n');
  } finally {
    await hosts.stop();
  }
});

test('a host that is stopped leaves neither processes nor files', async () => {
  const hosts = await startHosts({ count: 1 });
  const [host] = hosts.hosts;
  await run(hosts.openssh.ssh, ['-F', hosts.sshConfig, 'n1', 'setsid -f sleep 1000 >/dev/null 2>&1 </dev/null']);
  await until(() => host?.processes().some(({ command }) => command === 'sleep 1000') === true, 'sleep runs');
  await hosts.stop();
  expect(host?.processes()).toEqual([]);
  expect(existsSync(hosts.directory)).toBe(false);
});

/** Root's sshd needs things of the machine that only a mount namespace could lend it. */
const rootLacksSshdUser =
  process.getuid?.() === 0 && !(existsSync('/run/sshd') && readFileSync('/etc/passwd', 'utf8').includes('\nsshd:'));

test.skipIf(rootLacksSshdUser)('a host without namespaces is found again and ended by its mark', async () => {
  const hosts = await startHosts({ count: 2, isolation: 'none' });
  const { stdout } = await run(hosts.openssh.ssh, [
    '-F',
    hosts.sshConfig,
    'n1',
    'echo $HOME; setsid -f sleep 1000 >/dev/null 2>&1 </dev/null',
  ]);
  expect(stdout.trim()).toBe(hosts.host('n1').home);
  await until(
    () =>
      hosts
        .host('n1')
        .processes()
        .some(({ command }) => command === 'sleep 1000'),
    'sleep runs',
  );
  expect(
    hosts
      .host('n2')
      .processes()
      .map((process) => process.command),
  ).not.toContain('sleep 1000');
  await hosts.stop();
  expect(hosts.host('n1').processes()).toEqual([]);
});

test('a paused host does not answer until it is resumed', async () => {
  const hosts = await startHosts({ count: 1 });
  try {
    const host = hosts.host('n1');
    host.pause();
    const ssh = run(hosts.openssh.ssh, ['-F', hosts.sshConfig, 'n1', 'echo up']);
    const first = await Promise.race([
      ssh.then(() => 'answered'),
      new Promise((resolve) => setTimeout(resolve, 300, 'silent')),
    ]);
    host.resume();
    expect(first).toBe('silent');
    expect((await ssh).stdout).toBe('up\n');
  } finally {
    await hosts.stop();
  }
});

test('64 hosts are up within seconds', async () => {
  const begin = performance.now();
  const hosts = await startHosts({ count: 64 });
  const took = performance.now() - begin;
  await hosts.stop();
  process.stdout.write(`64 test hosts up in ${Math.round(took)} ms (isolation: ${hosts.isolation})\n`);
  expect(took).toBeLessThan(20_000);
});
