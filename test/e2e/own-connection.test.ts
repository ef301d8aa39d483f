/** A stream that stays or carries much moves to an SSH connection of the client's own; nobody notices, and nothing is lost with it. */
import { createHash } from 'node:crypto';
import { execFile } from 'node:child_process';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { clusterFileText } from '../hosts/cluster-file.ts';
import { startCluster, type NshCluster } from './nsh-cluster.ts';
import { NshTerminal } from './nsh-terminal.ts';
import { waitUntil } from './wait-until.ts';

let cluster: NshCluster;
const terminals: NshTerminal[] = [];
beforeAll(async () => {
  cluster = await startCluster({ count: 2 });
});
afterEach(({ task }) => cluster.cleanAfter(task));
afterEach(async () => {
  for (const terminal of terminals.splice(0)) await terminal.close();
});
afterAll(() => cluster.stop());

function onTerminal(args: readonly string[], env: NshCluster['env'] = cluster.env): NshTerminal {
  const terminal = new NshTerminal(args, env);
  terminals.push(terminal);
  return terminal;
}

/** What the host's sshd has said of logins since the beginning. */
const sshdLog = (name: string): string => readFileSync(join(cluster.host(name).facts.directory, 'sshd.log'), 'utf8');
const logins = (name: string): number => sshdLog(name).match(/Accepted \w+/g)?.length ?? 0;

/** The sshd of the newest connection: its session process. */
function newestConnection(name: string): number {
  const { pid = 0 } =
    cluster
      .host(name)
      .processes()
      .filter(({ command }) => /^sshd: \S+$/.test(command))
      .sort((a, b) => a.pid - b.pid)
      .at(-1) ?? {};
  return pid;
}

/** A line every 20 ms until a key ends it. */
const counter = 'i=0; while ! read -r -t 0.02 end; do i=$((i+1)); echo "line $i"; done; exit 5';

function expectEveryLine(terminal: NshTerminal): void {
  const drawn = terminal.shown.replaceAll(/\u001b7\u001b\[24;1H.*?\u001b8/g, '');
  const numbers = [...drawn.matchAll(/^line (\d+)\r$/gm)].map(([, number]) => Number(number));
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
}

async function untilFurther(terminal: NshTerminal, lines = 10): Promise<void> {
  const last = Number([...terminal.shown.matchAll(/^line (\d+)\r$/gm)].at(-1)?.[1] ?? 0);
  await terminal.untilShown(`line ${last + lines}\r`);
}

test("a terminal goes on without this machine's agent, which nothing starts again", async () => {
  const before = logins('n1');
  const terminal = onTerminal(['run', '-n', 'n1', '--', 'bash', '-c', counter]);
  await waitUntil(() => logins('n1') - before === 2, 'a login of its own');
  await untilFurther(terminal);
  for (const pid of cluster.localDaemons()) process.kill(pid, 'SIGKILL');
  await untilFurther(terminal, 50);
  expect(cluster.localDaemons()).toEqual([]);
  terminal.type('\r');
  expect(await terminal.status()).toBe(5);
  expectEveryLine(terminal);
});

test('its own connection is cut: the terminal goes on through the agent, every line drawn once', async () => {
  const before = logins('n1');
  const terminal = onTerminal(['run', '-n', 'n1', '--', 'bash', '-c', counter]);
  await waitUntil(() => logins('n1') - before === 2, 'a login of its own');
  // From the login to the move is a moment, and less than so many lines.
  await untilFurther(terminal, 25);
  const now = logins('n1');
  cluster.host('n1').kill(newestConnection('n1'), 'SIGKILL');
  await untilFurther(terminal);
  await waitUntil(() => logins('n1') > now, 'another login of its own');
  await untilFurther(terminal);
  terminal.type('\r');
  expect(await terminal.status()).toBe(5);
  expectEveryLine(terminal);
});

test('much output, and much input, arrive whole over the connection that they moved to', async () => {
  const before = logins('n2');
  const bytes = 60_000_000;
  const content = Buffer.alloc(bytes, 'the quick brown fox jumps over the lazy dog\n');
  const path = join(cluster.directory, 'content');
  await writeFile(path, content);
  const running = cluster.spawnNsh(['run', '-T', '-n', 'n2', '--', 'sh', '-c', 'tee /dev/stderr | sha256sum']);
  const errors = createHash('sha256');
  let seen = 0;
  running.child.stderr.on('data', (chunk: Buffer) => {
    seen += chunk.length;
    errors.update(chunk);
  });
  running.child.stdin.end(content);
  const { stdout, status } = await running.end(60_000);
  const digest = createHash('sha256').update(content).digest('hex');
  expect([status, stdout, seen, errors.digest('hex')]).toEqual([0, `${digest}  -\n`, bytes, digest]);
  expect(logins('n2') - before).toBe(2);
});

test('where the login asked a person, nobody is asked and the host is not knocked at again', async () => {
  const { hosts } = cluster;
  const key = join(hosts.directory, `with-passphrase-${performance.now()}`);
  const keygen = ['-q', '-t', 'ed25519', '-N', 'hush hush', '-a', '1', '-f', key];
  await promisify(execFile)(hosts.openssh.sshKeygen, keygen);
  const { directory } = cluster.host('n1').facts;
  await appendFile(join(directory, 'authorized_keys'), await readFile(`${key}.pub`, 'utf8'));
  const sshConfig = join(hosts.directory, 'ssh_config-asking');
  await writeFile(sshConfig, (await readFile(hosts.sshConfig, 'utf8')).replaceAll(hosts.userKey, key));
  const file = join(hosts.directory, 'cluster-asking.yaml');
  const facts = hosts.hosts.map((host) => host.facts);
  await writeFile(file, clusterFileText(facts, sshConfig, { cluster: 'asking' }));
  const before = logins('n1');
  const connections = sshdLog('n1').match(/Connection from|Accepted|Connection closed/g)?.length ?? 0;
  const terminal = onTerminal(['run', '-n', 'n1', '--', 'sh', '-c', 'sleep 1.5; echo later; read -r x'], {
    ...cluster.env,
    NSH_CLUSTER: file,
  });
  await terminal.untilShown('Enter passphrase');
  terminal.type('hush hush\r');
  await terminal.untilShown('later');
  expect(logins('n1') - before).toBe(1);
  expect((sshdLog('n1').match(/Connection from|Accepted|Connection closed/g)?.length ?? 0) - connections).toBe(1);
  terminal.type('\r');
  expect(await terminal.status()).toBe(0);
});
