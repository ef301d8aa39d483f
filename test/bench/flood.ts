/** Ctrl-C on a command that floods the terminal, until the prompt is back. */
import { NumberedShell } from './lines.ts';
import type { Setting } from './setting.ts';
import { median, type Figure } from './stats.ts';

const floodCharacters = 4_000_000;
const work = 'Ctrl-C on a flood to prompt';

export async function benchFlood(setting: Setting, runs: number): Promise<Figure[]> {
  const host = setting.hosts.hosts[0]?.name;
  if (host === undefined) throw new Error('no host');
  const [nsh, bash] = [await NumberedShell.nsh(setting), await NumberedShell.bash(setting)];
  const tries = [
    { shell: bash, line: 'yes', peer: undefined },
    { shell: nsh, line: 'yes', peer: 0 },
    { shell: bash, line: `ssh -F ${setting.hosts.sshConfig} -t ${host} yes`, peer: undefined },
    { shell: nsh, line: `@${host} yes`, peer: 2 },
  ];
  const times = tries.map(() => [] as number[]);
  try {
    for (let i = 0; i < runs; i++) {
      for (const [which, { shell, line }] of tries.entries()) times[which]?.push(await stopFlood(shell, line));
    }
  } finally {
    await nsh.terminal.end();
    await bash.terminal.end();
  }
  return tries.map(({ shell, line, peer }, i): Figure => {
    const value = median(times[i] ?? []);
    const said = line.startsWith('ssh') ? 'ssh -t NODE yes' : line;
    const figure = { work, who: `${shell.name}: ${said}`, value, unit: 'ms' as const };
    if (peer === undefined) return figure;
    const base = median(times[peer] ?? []);
    return { ...figure, ratio: (value / base).toFixed(2), goal: ['under 100 ms', value < 100] };
  });
}

async function stopFlood(shell: NumberedShell, line: string): Promise<number> {
  await shell.start(line);
  await shell.terminal.until(() => shell.terminal.seen > floodCharacters);
  return await shell.terminal.answer('\u0003', shell.prompt);
}
