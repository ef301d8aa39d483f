/** `nsh top` on a cluster with as many processes as this machine can carry: its processor use, and how fast a key is answered. procps' top looks at the same processes beside it. */
import { readdirSync, readFileSync } from 'node:fs';
import type { Setting } from './setting.ts';
import { median, percentile, type Figure } from './stats.ts';
import { BenchTerminal, cpuMs } from './terminal.ts';

const intervalSeconds = 3;

export async function benchTop(setting: Setting, seconds: number, keys: number): Promise<Figure[]> {
  const { env, nsh, client } = setting;
  const { rows } = await client.call(client.self, 'ps', { columns: ['pid'], select: 'all' });
  const label = `top, ${client.nodes.length} nodes, ${await countProcesses(setting)} processes`;
  const screen = { ...env, TERM: 'xterm-256color' };
  const own = new BenchTerminal(
    'nsh top',
    [process.execPath, nsh, 'top', '-d', String(intervalSeconds)],
    screen,
    120,
    40,
  );
  const procps = new BenchTerminal('top', ['top', '-d', String(intervalSeconds)], screen, 120, 40);
  try {
    await own.until(/ processes/);
    await procps.until(/Tasks/);
    const agents = agentPids(setting);
    // The first samples come close together, and the code is cold.
    await sleep(3 * intervalSeconds * 1000);
    const use = await measure(seconds, [[own.pid], [procps.pid], agents.here, agents.nodes]);
    const [ownUse = 0, procpsUse = 0, hereUse = 0, nodesUse = 0] = use;
    const row = (who: string, value: number): Figure => ({
      work: `${label}: processor use`,
      who,
      value,
      unit: '%',
      ratio: (value / procpsUse).toFixed(2),
    });
    const before = cpuMs(own.pid);
    const ownKeys = await scroll(own, keys);
    const cpuEach = (cpuMs(own.pid) - before) / keys;
    // It takes a sample for each key, which may last a second.
    const procpsKeys = await scroll(procps, Math.ceil(keys / 10));
    const keyRow = (who: string, what: string, value: number, peer: number): Figure => ({
      work: `${label}: key to frame, ${what}`,
      who,
      value,
      unit: 'ms',
      ratio: (value / peer).toFixed(2),
    });
    const [p99, peer99] = [percentile(ownKeys, 99), percentile(procpsKeys, 99)];
    return [
      row(`top of procps, ${rows.length} processes`, procpsUse),
      { ...row('nsh top', ownUse), goal: ['under 10 % of one processor', ownUse < 10] },
      row("this machine's agent", hereUse),
      row('the agents of all nodes together', nodesUse),
      keyRow('top of procps', 'median', median(procpsKeys), median(procpsKeys)),
      keyRow('nsh top', 'median', median(ownKeys), median(procpsKeys)),
      keyRow('top of procps', 'p99', peer99, peer99),
      { ...keyRow('nsh top', 'p99', p99, peer99), goal: ['under 33 ms', p99 < 33] },
      { work: `${label}: key to frame, processor time`, who: 'nsh top', value: cpuEach, unit: 'ms' },
    ];
  } finally {
    await own.end();
    await procps.end();
  }
}

async function countProcesses({ client }: Setting): Promise<number> {
  let count = 0;
  for await (const { result } of client.fanout(client.nodes, 'ps', { columns: ['pid'], select: 'all' }))
    count += result?.rows.length ?? 0;
  return count;
}

/** Percent of one processor that each set of processes takes. */
async function measure(seconds: number, sets: readonly (readonly number[])[]): Promise<number[]> {
  const used = (): number[] => sets.map((pids) => pids.reduce((sum, pid) => sum + cpuMs(pid), 0));
  const [before, start] = [used(), performance.now()];
  await sleep(seconds * 1000);
  const ms = performance.now() - start;
  return used().map((after, i) => ((after - (before[i] ?? 0)) / ms) * 100);
}

/** The bar to the end of the list and back, page by page and line by line. */
async function scroll(terminal: BenchTerminal, keys: number): Promise<number[]> {
  const [down, up, pageDown, pageUp] = ['\u001bOB', '\u001bOA', '\u001b[6~', '\u001b[5~'];
  const walk = [pageDown, down, pageDown, down, down, pageUp, up, pageDown];
  const times: number[] = [];
  for (let i = 0; i < keys; i++) {
    await terminal.quiet(10);
    times.push(await terminal.answer(walk[i % walk.length] ?? down, (text) => text !== ''));
  }
  return times;
}

function agentPids({ env }: Setting): { readonly here: readonly number[]; readonly nodes: readonly number[] } {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const agents = all.map(Number).filter((pid) => commandOf(pid).startsWith('nsh-agent '));
  const isHere = (pid: number): boolean =>
    read(pid, 'environ').includes(`XDG_STATE_HOME=${env['XDG_STATE_HOME'] ?? ''}\0`);
  const isOurs = (pid: number): boolean => commandOf(pid).includes(' --cluster bench ');
  return { here: agents.filter(isHere), nodes: agents.filter((pid) => isOurs(pid) && !isHere(pid)) };
}

function commandOf(pid: number): string {
  return read(pid, 'cmdline').replaceAll('\0', ' ');
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return ''; // It has ended.
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
