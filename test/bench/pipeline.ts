/** A file's bytes from one node to another: nsh's pipeline, and what people write with two ssh. */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
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
  const rates = { ssh: [] as number[], nsh: [] as number[] };
  const rate = async (command: string, args: readonly string[]): Promise<number> => {
    const start = performance.now();
    const counted = Number(await run(command, args, env));
    if (counted !== bytes) throw new Error(`${args.join(' ')}: ${counted} of ${bytes} bytes came`);
    return bytes / 1e6 / ((performance.now() - start) / 1000);
  };
  for (let i = 0; i < runs; i++) {
    rates.ssh.push(await rate('bash', ['-c', peerLine]));
    rates.nsh.push(await rate(process.execPath, [nsh, '-c', ownLine]));
  }
  const [peer, own] = [median(rates.ssh), median(rates.nsh)];
  const work = `${Math.round(bytes / 1e6)} MB from node to node`;
  return [
    { work, who: 'ssh | ssh', value: peer, unit: 'MB/s', ratio: '1' },
    {
      work,
      who: 'nsh: @a cat | @b wc',
      value: own,
      unit: 'MB/s',
      ratio: (own / peer).toFixed(2),
      goal: ['no less than ssh', own >= peer],
    },
  ];
}
