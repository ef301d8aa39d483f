/** `nsh lock NAME -- true` as a person or a cron job runs it, against etcdctl on the same etcd and flock(1) on a file of this machine. */
import { run } from '../setting.ts';
import { median, timeInTurn, type Figure } from '../stats.ts';
import { nshProgram } from '../../e2e/nsh-program.ts';
import { findPeer } from './peers.ts';

export interface OneShotOptions {
  readonly who: string;
  readonly env: NodeJS.ProcessEnv;
  readonly runs: number;
  /** Where etcdctl finds the same store. */
  readonly etcd?: readonly string[];
}

export async function benchOneShot({ who, env, runs, etcd }: OneShotOptions): Promise<Figure[]> {
  const work = 'lock, run true, unlock';
  const etcdctl = etcd === undefined ? undefined : await findPeer('etcdctl', 'etcd-client');
  const peer =
    etcdctl === undefined || etcd === undefined
      ? { name: 'flock of util-linux', command: 'flock', args: ['-x', '/tmp', 'true'] }
      : { name: 'etcdctl', command: etcdctl, args: ['--endpoints', etcd.join(','), 'lock', 'shot', 'true'] };
  const times = await timeInTurn(runs, 1, [
    () => run(peer.command, peer.args, { ...env, ETCDCTL_API: '3' }),
    () => run(process.execPath, ['-e', ''], env),
    () => run(process.execPath, [nshProgram, 'lock', 'shot', '--', 'true'], env),
  ]);
  const [other = 0, node = 0, own = 0] = times.map(median);
  return [
    { work, who: peer.name, value: other, unit: 'ms', ratio: '1' },
    { work, who: `node -e ''`, value: node, unit: 'ms', ratio: (node / other).toFixed(2) },
    { work, who: `nsh lock, ${who}`, value: own, unit: 'ms', ratio: (own / other).toFixed(2) },
  ];
}
