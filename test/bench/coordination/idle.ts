/** What it costs that 500 processes over eight nodes are supervised and nothing happens: processor time, and what the store is asked. */
import { readFileSync } from 'node:fs';
import type { Figure } from '../stats.ts';
import { cpuMs } from '../terminal.ts';
import { daemons, gather, sleep, type GroupSetting } from './setting.ts';

const groupCount = 10;
const replicas = 50;

/** @param settleSeconds until what was started is at rest: V8 tidies up its heap up to half a minute after it was used last. */
export async function benchIdle(setting: GroupSetting, settleSeconds: number, seconds: number): Promise<Figure[]> {
  const { groups, who, etcd } = setting;
  const alone = etcd === undefined ? undefined : await measure(setting, seconds);
  const disband = await gather(setting);
  const names = Array.from({ length: groupCount }, (_, index) => `idle${index}`);
  for (const name of names) await groups.start({ name, command: ['sleep', '100000'], replicas });
  for (const name of names) await groups.untilReady(name, replicas, 60_000);
  await sleep(settleSeconds * 1000);
  const { cpu, traffic } = await measure(setting, seconds);
  for (const name of names) await groups.remove(name);
  await disband();
  const work = `${groupCount * replicas} supervised processes at rest`;
  const figure = (what: string, value: number, unit: Figure['unit'], name = who): Figure => {
    return { work: `${work}: ${what}`, who: name, value, unit };
  };
  const ours = cpu.agents + cpu.shims;
  const writes = traffic.writes;
  return [
    figure('processor use, agents of 8 nodes', cpu.agents, '%'),
    figure('processor use, shims of 8 nodes', cpu.shims, '%'),
    { ...figure('processor use, all of nsh', ours, '%'), goal: ['under 1 % of one processor', ours < 1] },
    figure('processor use, sshd of 8 nodes', cpu.sshd, '%'),
    ...(alone === undefined
      ? []
      : [
          figure('processor use, etcd of three', cpu.store, '%'),
          figure('processor use, etcd of three', alone.cpu.store, '%', 'etcd that nobody uses'),
        ]),
    ...(traffic.requests === undefined ? [] : [figure('requests to the store', traffic.requests, '/s')]),
    figure('bytes from and to the store', traffic.bytes / 1000, 'kB/s'),
    { ...figure('writes in the store', writes, '/s'), goal: ['none but of free memory, under 0.1 /s', writes < 0.1] },
  ];
}

interface Use {
  /** Percent of one processor. */
  readonly cpu: { readonly agents: number; readonly shims: number; readonly sshd: number; readonly store: number };
  /** A second. */
  readonly traffic: { readonly requests: number | undefined; readonly bytes: number; readonly writes: number };
}

async function measure(setting: GroupSetting, seconds: number): Promise<Use> {
  const { etcd } = setting;
  const sets = {
    agents: daemons(setting, 'nsh-agent'),
    shims: daemons(setting, 'nsh-shim'),
    sshd: daemons(setting, 'sshd'),
    store: etcd?.members.map(({ pid }) => pid) ?? [],
  };
  const used = (): number[] => Object.values(sets).map((pids) => pids.reduce((sum, pid) => sum + cpuMs(pid), 0));
  const count = async (): Promise<Counts> =>
    etcd === undefined ? await countEmbedded(setting) : await countEtcd(etcd.urls);
  const countBefore = await count();
  const [before, from] = [used(), performance.now()];
  await sleep(seconds * 1000);
  const [after, tookMs] = [used(), performance.now() - from];
  const countAfter = await count();
  const [agents = 0, shims = 0, sshd = 0, store = 0] = after.map(
    (value, index) => ((value - (before[index] ?? 0)) / tookMs) * 100,
  );
  const each = (name: keyof Counts): number => ((countAfter[name] - countBefore[name]) * 1000) / tookMs;
  const requests = etcd === undefined ? undefined : each('requests');
  return { cpu: { agents, shims, sshd, store }, traffic: { requests, bytes: each('bytes'), writes: each('writes') } };
}

interface Counts {
  readonly requests: number;
  readonly bytes: number;
  readonly writes: number;
}

/** As etcd itself counts: messages of calls and streams, and the bytes of both ways; and how far its revision is. */
async function countEtcd(urls: readonly string[]): Promise<Counts> {
  const texts = await Promise.all(urls.map(async (url) => await (await fetch(`${url}/metrics`)).text()));
  const sum = (pattern: RegExp): number =>
    texts.reduce(
      (all, text) => all + [...text.matchAll(pattern)].reduce((part, [, value]) => part + Number(value), 0),
      0,
    );
  const most = (pattern: RegExp): number =>
    Math.max(...texts.map((text) => Number([...text.matchAll(pattern)][0]?.[1] ?? 0)));
  return {
    requests: sum(/^grpc_server_msg_received_total\{.*\} (\S+)$/gm),
    bytes: sum(/^etcd_network_client_grpc_(?:received|sent)_bytes_total (\S+)$/gm),
    writes: most(/^etcd_debugging_mvcc_current_revision (\S+)$/gm),
  };
}

/** What the agent with the store reads and writes in all; and the revision, from its own files. */
async function countEmbedded({ cluster }: GroupSetting): Promise<Counts> {
  const [host] = cluster.hosts.hosts;
  const agent = host?.processes().find(({ command }) => command.startsWith('nsh-agent'));
  const io = readFileSync(`/proc/${agent?.outerPid}/io`, 'utf8');
  const field = (name: string): number => Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(io)?.[1]);
  const { stdout } = await cluster.nsh(['store', 'status', '--json', '-n', 'n1']);
  const { revision } = JSON.parse(stdout) as { revision: string };
  return { requests: 0, bytes: field('rchar') + field('wchar'), writes: Number(revision) };
}
