/** A client that dies leaves nothing behind: no request, connection or stream in any agent or shim. */
import { readdirSync, readlinkSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startCluster, type NshCluster } from './nsh-cluster.ts';
import { NshTerminal } from './nsh-terminal.ts';
import { waitUntil } from './wait-until.ts';

let cluster: NshCluster;
let gpid: number;
beforeAll(async () => {
  cluster = await startCluster({ count: 2 });
  gpid = await cluster.start('-t', '-n', 'n1', '--', 'sleep', '1000');
  // Both links, the shim's connections and whatever is opened once are there from now on.
  await cluster.nsh(['run', '--all', '--', 'true']);
  await cluster.nsh(['logs', String(gpid)]);
});
afterAll(() => cluster.stop());

/** Sockets that each daemon has open, this machine's agent and what runs on the hosts. */
function openSockets(): Record<string, number> {
  const daemons = cluster.hosts.hosts.flatMap((host) =>
    host
      .processes()
      .filter(({ command }) => command.startsWith('nsh-'))
      .map(({ outerPid, command }) => [`${host.name} ${command.split(' ')[0]}`, outerPid] as const),
  );
  const all = [...daemons, ...cluster.localDaemons().map((pid) => ['localhost nsh-agent', pid] as const)];
  return Object.fromEntries(all.map(([name, pid]) => [name, socketsOf(pid)]));
}

function socketsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).filter((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith('socket:');
    } catch {
      return false; // Closed since it was listed.
    }
  }).length;
}

async function untilAsBefore(before: Record<string, number>): Promise<void> {
  let now = {};
  await waitUntil(() => {
    now = openSockets();
    return JSON.stringify(now) === JSON.stringify(before);
  }, 'as many open sockets as before').catch((error: unknown) => {
    throw new Error(`${String(error)}: ${JSON.stringify(before)}, now ${JSON.stringify(now)}`);
  });
}

test('clients that wait, follow, run or look on and are killed leave no connection', async () => {
  const before = openSockets();
  expect(Object.keys(before).sort()).toEqual([
    'localhost nsh-agent',
    'n1 nsh-agent',
    'n1 nsh-shim',
    'n2 nsh-agent',
    'n2 nsh-shim',
  ]);
  const commands = [
    ['wait', String(gpid)],
    ['wait', String(gpid)],
    ['logs', '-f', String(gpid)],
    ['run', '-T', '-n', 'n2', '--on-disconnect=kill', '--', 'cat'],
    ['run', '--all', '--on-disconnect=kill', '--', 'cat'],
  ];
  const clients = commands.map((args) => cluster.spawnNsh(args));
  const terminal = new NshTerminal(['attach', String(gpid)], cluster.env);
  await waitUntil(
    () =>
      Object.entries(openSockets()).every(([name, count]) => count > (before[name] ?? 0) || name.endsWith('-agent')),
    'the streams',
  );
  await waitUntil(
    () => (openSockets()['localhost nsh-agent'] ?? 0) >= (before['localhost nsh-agent'] ?? 0) + clients.length,
    'the clients',
  );
  for (const client of clients) client.kill('SIGKILL');
  await terminal.close();
  await Promise.all(clients.map((client) => client.ended));
  await untilAsBefore(before);
});

test('fifty clients that are killed while they start leave no connection', async () => {
  const before = openSockets();
  for (let round = 0; round < 5; round++) {
    const clients = Array.from({ length: 10 }, (_, index) =>
      cluster.spawnNsh(index % 2 === 0 ? ['ps', '-e'] : ['logs', String(gpid)]),
    );
    await new Promise((resolve) => {
      setTimeout(resolve, 60 + round * 60);
    });
    for (const client of clients) client.kill('SIGKILL');
    await Promise.all(clients.map((client) => client.ended));
  }
  await untilAsBefore(before);
  expect((await cluster.nsh(['ps', '-e'])).status).toBe(0);
});

test('a process that nobody was told of does not stay: its client was killed while it was being started', async () => {
  for (let round = 0; round < 8; round++) {
    const client = cluster.spawnNsh(['run', '-T', '-n', 'n2', '--on-disconnect=kill', '--', 'sleep', '7777']);
    await new Promise((resolve) => {
      setTimeout(resolve, 80 + round * 15);
    });
    client.kill('SIGKILL');
    await client.ended;
  }
  const left = (): number =>
    cluster
      .host('n2')
      .processes()
      .filter(({ command }) => command === 'sleep 7777').length;
  await expect.poll(left, { timeout: 25_000 }).toBe(0);
});
