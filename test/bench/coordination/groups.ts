/** A group of 100 over eight nodes, 200 and 100 again, by the command that a person gives; against starting as many processes and no more. */
import { waitUntil } from '../../e2e/wait-until.ts';
import { run } from '../setting.ts';
import { median, time, type Figure } from '../stats.ts';
import { cpuMs } from '../terminal.ts';
import { daemons, gather, type GroupSetting } from './setting.ts';

const small = 100;
const large = 200;
const argv = ['sleep', '100000'];

export async function benchGroups(setting: GroupSetting, runs: number): Promise<Figure[]> {
  const { cluster, who } = setting;
  const nsh = async (...words: string[]): Promise<number> => {
    const { status, stderr, tookMs } = await cluster.nsh(words, { timeoutMs: 120_000 });
    if (status !== 0) throw new Error(`nsh ${words.join(' ')}: ${status} ${stderr}`);
    return tookMs;
  };
  const disband = await gather(setting);
  const spawned = await timeBare(setting, runs);
  const shell = await timeShell(setting, runs);
  const [starts, ups, downs, cpus]: number[][] = [[], [], [], []];
  const used = (): number =>
    [...daemons(setting, 'nsh-agent'), ...daemons(setting, 'nsh-shim')].reduce((sum, pid) => sum + cpuMs(pid), 0);
  for (let i = -1; i < runs; i++) {
    const start = await nsh('group', 'start', '--wait', 'web', '-n', `${small}`, '--', ...argv);
    const before = used();
    const up = await nsh('scale', '--wait', `web=${large}`);
    const cpu = used() - before;
    const down = await nsh('scale', '--wait', `web=${small}`);
    await nsh('group', 'rm', '--wait', 'web');
    if (i < 0) continue;
    starts?.push(start);
    ups?.push(up);
    cpus?.push(cpu);
    downs?.push(down);
  }
  await disband();
  const figure = (work: string, name: string, value: number): Figure => {
    return { work, who: name, value, unit: 'ms', ratio: (value / spawned.wallMs).toFixed(2) };
  };
  return [
    figure(`${small} processes more over 8 nodes`, 'run on the agents, all at once', spawned.wallMs),
    figure(`${small} processes more over 8 nodes`, 'sh -c … & over ssh', shell),
    figure(`group start --wait of ${small}`, who, median(starts ?? [])),
    figure(`scale --wait from ${small} to ${large}`, who, median(ups ?? [])),
    figure(`scale --wait from ${large} to ${small}`, who, median(downs ?? [])),
    {
      work: `${small} more: processor time of agents and shims`,
      who: 'run on the agents, all at once',
      value: spawned.cpuMs,
      unit: 'ms',
      ratio: '1',
    },
    {
      work: `${small} more: processor time of agents and shims`,
      who,
      value: median(cpus ?? []),
      unit: 'ms',
      ratio: (median(cpus ?? []) / spawned.cpuMs).toFixed(2),
    },
  ];
}

/** Processes as a group's are, started on all nodes at once by this machine's agent, and nobody who watches over them. */
async function timeBare(setting: GroupSetting, runs: number): Promise<{ wallMs: number; cpuMs: number }> {
  const { client } = setting.groups;
  const [walls, cpus]: [number[], number[]] = [[], []];
  for (let i = -1; i < runs; i++) {
    const pids = [...daemons(setting, 'nsh-agent'), ...daemons(setting, 'nsh-shim')];
    const used = (): number => pids.reduce((sum, pid) => sum + cpuMs(pid), 0);
    const before = used();
    const began = performance.now();
    const started = await Promise.all(
      Array.from({ length: small }, async (_, index) => {
        const node = client.nodes[index % client.nodes.length];
        if (node === undefined) throw new Error('no node');
        const starter = { gpid: 0, user: 'bench', host: 'bench' };
        const process = await client.call(node, 'run', {
          argv,
          io: 'pipes',
          stdin: 'null',
          keepBytes: 8 << 20,
          onDisconnect: 'keep',
          starter,
        });
        return { node, process };
      }),
    );
    const wallMs = performance.now() - began;
    if (i >= 0) walls.push(wallMs);
    if (i >= 0) cpus.push(used() - before);
    await Promise.all(started.map(({ node, process }) => client.call(node, 'kill', { targets: [process], signal: 9 })));
  }
  return { wallMs: median(walls), cpuMs: median(cpus) };
}

/** What people do without all this, over connections that are there. */
async function timeShell({ cluster }: GroupSetting, runs: number): Promise<number> {
  const { hosts, sshConfig } = cluster.hosts;
  const each = Math.ceil(small / hosts.length);
  const loop = `for i in $(seq ${each}); do ${argv.join(' ')} </dev/null >/dev/null 2>&1 & done`;
  const options = ['-F', sshConfig, '-o', 'ControlMaster=auto', '-o', `ControlPath=${cluster.directory}/%C`];
  const all = async (words: string): Promise<void> => {
    await Promise.all(
      hosts.map(({ name }) => run('ssh', [...options, '-o', 'ControlPersist=60', name, words], process.env)),
    );
  };
  const isLeft = (): boolean =>
    hosts.some((host) => host.processes().filter(({ command }) => command === argv.join(' ')).length > 1);
  const times: number[] = [];
  for (let i = -1; i < runs; i++) {
    const [took = 0] = await time(1, 0, () => all(loop));
    if (i >= 0) times.push(took);
    await all("pkill -9 -P 1 -f '^sleep 100000$' || true");
    await waitUntil(() => !isLeft(), 'the end of what was started over ssh');
  }
  await Promise.all(hosts.map(({ name }) => run('ssh', [...options, '-O', 'exit', name], process.env)));
  return median(times);
}
