/** From the start of a shell to the first key that it draws, nodes answering behind it or not, with and without a long history. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, type Setting } from './setting.ts';
import { ready, shellPeers, type ShellPeer } from './shells.ts';
import { median, type Figure } from './stats.ts';
import { BenchTerminal, cpuMs } from './terminal.ts';

const goalMs = 400;

export async function benchFirstPrompt(setting: Setting, runs: number): Promise<Figure[]> {
  return [
    ...(await compare('first prompt takes a key', await withPython(await shellPeers(setting, 0)), runs)),
    ...(await compare('first prompt, 10,000 entries', await shellPeers(setting, 10_000), runs)),
    await withoutAgent(setting, Math.min(runs, 3)),
  ];
}

async function compare(work: string, peers: readonly ShellPeer[], runs: number): Promise<Figure[]> {
  const seen = peers.map(() => [] as FirstKey[]);
  for (let i = 0; i < runs; i++) {
    for (const [which, peer] of peers.entries()) seen[which]?.push(await firstKey(peer));
  }
  const bash = seen[peers.findIndex(({ name }) => name === 'bash')] ?? [];
  const row = (what: string, who: string, of: (first: FirstKey) => number, own: readonly FirstKey[]): Figure => {
    const value = median(own.map(of));
    return { work: what, who, value, unit: 'ms', ratio: (value / median(bash.map(of))).toFixed(1) };
  };
  return [
    ...peers.map(({ name }, i): Figure => {
      const figure = row(work, name, ({ ms }) => ms, seen[i] ?? []);
      return name === 'nsh' ? { ...figure, goal: [`under ${goalMs} ms`, figure.value < goalMs] } : figure;
    }),
    ...peers.map(({ name }, i) => row(`${work}, processor time`, name, ({ cpu }) => cpu, seen[i] ?? [])),
  ];
}

/** The agent is started and every node logged in to while the key is typed. */
async function withoutAgent(setting: Setting, runs: number): Promise<Figure> {
  const times: number[] = [];
  for (let i = 0; i < runs; i++) {
    const directory = await mkdtemp(join(tmpdir(), 'nb-'));
    const env = { ...setting.env, XDG_STATE_HOME: directory, NSH_PROMPT: 'ready> ', TERM: 'xterm-256color' };
    try {
      times.push((await firstKey({ name: 'nsh', command: [process.execPath, setting.nsh], env })).ms);
    } finally {
      await run(process.execPath, [setting.nsh, 'agent', 'stop', '--kill'], env);
      await rm(directory, { recursive: true, force: true });
    }
  }
  const value = median(times);
  return {
    work: `first prompt, ${setting.hosts.hosts.length} nodes still connecting`,
    who: 'nsh',
    value,
    unit: 'ms',
    goal: [`under ${goalMs} ms`, value < goalMs],
  };
}

async function withPython(peers: readonly ShellPeer[]): Promise<readonly ShellPeer[]> {
  const [nsh] = peers;
  if (nsh === undefined) return peers;
  const startup = join(nsh.env['XDG_STATE_HOME'] ?? '', 'startup.py');
  await writeFile(startup, "import sys, readline\nsys.ps1 = 'ready> '\n");
  return [
    ...peers,
    { name: 'python3 -i', command: ['/usr/bin/python3', '-q', '-i'], env: { ...nsh.env, PYTHONSTARTUP: startup } },
  ];
}

interface FirstKey {
  readonly ms: number;
  /** Processor time, ms. */
  readonly cpu: number;
}

async function firstKey({ name, command, env }: ShellPeer): Promise<FirstKey> {
  const start = performance.now();
  const terminal = new BenchTerminal(name, command, env);
  try {
    await terminal.until(ready);
    await terminal.answer('Z', /Z/);
    return { ms: performance.now() - start, cpu: cpuMs(terminal.pid) };
  } finally {
    await terminal.end();
  }
}
