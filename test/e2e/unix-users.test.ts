/**
 * Two Unix users of the same nodes, whose clusters have the same name: each has agents, names, groups, locks and a store of its own, with the
 * embedded store as well as in one etcd where each has a password and a role for its own keys.
 */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isolation } from '../hosts/namespaces.ts';
import { startHosts, type Hosts } from '../hosts/start-hosts.ts';
import { EtcdCluster } from '../store/etcd/cluster.ts';
import { EtcdUsers } from '../store/etcd/users.ts';
import { canBeUsers, checkOthersMayRun, UnixUser } from './unix-users.ts';
import { waitUntil } from './wait-until.ts';

const passwords = { ann: 'correct horse', bob: 'battery staple' } as const;

describe.skipIf(!canBeUsers || isolation() !== 'root')('two Unix users with clusters of one name', () => {
  let hosts: Hosts;
  let ann: UnixUser;
  let bob: UnixUser;

  beforeAll(async () => {
    checkOthersMayRun();
    hosts = await startHosts({ count: 2 });
    ann = new UnixUser(hosts, 'ann', 47_111);
    bob = new UnixUser(hosts, 'bob', 47_112);
  });
  afterAll(async () => {
    await Promise.all([ann.stop(), bob.stop()]);
    await hosts.stop();
  });

  const out = async (user: UnixUser, ...words: readonly string[]): Promise<string> => {
    const { status, stdout, stderr } = await user.nsh(words);
    // Once another store is named the commands tell of the one before.
    const said = stderr.replace(/^nsh \w+: until .* the embedded one on n1: .*\n/gm, '');
    expect([words.join(' '), status, said]).toEqual([words.join(' '), 0, '']);
    return stdout;
  };

  /** Ann has one of everything; Bob sees none of it, and gets all the same things at once. */
  const expectNeitherInTheWay = async (): Promise<void> => {
    const held = ['lock', 'sem', 'elect'].map((verb) => {
      const size = verb === 'sem' ? ['-n', '1'] : [];
      return ann.spawn([verb, ...size, 'door', '--', 'sh', '-c', 'echo has it; read line']);
    });
    held.push(ann.spawn(['name', 'db/primary', 'anns', '--', 'sh', '-c', 'echo has it; read line']));
    const barrier = ann.spawn(['barrier', '-n', '2', 'gate']);
    await Promise.all([
      out(ann, 'kv', 'put', 'colour', 'red'),
      out(ann, 'counter', 'hits', '+41'),
      ...held.map((each) => each.untilStdout('has it')),
      waitUntil(async () => (await out(ann, 'locks')).includes('gate'), 'the barrier of Ann'),
    ]);

    expect(JSON.parse(await out(bob, 'locks', '--json'))).toEqual({ claims: [], deadlocks: [] });
    const [names, values, get, counter, shown, ...mine] = await Promise.all([
      out(bob, 'name', '-l'),
      out(bob, 'kv', 'ls'),
      bob.nsh(['kv', 'get', 'colour']),
      out(bob, 'counter', 'hits', '+1'),
      out(bob, 'ps', '-e', '-o', 'comm=,locks='),
      ...[['lock'], ['sem', '-n', '1'], ['elect']].map(([verb = '', ...size]) =>
        out(bob, verb, '--try', ...size, 'door', '--', 'echo', 'mine'),
      ),
    ]);
    expect([names, values, get.status, counter]).toEqual(['', '', 1, '1\n']);
    expect(mine).toEqual(['mine\n', 'mine\n', 'mine\n']);
    expect(shown).not.toMatch(/\b(?:semaphore|election|barrier|name):/);
    // Ann's one member at the gate does not count, and her name is not taken.
    const [alone, named] = await Promise.all([
      bob.nsh(['barrier', '-n', '2', '-t', '200ms', 'gate']),
      out(bob, 'name', 'db/primary', 'bobs', '--', 'echo', 'mine too'),
    ]);
    expect([alone.status, named]).toEqual([124, 'mine too\n']);
    for (const each of held) each.child.stdin.end('\n');
    for (const each of held) expect((await each.end()).status).toBe(0);
    barrier.kill('SIGTERM');
    const [hits, colour] = await Promise.all([
      out(ann, 'counter', 'hits'),
      out(ann, 'kv', 'get', 'colour'),
      barrier.end(),
    ]);
    expect([hits, colour]).toEqual(['41\n', 'red']);
  };

  const replicas = (user: UnixUser, node: string): number[] =>
    hosts
      .host(node)
      .processes()
      .filter(({ command }) => command.startsWith(`sleep ${user.uid}`))
      .map(({ pid }) => pid);

  /** A group of the same name for both. */
  const expectOwnGroups = async (on: string, count: number): Promise<void> => {
    const starts = [ann, bob].map((user) =>
      out(
        user,
        'group',
        'start',
        '--wait=20s',
        'web',
        '-n',
        String(count),
        '--on',
        on,
        '--',
        'sleep',
        String(user.uid),
      ),
    );
    await Promise.all(starts);
    const nodes = on.split(',');
    const all = (user: UnixUser): number[] => nodes.flatMap((node) => replicas(user, node));
    expect([all(ann).length, all(bob).length]).toEqual([count, count]);
    for (const user of [ann, bob]) {
      const owners = nodes.flatMap((node) =>
        hosts
          .host(node)
          .processes()
          .filter(({ pid, command }) => command.startsWith('sleep') && replicas(user, node).includes(pid))
          .map(({ outerPid }) => statSync(`/proc/${outerPid}`).uid),
      );
      expect(new Set(owners)).toEqual(new Set([user.uid]));
    }
    const annsPids = all(ann);
    await out(bob, 'scale', '--wait=20s', 'web=1');
    await out(bob, 'group', 'rm', '--wait=20s', 'web');
    expect(all(bob)).toEqual([]);
    expect(all(ann)).toEqual(annsPids);
    expect(await out(bob, 'group', 'ls', '--json')).toBe('[]\n');
    const gpid = String(10_000_000 + (replicas(ann, 'n1')[0] ?? 0));
    const kill = await bob.nsh(['kill', '-KILL', gpid]);
    expect([kill.status, kill.stderr]).toEqual([1, expect.stringMatching(/not permitted|may not/i)]);
    expect(all(ann)).toEqual(annsPids);
    await out(ann, 'group', 'rm', '--wait=20s', 'web');
  };

  it('have each an embedded store of their own', { timeout: 60_000 }, async () => {
    await expectNeitherInTheWay();
    await expectOwnGroups('n1', 2);
    expect(ann.stateHome).not.toBe(bob.stateHome);
  });

  it('cannot reach each other’s agents, shims and state', async () => {
    const state = `${ann.homeOn('n1')}/.local/state/nsh/test/1`;
    const sockets = readdirSync(state).filter((name) => name.endsWith('.sock'));
    expect(sockets).toContain('agent.sock');
    for (const name of sockets) expect(statSync(join(state, name)).mode & 0o077).toBe(0);
    for (const path of [...ann.files(state), ...ann.files(ann.stateHome)])
      expect([path, await bob.run(['cat', path])]).toEqual([path, 1]);
    const socket = join(state, 'agent.sock');
    const script = `require('net').connect(${JSON.stringify(socket)}).on('connect', () => process.exit(0)).on('error', () => process.exit(9))`;
    expect(await bob.run([process.execPath, '-e', script])).toBe(9);
    expect(await ann.run([process.execPath, '-e', script])).toBe(0);
  });

  describe('in one etcd that asks for users', () => {
    let etcd: EtcdCluster;
    beforeAll(async () => {
      etcd = await EtcdCluster.start({ members: 1, options: { 'bcrypt-cost': '4' } });
      const users = await EtcdUsers.enable(etcd.urls[0] ?? '');
      for (const user of [ann, bob]) {
        const password = passwords[user.name as keyof typeof passwords];
        await users.add(user.name, password, `nsh/test/${user.name}/`);
        for (const home of [user.directory, ...hosts.hosts.map(({ name }) => user.homeOn(name))])
          user.writeFile(join(home, 'etcd-password'), `${password}\n`, 0o600);
        user.writeClusterFile(`store: {etcd: ${JSON.stringify(etcd.urls)}, passwordFile: ~/etcd-password}`);
      }
    });
    afterAll(() => etcd.stop());

    it('have each keys of their own', { timeout: 60_000 }, async () => {
      for (const user of [ann, bob])
        await waitUntil(
          async () => (await user.nsh(['store', 'status', '--json'])).stdout.includes('"etcd"'),
          'the agent to follow',
        );
      for (const user of [ann, bob])
        expect((await user.nsh(['group', 'ls'])).stderr).toMatch(/until .* the embedded one on n1/);
      await expectNeitherInTheWay();
      await expectOwnGroups('n1,n2', 2);
    });

    it('keep the password out of command lines, environments, logs and whatever agents write', async () => {
      for (const user of [ann, bob]) {
        const secret = passwords[user.name as keyof typeof passwords];
        const homes = hosts.hosts.map(({ name }) => user.homeOn(name));
        const written = [user.directory, ...homes].flatMap((home) => [...user.files(home)]);
        expect(written.length).toBeGreaterThan(10);
        for (const path of written)
          expect([path, !path.endsWith('/etcd-password') && readFileSync(path, 'latin1').includes(secret)]).toEqual([
            path,
            false,
          ]);
        const own = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && isOf(pid, user.uid));
        expect(own.length).toBeGreaterThan(1);
        for (const pid of own)
          for (const file of ['cmdline', 'environ'])
            expect([pid, file, read(`/proc/${pid}/${file}`).includes(secret)]).toEqual([pid, file, false]);
      }
    });

    it('are told what is missing where one names the other’s keys', async () => {
      bob.writeClusterFile(
        `store: {etcd: ${JSON.stringify(etcd.urls)}, user: ann, login: bob, passwordFile: ~/etcd-password}`,
      );
      const { status, stderr } = await bob.nsh(['kv', 'get', 'colour']);
      expect([status, stderr]).toEqual([
        255,
        expect.stringContaining(
          "a role of user 'bob' must let it read and write all keys that begin with nsh/test/ann/",
        ),
      ]);
      bob.writeFile(join(bob.directory, 'etcd-password'), 'battery staple\n', 0o644);
      bob.writeClusterFile(
        `store: {etcd: ${JSON.stringify(etcd.urls)}, user: bob, login: bob, passwordFile: ~/etcd-password}`,
      );
      const open = await bob.nsh(['kv', 'get', 'colour']);
      expect([open.status, open.stderr]).toEqual([
        2,
        expect.stringMatching(/etcd-password may be used by others \(mode 0644\): chmod 600 it/),
      ]);
    });
  });
});

function isOf(pid: string, uid: number): boolean {
  try {
    return statSync(`/proc/${pid}`).uid === uid;
  } catch {
    return false; // It has ended meanwhile.
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return ''; // It has ended meanwhile.
  }
}
