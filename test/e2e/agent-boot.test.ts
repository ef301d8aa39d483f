/**
 * `nsh agent enable`: the real crontab and cron on hosts with a spool directory of their own; systemd as far as it can be had without booting
 * by it: programs that stand for systemctl and loginctl, and the unit as systemd-analyze(1) reads it.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Host } from '../hosts/host.ts';
import { isolation } from '../hosts/namespaces.ts';
import { startCluster, type NshCluster } from './nsh-cluster.ts';
import { waitUntil } from './wait-until.ts';

const isMissing = ['crontab', 'cron'].find(
  (name) => spawnSync('sh', ['-c', `PATH=$PATH:/usr/sbin command -v ${name}`]).status !== 0,
);
if (isMissing !== undefined && process.env['CI'] === 'true')
  throw new Error(`${isMissing} is missing: apt-get install cron`);

let cluster: NshCluster;

/** A spool of its own; cron needs no PAM session here, which containers do not permit. */
const prepare = `set -e
mount -n -t tmpfs tmpfs /var/spool/cron
mkdir -m 1730 /var/spool/cron/crontabs
chgrp crontab /var/spool/cron/crontabs
printf 'account required pam_permit.so\\nsession required pam_permit.so\\n' > "$1/pam"
mount -n --bind "$1/pam" /etc/pam.d/cron
mount -n -t tmpfs tmpfs /var/lib/systemd
mkdir /var/lib/systemd/linger`;

const owns = '# mine\nMAILTO=nobody\n5 4 * * * true\n';

async function sh(host: Host, script: string, input?: string): Promise<string> {
  const { code, stdout, stderr } = await host.exec(
    ['sh', '-c', script, 'sh', host.facts.directory],
    input === undefined ? {} : { input },
  );
  if (code !== 0) throw new Error(`${script}: ${code} ${stdout}${stderr}`);
  return stdout;
}

const crontabOf = (host: Host): Promise<string> => sh(host, 'crontab -l 2>/dev/null || true');
const agents = (host: Host): number[] =>
  host
    .processes()
    .filter(({ command }) => command.startsWith('nsh-agent') || command.includes('nsh-agent.js'))
    .map(({ pid }) => pid);
const bootOf = async (name: string): Promise<unknown> => {
  const rows = (await cluster.agents()) as readonly { readonly node: string; readonly boot?: unknown }[];
  return rows.find(({ node }) => node === name)?.boot;
};

describe.skipIf(isolation() !== 'root' || isMissing !== undefined)('nsh agent enable', () => {
  beforeAll(async () => {
    // n2 finds systemctl and loginctl in a directory of the test.
    cluster = await startCluster({
      count: 3,
      host: (index) => (index === 1 ? { env: { PATH: `/run/bin:${process.env['PATH']}` } } : {}),
    });
    for (const host of cluster.hosts.hosts) await sh(host, prepare);
  });
  afterAll(() => cluster.stop());

  test('takes cron where systemd did not start the machine, says so, and leaves the other lines alone', async () => {
    const host = cluster.host('n1');
    await sh(host, 'crontab -', owns);
    const { status, stdout, stderr } = await cluster.nsh(['agent', 'enable', '-n', 'n1']);
    expect([status, stdout]).toEqual([
      0,
      'n1: the agent is started at boot by cron (crontab, @reboot), not by systemd: this machine was not started by systemd\n',
    ]);
    expect(stderr).toBe('nsh agent: n1: no cron daemon runs here now: it must be started at boot for this to work\n');
    const state = `${host.stateHome}/nsh/test/1`;
    const line = `@reboot /bin/sh '${state}/boot.sh' start >>'${state}/agent.log' 2>&1 # nsh-agent test 1\n`;
    expect(await crontabOf(host)).toBe(`${owns}${line}`);
    expect((await cluster.nsh(['agent', 'enable', '-n', 'n1'])).status).toBe(0);
    expect(await crontabOf(host)).toBe(`${owns}${line}`);
    expect(await bootOf('n1')).toBe('cron');
    expect((await cluster.nsh(['agent', 'status', '-n', 'n1'])).stdout).toMatch(/ BOOT .*\n.* cron /);
  });

  test('and cron starts it at boot, to stay', async () => {
    const host = cluster.host('n1');
    await cluster.nsh(['agent', 'stop', '-n', 'n1']);
    expect(agents(host)).toEqual([]);
    // cron(8) knows by it that it has seen this boot.
    await sh(host, 'rm -f /run/crond.reboot');
    const cron = host.exec(['cron', '-f']);
    const endCron = async (): Promise<void> => {
      for (const { pid, command } of host.processes()) if (command === 'cron -f') host.kill(pid, 'SIGTERM');
      await cron;
    };
    onTestFinished(endCron);
    await waitUntil(() => agents(host).length === 1, 'the agent that cron starts');
    await waitUntil(
      async () => (await cluster.agents()).some(({ node, state }) => node === 'n1' && state === 'up'),
      'its answer',
    );
    const command = host.processes().find(({ pid }) => pid === agents(host)[0])?.command;
    expect(command).toContain(' --idle 0 ');
    // Now there is a daemon, and nothing to warn of.
    expect((await cluster.nsh(['agent', 'enable', '-n', 'n1'])).stderr).toBe('');
  });

  test('disable takes its line away and no other, as often as one likes', async () => {
    const host = cluster.host('n1');
    for (let round = 0; round < 2; round++) {
      const { status, stdout, stderr } = await cluster.nsh(['agent', 'disable', '-n', 'n1']);
      expect([status, stdout, stderr]).toEqual([0, '', '']);
    }
    expect(await crontabOf(host)).toBe(owns);
    expect(await sh(host, `ls ${host.stateHome}/nsh/test/1`)).not.toContain('boot.sh');
    expect(await bootOf('n1')).toBe(null);
  });

  test('a crontab that may not be used, and none at all, are told with what to do; what it names works', async () => {
    const host = cluster.host('n3');
    await sh(
      host,
      'printf "#!/bin/sh\\necho You \\(x\\) are not allowed to use this program >&2; exit 1" > "$1/no"; chmod 755 "$1/no"; mount -n --bind "$1/no" /usr/bin/crontab',
    );
    const refused = await cluster.nsh(['agent', 'enable', '-n', 'n3']);
    expect([refused.status, refused.stderr]).toEqual([
      3,
      expect.stringContaining('cron: crontab: You (x) are not allowed to use this program'),
    ]);
    await sh(host, 'umount /usr/bin/crontab; mount -n --bind /dev/null /usr/bin/crontab');
    const { status, stdout, stderr } = await cluster.nsh(['agent', 'enable', '-n', 'n3']);
    expect([status, stdout]).toEqual([3, '']);
    expect(stderr).toMatch(
      /^nsh agent: n3: nothing here can start the agent of n3 at boot: systemd: this machine was not started by systemd; cron: there is no crontab program\. Install cron and try again, or let whatever starts programs at boot here run, as this user: \/bin\/sh \S+\/boot\.sh start\n$/,
    );
    await cluster.nsh(['agent', 'stop', '-n', 'n3']);
    const script = /\S+\/boot\.sh/.exec(stderr)?.[0] ?? '';
    expect(await sh(host, `env -i /bin/sh ${script} start`)).toContain('"ok":true');
    expect(agents(host)).toHaveLength(1);
    expect(await bootOf('n3')).toBe(null);
  });

  test('takes systemd where it may stay without a login, writes a unit that systemd accepts, and takes the line of cron back', async () => {
    const host = cluster.host('n2');
    await sh(host, 'rm -rf /run/systemd/system /run/bin /run/called /var/lib/systemd/linger/*');
    expect((await cluster.nsh(['agent', 'enable', '-n', 'n2'])).stdout).toContain('by cron');
    await bringSystemd(host, ': > /var/lib/systemd/linger/$3');
    const { status, stdout, stderr } = await cluster.nsh(['agent', 'enable', '-n', 'n2']);
    expect([status, stdout, stderr]).toEqual([
      0,
      'n2: the agent is started at boot by systemd (user unit nsh-agent-test-2.service)\n',
      '',
    ]);
    expect(await crontabOf(host)).toBe('');
    expect(await bootOf('n2')).toBe('systemd');
    const called = (await sh(host, 'cat /run/called')).split('\n').filter((line) => line !== '');
    expect(called).toEqual([
      expect.stringMatching(/^loginctl --no-ask-password enable-linger \S+$/),
      'systemctl --user daemon-reload',
      'systemctl --user enable nsh-agent-test-2.service',
    ]);
    const unit = join(host.home, '.config/systemd/user/nsh-agent-test-2.service');
    const env = { ...process.env, XDG_RUNTIME_DIR: host.facts.directory };
    const verified = spawnSync('systemd-analyze', ['--user', '--man=no', 'verify', unit], { env, encoding: 'utf8' });
    expect([verified.error, verified.stderr]).toEqual([undefined, '']);
    expect(readFileSync(unit, 'utf8')).toContain(
      `ExecStart=/bin/sh "${host.stateHome}/nsh/test/2/boot.sh" serve --wait\n`,
    );
  });

  test('what the unit runs waits for an agent that is there already, and takes its place when that is killed', async () => {
    const host = cluster.host('n2');
    await cluster.nsh(['agent', 'start', '-n', 'n2']);
    const [running = 0] = agents(host);
    const unit = host.exec(['/bin/sh', `${host.stateHome}/nsh/test/2/boot.sh`, 'serve', '--wait']);
    onTestFinished(async () => {
      await cluster.nsh(['agent', 'stop', '-n', 'n2']);
      await unit;
    });
    await waitUntil(() => agents(host).length === 2, 'the one that waits');
    host.kill(running, 'SIGKILL');
    await waitUntil(async () => {
      const row = (await cluster.agents()).find(({ node }) => node === 'n2');
      return row?.state === 'up' && row.lpid !== running;
    }, 'its successor');
    expect(agents(host)).not.toContain(running);
    expect(agents(host)).toHaveLength(1);
    await cluster.nsh(['agent', 'stop', '-n', 'n2']);
    expect((await unit).code).toBe(0);
  });

  test('disable takes the unit away', async () => {
    const host = cluster.host('n2');
    expect((await cluster.nsh(['agent', 'disable', '-n', 'n2'])).status).toBe(0);
    expect(await sh(host, `find ${host.home}/.config/systemd -name 'nsh-*'`)).toBe('');
    expect(await bootOf('n2')).toBe(null);
  });

  test('takes cron where lingering is not allowed, and says who can allow it', async () => {
    const host = cluster.host('n2');
    await sh(host, 'rm -f /var/lib/systemd/linger/*');
    await bringSystemd(host, 'echo "Could not enable linger: Access denied" >&2; exit 1');
    const { stdout } = await cluster.nsh(['agent', 'enable', '-n', 'n2']);
    expect(stdout).toMatch(
      /^n2: .* by cron .*: lingering is not allowed \(Could not enable linger: Access denied\); an administrator can: loginctl enable-linger \S+\n$/,
    );
    expect(await sh(host, `find ${host.home}/.config/systemd -name 'nsh-*'`)).toBe('');
    await cluster.nsh(['agent', 'disable', '-n', 'n2']);
    expect(await crontabOf(host)).toBe('');
  });
});

/** The machine was started by systemd, says sd_booted(3); systemctl makes the link that it would make. */
async function bringSystemd(host: Host, loginctl: string): Promise<void> {
  const systemctl = `if [ "$2" = enable ]; then d=$HOME/.config/systemd/user; mkdir -p $d/default.target.wants; ln -sf $d/$3 $d/default.target.wants/$3; fi`;
  const write = (name: string, body: string): string =>
    `printf '%s\\n' '#!/bin/sh' 'echo ${name} "$@" >> /run/called' '${body}' > /run/bin/${name}; chmod 755 /run/bin/${name}`;
  await sh(
    host,
    `mkdir -p /run/systemd/system /run/bin; ${write('systemctl', systemctl)}; ${write('loginctl', loginctl)}`,
  );
}
