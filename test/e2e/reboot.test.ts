/**
 * Machines that lose power and boot again, with agents that cron starts at boot (`nsh agent enable`): groups are there again, as many as are
 * wanted and singletons once, with no client connected, and what is recorded of what ran before is true.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agentCommand } from '../hosts/cluster-file.ts';
import type { Host } from '../hosts/host.ts';
import { isolation } from '../hosts/namespaces.ts';
import { startCluster, type NshCluster } from './nsh-cluster.ts';
import { waitUntil } from './wait-until.ts';

const isMissing = ['crontab', 'cron'].find(
  (name) => spawnSync('sh', ['-c', `PATH=$PATH:/usr/sbin command -v ${name}`]).status !== 0,
);
if (isMissing !== undefined && process.env['CI'] === 'true')
  throw new Error(`${isMissing} is missing: apt-get install cron`);

/** A spool on the host's own disk; cron needs no PAM session here, which containers do not permit. */
const prepare = `set -e
mkdir -p "$1/spool"
mount -n --bind "$1/spool" /var/spool/cron
mkdir -p -m 1730 /var/spool/cron/crontabs
chgrp crontab /var/spool/cron/crontabs
printf 'account required pam_permit.so\\nsession required pam_permit.so\\n' > "$1/pam"
mount -n --bind "$1/pam" /etc/pam.d/cron`;

describe.skipIf(isolation() !== 'root' || isMissing !== undefined)('a node that boots again', () => {
  let cluster: NshCluster;
  beforeAll(async () => {
    cluster = await startCluster({ count: 2, file: { agentCommand: `${agentCommand} --session-ttl 3` } });
    for (const host of cluster.hosts.hosts) {
      mkdirSync(join(host.home, '.config/nsh'), { recursive: true });
      copyFileSync(cluster.file, join(host.home, '.config/nsh/cluster.yaml'));
      await sh(host, prepare);
    }
  });
  afterAll(() => cluster.stop());

  const sh = async (host: Host, script: string): Promise<void> => {
    const { code, stdout, stderr } = await host.exec(['sh', '-c', script, 'sh', host.facts.directory]);
    if (code !== 0) throw new Error(`${script}: ${code} ${stdout}${stderr}`);
  };
  const nsh = async (...words: readonly string[]) => {
    const { status, stdout, stderr } = await cluster.nsh(words);
    return { status, stdout, stderr };
  };
  /** Where processes with that command line run: a node for each. */
  const where = (command: string): string[] =>
    cluster.hosts.hosts.flatMap((host) =>
      host.processes().flatMap(({ command: its }) => (its === command ? [host.name] : [])),
    );
  /** Cut off, booted, and cron as it is started at boot. */
  const reboot = async (name: string): Promise<void> => {
    const host = await cluster.hosts.reboot(name);
    await sh(host, prepare);
    await sh(host, 'cron');
  };

  it('has its groups whole on the others meanwhile, takes part again by itself, and tells the truth of what ran', {
    timeout: 60_000,
  }, async () => {
    for (const node of ['n1', 'n2']) expect((await nsh('agent', 'enable', '-n', node)).status).toBe(0);
    const [web, one] = ['sleep 4001', 'sleep 4002'];
    const start = ['group', 'start', '--wait=20s'];
    expect((await nsh(...start, 'web', '-n', '4', '--', ...web.split(' '))).status).toBe(0);
    expect((await nsh(...start, 'one', '--singleton', '--on', 'n2', '--', ...one.split(' '))).status).toBe(0);
    expect(where(web).toSorted()).toEqual(['n1', 'n1', 'n2', 'n2']);
    // PIDs that nobody has after the boot, where they begin at 1.
    await sh(cluster.host('n2'), 'echo 30000 > /proc/sys/kernel/ns_last_pid');
    const lost = await cluster.start('-n', 'n2', '--', 'sleep', '4003');
    const ended = await cluster.start('-n', 'n2', '--', 'sh', '-c', 'exit 3');
    expect((await nsh('wait', String(ended))).status).toBe(3);

    await reboot('n2');
    await waitUntil(() => where(one).length === 1, 'the singleton on the node that is back');
    await waitUntil(() => where(web).length === 4, 'the group whole again');
    expect(where(one)).toEqual(['n2']);
    const told = await cluster.nsh(['wait', String(lost)], { timeoutMs: 10_000 });
    expect([told.status, told.stderr]).toEqual([
      255,
      expect.stringMatching(/its exit status is not known: the machine went down while it ran/),
    ]);
    expect((await nsh('wait', String(ended))).status).toBe(3);
    const shown = JSON.parse((await nsh('group', 'show', '--json', 'web')).stdout) as { slots: { node: string }[] };
    expect(shown.slots.map(({ node }) => node).toSorted()).toEqual(where(web).toSorted());
    expect((await nsh('scale', '--wait=20s', 'web=6')).status).toBe(0);
    expect(where(web).filter((node) => node === 'n2').length).toBeGreaterThan(0);
  });

  it('and all of them at once, with nobody there: the store on its disk, the groups as they are wanted', {
    timeout: 60_000,
  }, async () => {
    const before = (await nsh('kv', 'put', 'colour', 'red')).status;
    await nsh('agent', 'stop', '-n', 'localhost');
    await Promise.all(['n1', 'n2'].map(reboot));
    const from = performance.now();
    let [most, mostWeb] = [0, 0];
    await waitUntil(
      () => {
        most = Math.max(most, where('sleep 4002').length);
        mostWeb = Math.max(mostWeb, where('sleep 4001').length);
        return where('sleep 4001').length === 6 && where('sleep 4002').length === 1;
      },
      'all groups as before',
      30_000,
    );
    process.stdout.write(
      `groups whole ${Math.round(performance.now() - from)} ms after both nodes were booted (TTL 3000)\n`,
    );
    expect(before).toBe(0);
    expect([Math.max(most, 1), Math.max(mostWeb, 6)]).toEqual([1, 6]);
    expect((await nsh('kv', 'get', 'colour')).stdout).toBe('red');
    const readyOf = async (): Promise<string> => {
      const rows = JSON.parse((await nsh('group', 'ls', '--json')).stdout) as { name: string; ready: number }[];
      return rows.map(({ name, ready }) => `${name} ${ready}`).join();
    };
    await waitUntil(async () => (await readyOf()) === 'one 1,web 6', 'their reports');
    expect([where('sleep 4001').length, where('sleep 4002').length]).toEqual([6, 1]);
  });
});
