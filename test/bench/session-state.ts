/** What carrying the state of a session costs a line: a bash that gets it and gives it back, against one that does neither. No terminal. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { clusterRunners } from '../../shell/session/cluster-runners.ts';
import { localRunner } from '../../shell/session/local-runner.ts';
import { Session } from '../../shell/session/session.ts';
import { fullState } from './lines.ts';
import { run, type Setting } from './setting.ts';
import { median, time, type Figure } from './stats.ts';

export async function benchSessionState(setting: Setting, runs: number): Promise<Figure[]> {
  const { env, client, hosts, masterConfig } = setting;
  const host = hosts.hosts[0]?.name;
  if (host === undefined) throw new Error('no host');
  const session = new Session({
    runner: localRunner({ env, cwd: tmpdir() }),
    nodes: clusterRunners({
      cluster: () => Promise.resolve(client),
      env,
      signal: new AbortController().signal,
      colour: () => false,
      tell: () => undefined,
    }),
    streams: { stdin: 'null', stdout: 'null', stderr: 'null' },
    tell: (message) => void process.stderr.write(`${message}\n`),
  });
  const line = (text: string): Promise<unknown> => session.run(`${text}\n`);
  const bash = async (): Promise<void> => {
    await once(spawn('bash', ['-c', ':'], { env, stdio: 'ignore' }), 'close');
  };
  const ssh = (): Promise<string> => run('ssh', ['-F', masterConfig, host, 'bash -c :'], env);
  try {
    const [here, there] = [median(await time(runs, 3, bash)), median(await time(runs, 3, ssh))];
    const compare = async (what: string): Promise<Figure[]> => [
      figure(`state carried here, ${what}`, 'nsh: :', median(await time(runs, 3, () => line(':'))), here),
      figure(
        `state carried to a node, ${what}`,
        'nsh: @n1 :',
        median(await time(runs, 3, () => line(`@${host} :`))),
        there,
      ),
    ];
    const empty = await compare('nothing set');
    for (const text of fullState) await line(text);
    return [
      { work: 'state carried here', who: 'bash -c :', value: here, unit: 'ms', ratio: '1' },
      {
        work: 'state carried to a node',
        who: 'ssh over ControlMaster bash -c :',
        value: there,
        unit: 'ms',
        ratio: '1',
      },
      ...empty,
      ...(await compare('100 variables, 30 functions')),
    ];
  } finally {
    await session.close();
  }
}

function figure(work: string, who: string, value: number, peer: number): Figure {
  return { work, who, value, unit: 'ms', ratio: (value / peer).toFixed(2) };
}
