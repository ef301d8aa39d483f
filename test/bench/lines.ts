/** What a line costs in a session: its state goes into a bash and comes back, on this machine and on another node. */
import type { Setting } from './setting.ts';
import { median, type Figure } from './stats.ts';
import { BenchTerminal } from './terminal.ts';

/** What someone has in a session after a morning's work. */
export const fullState = [
  'for i in {1..100}; do declare "v$i=value of the variable number $i"; done; list=({1..200})',
  'for i in {1..30}; do eval "f$i() { local x=\\$1; if [ -n \\"\\$x\\" ]; then echo \\"\\$x $i\\"; fi; }"; done',
];

/** A shell at a prompt that numbers its lines, so that each is told from the one before. */
export class NumberedShell {
  readonly #name: string;
  readonly terminal: BenchTerminal;
  #line = 0;

  private constructor(name: string, command: readonly string[], env: NodeJS.ProcessEnv) {
    this.#name = name;
    this.terminal = new BenchTerminal(name, command, env, 200);
  }

  static async nsh({ env, nsh }: Setting): Promise<NumberedShell> {
    const shell = new NumberedShell('nsh', [process.execPath, nsh], { ...env, NSH_PROMPT: String.raw`(\#)> ` });
    return await shell.#begun();
  }

  static async bash({ env }: Setting): Promise<NumberedShell> {
    const own = { ...env, PS1: String.raw`(\#)> `, HISTFILE: '/dev/null' };
    return await new NumberedShell('bash', ['bash', '--norc', '--noprofile', '-i'], own).#begun();
  }

  async #begun(): Promise<this> {
    await this.terminal.until(this.prompt);
    await this.terminal.quiet(500);
    return this;
  }

  /** What stands at the beginning of the next line. */
  get prompt(): (text: string) => boolean {
    const wanted = `(${this.#line + 1})>`;
    return (text) => text.includes(wanted);
  }

  /** ms from Enter to the next prompt. */
  async run(line: string): Promise<number> {
    this.terminal.type(line);
    await this.terminal.quiet(20);
    return await this.enter();
  }

  async enter(): Promise<number> {
    this.#line++;
    return await this.terminal.answer('\r', this.prompt);
  }

  /** Types a line that does not end by itself. */
  async start(line: string): Promise<void> {
    this.terminal.type(line);
    await this.terminal.quiet(20);
    this.#line++;
    this.terminal.type('\r');
  }

  get name(): string {
    return this.#name;
  }
}

export async function benchLines(setting: Setting, runs: number): Promise<Figure[]> {
  const host = setting.hosts.hosts[0]?.name;
  if (host === undefined) throw new Error('no host');
  const shells = { nsh: await NumberedShell.nsh(setting), bash: await NumberedShell.bash(setting) };
  const ssh = `ssh -F ${setting.masterConfig} ${host}`;
  try {
    const empty = await compare('a line, here', runs, shells, ':', 'bash -c :');
    const there = await compare('a line, on a node', runs, shells, `@${host} :`, `${ssh} bash -c :`);
    for (const line of fullState) await shells.nsh.run(line);
    const full = ', 100 variables, 30 functions';
    return [
      ...empty,
      ...there,
      ...(await compare(`a line, here${full}`, runs, shells, ':', 'bash -c :')),
      ...(await compare(`a line, on a node${full}`, runs, shells, `@${host} :`, `${ssh} bash -c :`)),
    ];
  } finally {
    await shells.nsh.terminal.end();
    await shells.bash.terminal.end();
  }
}

async function compare(
  work: string,
  runs: number,
  shells: { readonly nsh: NumberedShell; readonly bash: NumberedShell },
  nshLine: string,
  bashLine: string,
): Promise<Figure[]> {
  const times = { nsh: [] as number[], bash: [] as number[] };
  for (let i = -1; i < runs; i++) {
    const [own, peer] = [await shells.nsh.run(nshLine), await shells.bash.run(bashLine)];
    if (i < 0) continue;
    times.nsh.push(own);
    times.bash.push(peer);
  }
  const [own, peer] = [median(times.nsh), median(times.bash)];
  return [
    {
      work,
      who: bashLine.startsWith('ssh') ? 'bash: ssh over ControlMaster' : `bash: ${bashLine}`,
      value: peer,
      unit: 'ms',
      ratio: '1',
    },
    { work, who: `nsh: ${nshLine}`, value: own, unit: 'ms', ratio: (own / peer).toFixed(2) },
  ];
}
