/** procps's ps and ours, asked about the same processes of this machine. */
import { execFileSync } from 'node:child_process';
import { psCommand } from '../../../shell/commands/ps.ts';
import { runCommand, type FakeCluster } from './fake-cluster.ts';

export interface Shown {
  readonly status: number;
  readonly stdout: string;
}

export interface AskOptions {
  /** Take NODE out of ours, and the room that it needs. */
  readonly strip?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

export function procps(args: readonly string[], env: Readonly<Record<string, string>> = {}): Shown {
  const options = { encoding: 'utf8', env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C.UTF-8', ...env } } as const;
  try {
    return { status: 0, stdout: execFileSync('ps', args, { ...options, stdio: ['ignore', 'pipe', 'ignore'] }) };
  } catch (error) {
    const { status, stdout } = error as Shown;
    return { status, stdout };
  }
}

const attempts = 40;

/** Asked again where they differ: ELAPSED, %CPU and the like move between the two. */
export async function askBoth(
  cluster: FakeCluster,
  args: readonly string[],
  { strip = false, env = {} }: AskOptions = {},
): Promise<{ ours: Shown; theirs: Shown }> {
  for (let attempt = 0; ; attempt++) {
    const theirs = procps(args, env);
    const { status, stdout } = await runCommand(psCommand, strip ? args.map(withRoomForNode) : args, cluster, { env });
    const ours = { status, stdout: strip ? withoutNode(stdout) : stdout };
    if (ours.stdout === theirs.stdout || attempt === attempts) return { ours, theirs };
  }
}

/** The NODE column is `localhost` everywhere. */
function withoutNode(text: string): string {
  return text.replaceAll(/^([^\n]*?) (?:NODE {5}|NODE|localhost)(?=[ \n])/gm, '$1');
}

/** What our lines take more: a blank and `localhost`. */
function withRoomForNode(argument: string, i: number, args: readonly string[]): string {
  return args[i - 1] === '--cols' ? String(Number(argument) + ' localhost'.length) : argument;
}
