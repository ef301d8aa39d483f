/** The primitives from other nodes of real hosts: run there, in pipelines and loops, and what becomes of what a node holds that dies. */
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startCluster, type NshCluster } from './nsh-cluster.ts';
import { waitUntil } from './wait-until.ts';

let cluster: NshCluster;
beforeAll(async () => {
  cluster = await startCluster({ count: 3 });
  for (const { home } of cluster.hosts.hosts) {
    mkdirSync(join(home, '.config/nsh'), { recursive: true });
    copyFileSync(cluster.file, join(home, '.config/nsh/cluster.yaml'));
  }
});
afterAll(() => cluster.stop());

const nsh = async (...words: readonly string[]) => {
  const { status, stdout, stderr } = await cluster.nsh(words);
  return { status, stdout, stderr };
};
const line = async (text: string): Promise<string> => {
  const { stdout, stderr } = await nsh('-c', text);
  return stdout + stderr;
};
interface Claim {
  readonly kind: string;
  readonly name: string;
  readonly state: string;
  readonly pid: number;
  readonly node: string;
}
const claims = async (): Promise<string[]> => {
  const { claims: all } = JSON.parse((await nsh('locks', '--json')).stdout) as { claims: Claim[] };
  return all.map(({ kind, name, state, pid, node }) => `${kind} ${name} ${state} ${pid} ${node}`);
};

it('count, keep and exclude across nodes, in pipelines, loops and substitutions', { timeout: 60_000 }, async () => {
  expect(
    await line(
      [
        'for i in 1 2 3; do @n2 nsh counter x +1; done | tr "\\n" " "; echo',
        '@n[1-3] nsh counter x +1 >/dev/null; v=$(@n3 nsh counter x); echo "<$v>"',
        '@n2 echo blue | @n3 nsh kv put colour; nsh kv get colour | @n2 tr a-z A-Z',
        '@n2 nsh lock door -- sh -c \'echo "$NSH_NODE"; nsh lock --try door -- echo both\' ; echo $?',
        '@n3 nsh lock door -- echo free | @n1 cat',
      ].join('\n'),
    ),
  ).toMatch(/^1 2 3 \n<6>\nBLUE\n2\n75\nfree\nnsh lock: lock 'door' is taken by 2\d{7} on n2 .*\n$/);
});

it('name who holds by the node’s cluster PID, and each node waits for the other', { timeout: 60_000 }, async () => {
  const holder = await cluster.start('-n', 'n2', '--', 'nsh', 'lock', 'door', '--', 'sleep', '1000');
  await waitUntil(async () => (await claims()).length === 1, 'the lock on n2');
  const waiter = cluster.spawnNsh([
    'run',
    '-n',
    'n3',
    '--',
    'nsh',
    'lock',
    'door',
    '--',
    'sh',
    '-c',
    'echo "$NSH_NODE has it"',
  ]);
  await waitUntil(async () => (await claims()).length === 2, 'the waiter on n3');
  const seen = await claims();
  expect(seen).toEqual([`lock door holds ${holder} n2`, expect.stringMatching(/^lock door waits 3\d{7} n3$/)]);
  const shown = (await nsh('ps', '-A', '-o', 'pid=,locks=,waits=')).stdout
    .split('\n')
    .map((row) => row.trim().split(/ +/).join(' '));
  expect(shown).toContain(`${holder} lock:door -`);
  expect(shown).toContain(`${seen[1]?.split(' ')[3]} - lock:door`);
  expect((await nsh('kill', String(holder))).status).toBe(0);
  expect(await waiter.end()).toMatchObject({ status: 0, stdout: '3 has it\n' });
});

it('are free within the TTL when the node dies that holds them', { timeout: 60_000 }, async () => {
  const ttlMs = 3_000;
  const held = ['-n', 'n2', '--', 'nsh'];
  await cluster.start(...held, 'lock', '--ttl=3', 'door', '--', 'sleep', '1000');
  await cluster.start(...held, 'name', '--ttl=3', 'db/primary', 'n2:5432', '--', 'sleep', '1000');
  await cluster.start(...held, 'elect', '--ttl=3', 'chief', '--', 'sleep', '1000');
  await waitUntil(
    async () => (await claims()).length === 2 && (await nsh('name', '-l')).stdout !== '',
    'what n2 holds',
  );
  const next = cluster.spawnNsh(['lock', 'door', '--', 'echo', 'mine']);
  await waitUntil(async () => (await claims()).length === 3, 'who waits for it');
  const from = performance.now();
  await cluster.host('n2').stop();
  expect(await next.end()).toMatchObject({ status: 0, stdout: 'mine\n' });
  const tookMs = Math.round(performance.now() - from);
  process.stdout.write(`a lock is free ${tookMs} ms after its node has died (TTL ${ttlMs})\n`);
  // One more for the program to end on a machine that is busy.
  expect(tookMs).toBeLessThan(ttlMs + 2_000);
  await waitUntil(
    async () => (await nsh('name', '-l')).stdout === '' && (await claims()).length === 0,
    'the end of the others',
  );
});
