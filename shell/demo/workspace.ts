/**
 * The private directory of one demo and what lies in it: everything that a cluster file of real hosts would stand on.
 *
 *     DIR/cluster.yaml   the cluster file
 *     DIR/ssh_config     Host blocks n1, n2, …
 *     DIR/known_hosts    their host keys
 *     DIR/id_ed25519     the only key that opens them
 *     DIR/bin/nsh        so that COMMAND and what runs on the nodes find nsh
 *     DIR/history        lines of interactive shells in the demo
 *     DIR/n1/            what the agent of n1 would keep under ~/.local/state
 */
import { mkdir, mkdtemp, realpath, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { ownProgramText } from '../../src/cluster/own-program.ts';
import { describeFault } from '../../src/cluster/state-fault.ts';
import { NshError } from '../../src/protocol/errors.ts';

export interface DemoNode {
  readonly id: number;
  readonly name: string;
  readonly port: number;
  readonly hostKey: string;
}

const prefix = 'nsh-demo-';

export async function makeWorkspace(): Promise<string> {
  // mkdtemp makes it 0700. The real path is what agents and /proc will show.
  try {
    const directory = await mkdtemp(join(await realpath(tmpdir()), prefix));
    await mkdir(join(directory, 'bin'));
    return directory;
  } catch (error) {
    const why = describeFault(error) ?? (error as Error).message;
    throw new NshError(
      'agentFailed',
      `${tmpdir()} cannot be used: ${why}. The demo keeps its files there: set TMPDIR to a directory that you may write to`,
      { cause: error },
    );
  }
}

/** Every demo is a cluster of its own: two at once have nothing in common. */
export function clusterName(directory: string): string {
  return `demo-${basename(directory).slice(prefix.length)}`;
}

export interface WorkspaceContent {
  readonly user: string;
  readonly nodes: readonly DemoNode[];
  readonly privateKey: string;
  /** argv of the agent's program, and of nsh. */
  readonly agent: readonly string[];
  readonly nsh: readonly string[];
}

export async function fillWorkspace(directory: string, content: WorkspaceContent): Promise<void> {
  const file = (name: string, text: string, mode = 0o600) => writeFile(join(directory, name), text, { mode });
  await Promise.all([
    file('cluster.yaml', clusterFile(directory, content)),
    file('ssh_config', sshConfig(directory, content)),
    file('known_hosts', knownHosts(content.nodes)),
    file('id_ed25519', content.privateKey),
    file('bin/nsh', startingText(content.nsh), 0o700),
    file('bin/nsh-agent', `#!/bin/sh\nexec ${shellWords(content.agent)} "$@"\n`, 0o700),
  ]);
}

/** The very program that nsh would put on the PATH of what it runs, where that is what is to be started: so it need not. */
function startingText(nsh: readonly string[]): string {
  const [interpreter, program, ...more] = nsh;
  if (interpreter === process.execPath && program !== undefined && more.length === 0) return ownProgramText(program);
  return `#!/bin/sh\nexec ${shellWords(nsh)} "$@"\n`;
}

export function clusterFile(directory: string, { nodes, agent }: WorkspaceContent): string {
  const quoted = (text: string) => JSON.stringify(text);
  return `cluster: ${clusterName(directory)}
sshConfig: ${quoted(join(directory, 'ssh_config'))}
agentCommand: ${quoted(shellWords(agent))}
nodes:
${nodes.map(({ id, name }) => `  - { id: ${id}, name: ${name}, labels: [demo] }\n`).join('')}`;
}

export function sshConfig(directory: string, { user, nodes }: WorkspaceContent): string {
  const path = (name: string) => quoteWord(join(directory, name));
  const hosts = nodes.map(({ name, port }) => `Host ${name}\n  HostName 127.0.0.1\n  Port ${port}\n`);
  return `${hosts.join('')}Host *
  User ${quoteWord(user)}
  IdentityFile ${path('id_ed25519')}
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile ${path('known_hosts')}
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  UpdateHostKeys no
  BatchMode yes
`;
}

/** As ssh_config(5) has it: arguments with spaces stand in double quotes. */
function quoteWord(text: string): string {
  return /\s/.test(text) ? `"${text}"` : text;
}

export function knownHosts(nodes: readonly DemoNode[]): string {
  return nodes.map(({ port, hostKey }) => `[127.0.0.1]:${port} ${hostKey}\n`).join('');
}

/** Words as a line that sh reads back as the same words. */
export function shellWords(words: readonly string[]): string {
  return words.map((word) => (/^[\w./:=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');
}
