/** Stages of a pipeline on two real hosts, of which the first can log in to the second: what flows between them does not come by here. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clusterFileText } from '../hosts/cluster-file.ts';
import { startCluster, type NshCluster } from './nsh-cluster.ts';
import { waitUntil } from './wait-until.ts';

let cluster: NshCluster;
beforeAll(async () => {
  cluster = await startCluster({ count: 5 });
  const { hosts, sshConfig } = cluster.hosts;
  const facts = hosts.map((host) => host.facts);
  const directory = join(cluster.host('n1').home, '.config/nsh');
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'cluster.yaml'), clusterFileText(facts, sshConfig, {}));
}, 60_000);
afterAll(() => cluster.stop(), 60_000);

const feeders = (name: string): number =>
  cluster
    .host(name)
    .processes()
    .filter(({ command }) => command.includes('nsh-agent.js feed')).length;

const bytes = 20_000_000;
const make = `head -c ${bytes} /dev/zero | openssl enc -aes-128-ctr -pass pass:x -nosalt 2>/dev/null`;

describe.each([
  ['straight from the first host', '@n1', '@n2'],
  ['by here, where the first cannot log in to the other', '@n2', '@n1'],
])('%s', (_way, from, to) => {
  it('every byte comes, in order, with the statuses of both', async () => {
    const script = `${from} { ${make}; exit 3; } | ${to} sha256sum; echo "\${PIPESTATUS[@]}"; { ${make}; } | sha256sum`;
    const { stdout, stderr } = await cluster.nsh(['-c', script], { timeoutMs: 60_000 });
    expect(stderr).toBe('');
    const [there, statuses, here] = stdout.trim().split('\n');
    expect(there).toBe(here);
    expect(statuses).toBe('3 0');
  });

  it('a reader that goes ends the writer, and little comes whole', async () => {
    const script = `${from} yes | ${to} head -c 5000000 | wc -c; ${from} echo little | ${to} cat; echo "\${PIPESTATUS[@]}"`;
    const { stdout } = await cluster.nsh(['-c', script], { timeoutMs: 60_000 });
    expect(stdout).toBe('5000000\nlittle\n0 0\n');
  });
});

it('the agent of the first host carries what is much, and nobody feeds what is little', async () => {
  const much = cluster.spawnNsh(['-c', '@n1 yes | @n2 cat >/dev/null']);
  await waitUntil(() => feeders('n1') > 0, 'the feeder runs');
  much.child.kill('SIGINT');
  expect(await much.ended).toMatchObject({ status: 130 });
  await waitUntil(() => feeders('n1') === 0, 'it has gone');
  const little = cluster.spawnNsh(['-c', '@n1 { echo one; read -t 2 <> <(:); } | @n2 cat']);
  await waitUntil(() => little.stdout.includes('one'), 'the first line');
  expect(feeders('n1')).toBe(0);
  await little.ended;
});

it('a host that is gone for longer than --stream-timeout ends the job with 255, and its writer', async () => {
  // One that no earlier try has ended.
  const host = cluster.hosts.hosts.find((each) => each.id > 2 && each.processes().length > 0);
  if (host === undefined) throw new Error('no host is left to be ended');
  const running = cluster.spawnNsh([
    '--stream-timeout',
    '1',
    '-c',
    `@n1 yes | @${host.name} cat >/dev/null; echo "$?"`,
  ]);
  await waitUntil(() => feeders('n1') > 0, 'the feeder runs');
  await host.stop();
  const { stdout, stderr } = await running.ended;
  expect(stdout).toBe('255\n');
  expect(stderr).toContain(host.name);
  await waitUntil(() => feeders('n1') === 0, 'the feeder has gone');
  await waitUntil(
    () =>
      cluster
        .host('n1')
        .processes()
        .every(({ command }) => command !== 'yes'),
    'yes has gone',
  );
});
