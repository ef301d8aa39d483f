/** A signal to a process on another node. */
import { localPid } from '../../src/ids/gpid.ts';
import { run, type Setting } from './setting.ts';
import { median, time, type Figure } from './stats.ts';

export async function benchKill({ client, hosts, masterConfig, env, nsh }: Setting, runs: number): Promise<Figure[]> {
  const work = 'kill -CONT on another node';
  const host = hosts.hosts[0];
  const node = client.nodes[0];
  if (host === undefined || node === undefined) throw new Error('no host');
  const ssh = (words: string): Promise<string> => run('ssh', ['-F', masterConfig, host.name, words], env);
  const pid = Number(await ssh('sleep 100000 </dev/null >/dev/null 2>&1 & echo $!'));
  const peer = median(await time(runs, 2, () => ssh(`kill -CONT ${pid}`)));
  const warm = median(
    await time(runs * 10, 20, async () => {
      const { errors } = await client.call(node, 'kill', { targets: [{ pid: localPid(pid) }], signal: 18 });
      if (errors[0] !== null) throw new Error(errors[0]?.message);
    }),
  );
  const shot = median(
    await time(runs, 1, () => run(process.execPath, [nsh, 'kill', '-CONT', `${node.id}.${pid}`], env)),
  );
  await ssh(`kill ${pid}`);
  return [
    { work, who: 'ssh over ControlMaster', value: peer, unit: 'ms', ratio: '1' },
    {
      work,
      who: 'nsh, warm client',
      value: warm,
      unit: 'ms',
      ratio: (warm / peer).toFixed(3),
      goal: ['under 2 ms', warm < 2],
    },
    { work, who: 'nsh kill, one-shot', value: shot, unit: 'ms', ratio: (shot / peer).toFixed(3) },
  ];
}
