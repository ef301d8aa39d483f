/**
 * The program that is run at boot: a shell script in the node's state directory, since crontab(5) knows no quoting of environments and takes
 * no long lines, and so that a person can run it from whatever else starts programs. Pure.
 */
import { parse } from 'node:path';

export interface BootScript {
  readonly cluster: string;
  readonly node: number;
  readonly name: string;
  /** Absolute path of node(1). */
  readonly interpreter: string;
  /** Absolute path of nsh-agent's program. */
  readonly program: string;
  /** Options of nsh-agent(8) that go before the subcommand. */
  readonly options: readonly string[];
  /** Of the agent that writes it. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * What the agent of a boot shall have as the one that was started from a login had it: where its state is, which cluster file goes by default,
 * and where processes find their programs. cron(8) and systemd know little of this.
 */
const carried = [
  'HOME',
  'PATH',
  'LANG',
  'LC_ALL',
  'XDG_STATE_HOME',
  'XDG_CONFIG_HOME',
  'XDG_CACHE_HOME',
  'NSH_CLUSTER',
];

/** `boot.sh serve --wait` is the agent; `boot.sh start` starts one as a daemon. */
export function bootScriptText({ cluster, node, name, interpreter, program, options, env }: BootScript): string {
  const exports = carried.flatMap((variable) => {
    const value = env[variable];
    // The directory that a relative path began at is not known any more.
    const isLost = variable === 'NSH_CLUSTER' && value?.startsWith('/') === false;
    return value === undefined || isLost ? [] : [`export ${variable}=${quoteForShell(value)}`];
  });
  const words = [interpreter, program, '--idle', '0', ...options].map(quoteForShell);
  const identity = ['--cluster', cluster, '--node', String(node), '--name', name].map(quoteForShell);
  return [
    '#!/bin/sh',
    `# Starts the agent of ${name} in the cluster ${cluster}. Written by 'nsh agent enable'; 'nsh agent disable' removes it.`,
    ...exports,
    `cd ${quoteForShell(parse(program).root)}`,
    `exec ${words.join(' ')} "$@" ${identity.join(' ')}`,
    '',
  ].join('\n');
}

export function quoteForShell(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
