/**
 * Partitions of a real network: nodes in network namespaces, sshd, an etcd of three members, agents, and cables that are pulled. It needs
 * root and ip(8); with CI=true its absence is a failure.
 */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { checkout } from '../hosts/cluster-file.ts';
import { permitsNetworks } from '../hosts/network.ts';
import type { Host } from '../hosts/host.ts';
import { PartedCluster } from './parted-cluster.ts';
import { waitUntil } from './wait-until.ts';

const ttlMs = 3_000;
const isPossible = process.env['CI'] === 'true' || permitsNetworks();
let parted: PartedCluster;

const logOf = (name: string): string => join(parted.cluster.hosts.directory, name);
const linesOf = (name: string): string[] => readFileSync(logOf(name), 'utf8').split('\n').slice(0, -1);
/** Node, or token, of each line, without repetitions one after the other. */
const turnsOf = (name: string): string[] => linesOf(name).filter((line, index, all) => line !== all[index - 1]);
const hostOf = (index: number): Host => parted.cluster.host(`n${index + 1}`);
const others = (index: number): number[] => [0, 1, 2].filter((other) => other !== index);

/** An election of etcd, leases that begin anew with it, an election among the agents: seconds, and more where much else runs. */
const calmMs = 30_000;

/** A replica that tells where it runs, from a session of its own. */
function beating(name: string): string[] {
  writeFileSync(logOf(name), '');
  const beat = `trap "" TERM; while :; do echo $NSH_NODE >>${logOf(name)}; sleep 0.02; done`;
  return ['sh', '-c', `setsid sh -c '${beat}' & exec sleep 2000`];
}

/** A singleton that runs on that node now, and may run elsewhere later. */
async function startSingleton(index: number): Promise<void> {
  for (const other of others(index)) await parted.groups.drain(other + 1, true);
  await parted.groups.start({ name: 'one', command: beating('one'), singleton: true });
  await parted.groups.untilReady('one', 1);
  await waitUntil(() => turnsOf('one').length === 1, 'its first beat');
  for (const other of others(index)) await parted.groups.drain(other + 1, false);
}

async function startGroup(): Promise<void> {
  await parted.groups.start({ name: 'web', command: ['sleep', '1000'], replicas: 3 });
  await parted.groups.untilReady('web', 3);
}

/** As many as are wanted, and none beside them. */
async function expectWhole(): Promise<void> {
  await parted.groups.untilReady('web', 3);
  await parted.groups.untilReady('one', 1);
  await waitUntil(
    () => parted.running('sleep 1000') === 3 && parted.running('sleep 2000') === 1,
    'nothing else to run',
  );
  const before = linesOf('one').length;
  await waitUntil(() => linesOf('one').length > before + 10, 'more beats', calmMs);
}

describe.skipIf(!isPossible)('when cables are pulled', () => {
  beforeAll(async () => {
    parted = await PartedCluster.start(ttlMs);
  });
  afterEach(async () => {
    for (const index of [0, 1, 2]) await parted.network.heal(index);
    for (const name of ['one', 'web']) if (await parted.groups.wanted(name)) await parted.groups.remove(name);
  });
  afterAll(async () => {
    await parted.stop();
  });

  it('of the node with the leader of etcd: its singleton and its lock go elsewhere, and it is refused by its token', {
    timeout: 120_000,
  }, async () => {
    const cut = await parted.etcdLeader();
    const [other = 0] = others(cut);
    await startSingleton(cut);
    await startGroup();
    const resource = makeResource();
    const lock = (word: string): readonly string[] => {
      const nsh = [process.execPath, join(checkout, 'dist/nsh.js')];
      // In a shell: nsenter(1), which takes it to the host, would stand still with its child.
      const inner = ['lock', '--ttl', '3s', 'part', '--', 'sh', '-c', `${resource.use} # ${word}`];
      return ['sh', '-c', '"$@"; exit $?', 'outer', ...nsh, ...inner];
    };
    const [minority, majority] = [hostOf(cut), hostOf(other)];
    const old = minority.exec(lock('old-holder'));
    await waitUntil(() => resource.taken().length > 0, 'the holder to use what it holds');
    // It stands still with all that watches it: nobody can end it in time.
    const frozen = minority
      .processes()
      .filter(({ command }) => /old-holder|nsh-guardian/.test(command) && !command.includes('outer'));
    for (const { pid } of frozen) minority.kill(pid, 'SIGSTOP');
    await parted.network.cut(cut);
    const next = majority.exec(lock('new-holder'));
    await waitUntil(() => resource.taken().length > 1, 'the next holder', calmMs);
    await waitUntil(() => turnsOf('one').length === 2, 'the singleton elsewhere', calmMs);
    await waitUntil(
      async () => {
        const seen = (await parted.groups.replicas('web')).filter(
          ({ node, phase }) => node !== cut + 1 && phase === 'ready',
        );
        return seen.length === 3;
      },
      'the group elsewhere',
      calmMs,
    );
    // The command alone goes on: what it writes is refused.
    for (const { pid, command } of frozen)
      if (command.startsWith('sh -c') && !command.includes('nsh-guardian')) minority.kill(pid, 'SIGCONT');
    await waitUntil(() => resource.refused().length > 0, 'a refusal', calmMs);
    await parted.network.heal(cut);
    for (const { pid } of frozen)
      if (minority.processes().some((each) => each.pid === pid)) minority.kill(pid, 'SIGCONT');
    expect((await old).code).not.toBe(0);
    expect((await old).stderr).toContain('has ended');
    resource.finish();
    expect((await next).code).toBe(0);
    const [first = 0n, second = 0n, ...more] = resource.taken();
    expect([second > first, more, new Set(resource.refused())]).toEqual([true, [], new Set([first])]);
    await expectWhole();
    expect(turnsOf('one')).toHaveLength(2);
    expect(turnsOf('one')[0]).toBe(String(cut + 1));
  });

  it('of all nodes: the singleton ends, all others go on, and it runs again when they are joined', {
    timeout: 120_000,
  }, async () => {
    await startSingleton(0);
    await startGroup();
    const before = await parted.groups.untilReady('web', 3);
    for (const index of [0, 1, 2]) await parted.network.cut(index);
    await waitUntil(() => parted.running('sleep 2000') === 0, 'the end of the singleton', calmMs);
    expect(parted.running('sleep 1000')).toBe(3);
    for (const index of [0, 1, 2]) await parted.network.heal(index);
    await waitUntil(() => parted.running('sleep 2000') === 1, 'the singleton', calmMs);
    await expectWhole();
    const after = await parted.groups.untilReady('web', 3);
    expect(after.map(({ node, pid }) => [node, pid])).toEqual(before.map(({ node, pid }) => [node, pid]));
  });
});

/** Something outside that is used by whoever has a lock, and refuses a token below the highest that it has seen. */
function makeResource(): {
  readonly use: string;
  readonly taken: () => bigint[];
  readonly refused: () => bigint[];
  readonly finish: () => void;
} {
  for (const name of ['highest', 'taken', 'refused', 'finish']) writeFileSync(logOf(name), '');
  const script = `
while [ ! -s ${logOf('finish')} ]; do
  read -r highest <${logOf('highest')}
  if [ "$NSH_FENCING_TOKEN" -lt "\${highest:-0}" ]; then
    echo "$NSH_FENCING_TOKEN" >>${logOf('refused')}
  elif [ "$NSH_FENCING_TOKEN" != "$highest" ]; then
    echo "$NSH_FENCING_TOKEN" >${logOf('highest')}
    echo "$NSH_FENCING_TOKEN" >>${logOf('taken')}
  fi
  sleep 0.02
done`;
  const tokens = (name: string): bigint[] => linesOf(name).map(BigInt);
  return {
    use: script,
    taken: () => tokens('taken'),
    refused: () => tokens('refused'),
    finish: () => appendFileSync(logOf('finish'), 'now'),
  };
}
