/** 100 short processes on one node, 8 at once, each with its identity, output and exit status kept. */
import { openProcessStream, newClientId } from '../../src/cluster/process-stream/process-stream.ts';
import { processDialler } from '../../src/cluster/process-stream/dial-process.ts';
import { writableSink } from '../../src/cluster/process-stream/sink.ts';
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import type { NodeSpec } from '../../src/cluster/node-spec.ts';
import { Writable } from 'node:stream';
import { run, type Setting } from './setting.ts';
import { median, type Figure } from './stats.ts';

const processes = 100;
const atOnce = 8;

export async function benchShortProcesses(
  { client, hosts, masterConfig, env, nsh }: Setting,
  runs: number,
): Promise<Figure[]> {
  const work = `${processes} short processes, ${atOnce} at once`;
  const host = hosts.hosts[0];
  const node = client.nodes[0];
  if (host === undefined || node === undefined) throw new Error('no host');
  const peer = await rate(runs, async (i) => {
    const text = await run('ssh', ['-F', masterConfig, host.name, `echo ${i}`], env);
    if (text !== `${i}\n`) throw new Error(`got ${text}`);
  });
  const warm = await rate(runs, (i) => runOnce(client, node, i));
  const shot = await rate(1, async (i) => {
    const text = await run(process.execPath, [nsh, 'run', '-T', '-n', host.name, '--', 'echo', String(i)], env);
    if (text !== `${i}\n`) throw new Error(`got ${text}`);
  });
  const row = (who: string, value: number): Figure => ({
    work,
    who,
    value,
    unit: '/s',
    ratio: (value / peer).toFixed(2),
  });
  return [
    row('ssh over ControlMaster', peer),
    { ...row('nsh, warm client', warm), goal: ['300/s', warm >= 300] },
    row('nsh run, one-shot', shot),
  ];
}

async function runOnce(client: ClusterClient, node: NodeSpec, i: number): Promise<void> {
  const id = newClientId();
  const { pid, start, boot, shim } = await client.call(node, 'run', {
    argv: ['echo', String(i)],
    io: 'pipes',
    stdin: 'null',
    keepBytes: 65_536,
    onDisconnect: 'hup',
    foreground: id,
    starter: { gpid: 0, user: 'bench', host: 'bench' },
  });
  let text = '';
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  const ref = { pid, start, boot };
  const stream = openProcessStream({
    ...processDialler(client, node, ref, shim),
    process: ref,
    role: 'foreground',
    client: id,
    stdout: writableSink(sink),
  });
  const end = await stream.ended;
  if (end.kind !== 'exit' || end.status.code !== 0 || text !== `${i}\n`)
    throw new Error(`${JSON.stringify(end)}: ${text}`);
}

/** Processes per second: the median of `runs` rounds. */
async function rate(runs: number, work: (i: number) => Promise<void>): Promise<number> {
  const rates: number[] = [];
  for (let round = 0; round < runs; round++) {
    let next = 0;
    const start = performance.now();
    const worker = async (): Promise<void> => {
      for (let i = next++; i < processes; i = next++) await work(i);
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    rates.push(processes / ((performance.now() - start) / 1000));
  }
  return median(rates);
}
