/** Bytes of a command's output from another node into a pipe, and through a terminal. */
import { spawn } from 'node:child_process';
import type { Setting } from './setting.ts';
import { median, type Figure } from './stats.ts';

const pipeBytes = 512 * 1024 * 1024;
const ptyLines = 1_000_000;
const line = 'x'.repeat(62);

export async function benchBytes({ hosts, env, nsh }: Setting, runs: number): Promise<Figure[]> {
  const host = hosts.hosts[0];
  if (host === undefined) throw new Error('no host');
  const ssh = ['ssh', '-F', hosts.sshConfig];
  const run = [process.execPath, nsh, 'run', '-n', host.name];
  const flood = `head -c ${pipeBytes} /dev/zero`;
  const lines = `yes ${line} | head -n ${ptyLines}`;
  return [
    ...(await compare(
      'bytes, pipe',
      runs,
      pipeBytes,
      [...ssh, host.name, flood],
      [...run, '-T', '--', 'sh', '-c', flood],
      env,
    )),
    ...(await compare(
      'bytes, PTY',
      runs,
      ptyLines * 64,
      [...ssh, '-tt', host.name, lines],
      [...run, '-t', '--', 'sh', '-c', lines],
      env,
    )),
  ];
}

async function compare(
  work: string,
  runs: number,
  bytes: number,
  ssh: readonly string[],
  nsh: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<Figure[]> {
  const rates = { ssh: [] as number[], nsh: [] as number[] };
  for (let i = 0; i < runs; i++) {
    rates.ssh.push(await rate(ssh, bytes, env));
    rates.nsh.push(await rate(nsh, bytes, env));
  }
  const [peer, own] = [median(rates.ssh), median(rates.nsh)];
  return [
    { work, who: 'ssh', value: peer, unit: 'MB/s', ratio: '1' },
    {
      work,
      who: 'nsh run',
      value: own,
      unit: 'MB/s',
      ratio: (own / peer).toFixed(2),
      goal: ['no less than ssh', own >= peer],
    },
  ];
}

/** MB/s from the first byte to the last, login and start not counted. @throws Error where bytes are missing. */
function rate(command: readonly string[], bytes: number, env: NodeJS.ProcessEnv): Promise<number> {
  const [file = '', ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
    let start: number | undefined;
    let seen = 0;
    let last = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      start ??= performance.now();
      seen += chunk.length;
      last = performance.now();
    });
    child.on('error', reject);
    child.on('close', () => {
      if (start === undefined || seen < bytes)
        reject(new Error(`${command.join(' ')}: ${seen} of ${bytes} bytes came`));
      else resolve(seen / 1e6 / ((last - start) / 1000));
    });
  });
}
