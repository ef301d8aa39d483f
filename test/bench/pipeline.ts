/** A file's bytes from one node to another: nsh's pipeline, and what people write with two ssh. */
import { mkdir, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { clusterFileText } from '../hosts/cluster-file.ts';
import { run, type Setting } from './setting.ts';
import { median, type Figure } from './stats.ts';

export async function benchPipeline({ hosts, env, nsh }: Setting, runs: number, bytes: number): Promise<Figure[]> {
  const [source, sink] = hosts.hosts;
  if (source === undefined || sink === undefined) throw new Error('two hosts are wanted');
  const file = join(hosts.directory, 'big');
  const handle = await open(file, 'w');
  await handle.truncate(bytes);
  await handle.close();
  const ssh = `ssh -F ${hosts.sshConfig}`;
  // What comes out is counted: a pipeline that loses bytes is fast.
  const peerLine = `${ssh} ${source.name} cat ${file} | ${ssh} ${sink.name} 'wc -c'`;
  const ownLine = `@${source.name} cat ${file} | @${sink.name} wc -c`;
  const rates = { ssh: [] as number[], nsh: [] as number[], direct: [] as number[] };
  // With it the source knows the sink, and can log in to it.
  const config = join(source.home, '.config/nsh');
  const knowing = async (work: () => Promise<number>): Promise<number> => {
    const facts = hosts.hosts.map((host) => host.facts);
    await mkdir(config, { recursive: true });
    await writeFile(join(config, 'cluster.yaml'), clusterFileText(facts, hosts.sshConfig, { cluster: 'bench' }));
    try {
      return await work();
    } finally {
      await rm(config, { recursive: true });
    }
  };
  const rate = async (command: string, args: readonly string[]): Promise<number> => {
    const start = performance.now();
    const counted = Number(await run(command, args, env));
    if (counted !== bytes) throw new Error(`${args.join(' ')}: ${counted} of ${bytes} bytes came`);
    return bytes / 1e6 / ((performance.now() - start) / 1000);
  };
  for (let i = 0; i < runs; i++) {
    rates.ssh.push(await rate('bash', ['-c', peerLine]));
    rates.nsh.push(await rate(process.execPath, [nsh, '-c', ownLine]));
    rates.direct.push(await knowing(() => rate(process.execPath, [nsh, '-c', ownLine])));
  }
  const [peer, own, direct] = [median(rates.ssh), median(rates.nsh), median(rates.direct)];
  const work = `${Math.round(bytes / 1e6)} MB from node to node`;
  return [
    { work, who: 'ssh | ssh', value: peer, unit: 'MB/s', ratio: '1' },
    {
      work,
      who: 'nsh: @a cat | @b wc, by this machine',
      value: own,
      unit: 'MB/s',
      ratio: (own / peer).toFixed(2),
      goal: ['no less than ssh', own >= peer],
    },
    {
      work,
      who: 'the same, straight from a to b',
      value: direct,
      unit: 'MB/s',
      ratio: (direct / peer).toFixed(2),
      goal: ['no less than ssh', direct >= peer],
    },
  ];
}
