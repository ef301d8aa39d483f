/** Text of a cluster file for test hosts. JSON is YAML, so values need no quoting rules of their own. Pure. */
import { join } from 'node:path';
import type { HostFacts } from './host.ts';

export interface ClusterFileOptions {
  /** Default `test`. */
  readonly cluster?: string;
  /** Default: dist/nsh-agent.js of this checkout under the Node that runs the test. */
  readonly agentCommand?: string;
  /** Added to a node's entry: `() => ({transport: 'openssh'})`. */
  readonly node?: (host: HostFacts) => Readonly<Record<string, unknown>>;
  /** More top-level lines of YAML. */
  readonly extra?: string;
  /** Default `cluster.yaml`. */
  readonly fileName?: string;
}

export const checkout = join(import.meta.dirname, '../..');

/** How the agent's program is run on a test host, as a line for the login shell there. */
export const agentCommand = `${quote(process.execPath)} ${quote(join(checkout, 'dist/nsh-agent.js'))}`;

export function clusterFileText(hosts: readonly HostFacts[], sshConfig: string, options: ClusterFileOptions): string {
  return [
    `cluster: ${JSON.stringify(options.cluster ?? 'test')}`,
    `sshConfig: ${JSON.stringify(sshConfig)}`,
    `agentCommand: ${JSON.stringify(options.agentCommand ?? agentCommand)}`,
    'nodes:',
    ...hosts.map((host) => `  - ${JSON.stringify({ id: host.id, name: host.name, ...options.node?.(host) })}`),
    options.extra ?? '',
    '',
  ].join('\n');
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
