/** Every command by name, loaded when it runs: what a one-shot command does not need it does not import. */
import { suggestNear } from '../../src/ids/near.ts';
import type { Command } from '../command.ts';

const loaders: Readonly<Record<string, () => Promise<Command>>> = {
  agent: async () => (await import('./agent.ts')).agentCommand,
  attach: async () => (await import('./attach.ts')).attachCommand,
  demo: async () => (await import('./demo.ts')).demoCommand,
  kill: async () => (await import('./kill.ts')).killCommand,
  logs: async () => (await import('./logs.ts')).logsCommand,
  nodes: async () => (await import('./nodes.ts')).nodesCommand,
  nodeset: async () => (await import('./nodeset.ts')).nodesetCommand,
  pgrep: async () => (await import('./pgrep.ts')).pgrepCommand,
  pkill: async () => (await import('./pkill.ts')).pkillCommand,
  ps: async () => (await import('./ps.ts')).psCommand,
  run: async () => (await import('./run.ts')).runCommand,
  wait: async () => (await import('./wait.ts')).waitCommand,
};

/** Name and summary of each, in the order of `nsh --help`; a test holds them against the commands' own. */
export const summaries: readonly (readonly [name: string, summary: string])[] = [
  ['nodes', 'show the nodes of the cluster and how they are'],
  ['ps', 'show processes of the whole cluster'],
  ['pgrep', 'find processes by name and other attributes'],
  ['pkill', 'signal processes by name and other attributes'],
  ['kill', 'signal processes by their cluster PIDs'],
  ['run', 'run a command on a node, or on many'],
  ['attach', 'take the terminal of a process'],
  ['logs', 'show the kept output of a process'],
  ['wait', 'wait for processes and pass their exit status on'],
  ['nodeset', 'expand, fold and count sets of nodes'],
  ['agent', 'start, stop and inspect the agents'],
  ['demo', 'a cluster on this machine, to try nsh'],
];

export async function loadCommand(name: string): Promise<Command | undefined> {
  return Object.hasOwn(loaders, name) ? await loaders[name]?.() : undefined;
}

/** `; did you mean 'ps'?`, or nothing. */
export function nearCommands(name: string): string {
  return suggestNear(
    name,
    summaries.map(([known]) => known),
  );
}
