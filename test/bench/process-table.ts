/** The process table of many nodes: a warm client, a one-shot command, and what people use today. */
import { spawnSync } from 'node:child_process';
import type { PsParams } from '../../src/protocol/control.ts';
import { run, type Setting } from './setting.ts';
import { median, time, type Figure } from './stats.ts';

/** What `ps -ef` shows. */
const columns: PsParams['columns'] = [
  'pid',
  'ppid',
  'euser',
  'start',
  'tty',
  'utime',
  'stime',
  'state',
  'comm',
  'args',
];

export async function benchProcessTable(setting: Setting, label: string, runs: number): Promise<Figure[]> {
  const { client, env, nsh, hosts, masterConfig } = setting;
  const names = hosts.hosts.map((host) => host.name).join('\n');
  const work = `table of ${hosts.hosts.length} nodes, ${label}`;
  const viaMasters = async (): Promise<void> => {
    await run(
      'xargs',
      ['-P', String(hosts.hosts.length), '-I{}', 'ssh', '-F', masterConfig, '{}', 'ps', '-ef'],
      env,
      names,
    );
  };
  const warm = async (): Promise<void> => {
    let rows = 0;
    for await (const { result, error } of client.fanout(client.nodes, 'ps', { columns, select: 'all' })) {
      if (error !== undefined) throw error;
      rows += result.rows.length;
    }
    if (rows < hosts.hosts.length) throw new Error(`only ${rows} rows came`);
  };
  const oneShot = async (): Promise<void> => {
    await run(process.execPath, [nsh, 'ps', '-ef'], env);
  };
  const master = median(await time(runs, 1, viaMasters));
  const client_ = median(await time(runs * 3, 2, warm));
  const shot = median(await time(runs, 1, oneShot));
  const peers: Figure[] = [{ work, who: 'ssh over ControlMaster, xargs', value: master, unit: 'ms', ratio: '1' }];
  if (has('clush')) {
    const line = [
      '-w',
      hosts.hosts.map((host) => host.name).join(','),
      '-f',
      '64',
      '-o',
      `-F ${masterConfig}`,
      'ps',
      '-ef',
    ];
    peers.push(
      peer(work, 'clush over ControlMaster', median(await time(runs, 1, () => run('clush', line, env))), master),
    );
  }
  if (has('pdsh')) {
    const cold = { ...env, PDSH_SSH_ARGS: `-F ${hosts.sshConfig} %h` };
    const line = ['-R', 'ssh', '-f', '64', '-w', hosts.hosts.map((host) => host.name).join(','), 'ps -ef'];
    peers.push(
      peer(work, 'pdsh, cold', median(await time(Math.min(runs, 3), 0, () => run('pdsh', line, cold))), master),
    );
  }
  const fastest = Math.min(...peers.filter(({ who }) => who.includes('ControlMaster')).map(({ value }) => value));
  return [
    ...peers,
    { ...peer(work, 'nsh, warm client', client_, master), goal: ['a tenth of ControlMaster', client_ <= master / 10] },
    {
      ...peer(work, 'nsh ps -ef, one-shot', shot, master),
      goal: ['faster than every ControlMaster peer', shot < fastest],
    },
  ];
}

function peer(work: string, who: string, value: number, base: number): Figure {
  return { work, who, value, unit: 'ms', ratio: (value / base).toFixed(3) };
}

function has(command: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;
}
