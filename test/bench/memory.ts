/** Resident memory of agent and shim on a node, and what each further terminal adds. */
import { localPid } from '../../src/ids/gpid.ts';
import type { Setting } from './setting.ts';
import type { Figure } from './stats.ts';

const terminals = 50;

export async function benchMemory({ client, hosts }: Setting): Promise<Figure[]> {
  const node = client.nodes.at(-1);
  const host = hosts.hosts.at(-1);
  if (node === undefined || host === undefined) throw new Error('no host');
  const pids: number[] = [];
  const start = async (): Promise<void> => {
    const { pid } = await client.call(node, 'run', {
      argv: ['sleep', '100000'],
      io: 'pty',
      keepBytes: 8 << 20,
      onDisconnect: 'keep',
      starter: { gpid: 0, user: 'bench', host: 'bench' },
    });
    pids.push(pid);
  };
  await start();
  const { shims } = await client.call(node, 'status', {});
  const shim = shims[0]?.lpid;
  if (shim === undefined) throw new Error('no shim');
  const rss = async (pid: number): Promise<number> => {
    const { rows, pageBytes } = await client.call(node, 'ps', {
      columns: ['rssPages'],
      select: 'all',
      pids: [localPid(pid)],
    });
    return (Number(rows[0]?.[0]) * pageBytes) / 1024 / 1024;
  };
  const first = await rss(shim);
  for (let i = 1; i < terminals; i++) await start();
  const many = await rss(shim);
  const { pid: agent } = await client.call(node, 'status', {});
  const agentRss = await rss(agent);
  await client.call(node, 'kill', { targets: pids.map((pid) => ({ pid: localPid(pid) })), signal: 9 });
  const each = (many - first) / (terminals - 1);
  return [
    { work: 'memory', who: 'agent', value: agentRss, unit: 'MB', goal: ['≤ 60 MB', agentRss <= 60] },
    { work: 'memory', who: 'shim, one terminal', value: first, unit: 'MB', goal: ['≤ 50 MB', first <= 50] },
    {
      work: 'memory',
      who: 'each further terminal in the shim',
      value: each,
      unit: 'MB',
      goal: ['≤ 1.5 MB', each <= 1.5],
    },
  ];
}
