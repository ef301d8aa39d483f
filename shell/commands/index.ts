/** Every command by name, loaded when it runs: what a one-shot command does not need it does not import. */
import { suggestNear } from '../../src/ids/near.ts';
import type { Command } from '../command.ts';

const loaders: Readonly<Record<string, () => Promise<Command>>> = {
  agent: async () => (await import('./agent.ts')).agentCommand,
  attach: async () => (await import('./attach.ts')).attachCommand,
  completion: async () => (await import('./completion.ts')).completionCommand,
  demo: async () => (await import('./demo.ts')).demoCommand,
  help: async () => (await import('./help.ts')).makeHelpCommand({ summaries, load: loadCommand }),
  kill: async () => (await import('./kill.ts')).killCommand,
  logs: async () => (await import('./logs.ts')).logsCommand,
  man: async () => (await import('./man.ts')).manCommand,
  nodes: async () => (await import('./nodes.ts')).nodesCommand,
  nodeset: async () => (await import('./nodeset.ts')).nodesetCommand,
  pgrep: async () => (await import('./pgrep.ts')).pgrepCommand,
  pkill: async () => (await import('./pkill.ts')).pkillCommand,
  ps: async () => (await import('./ps.ts')).psCommand,
  run: async () => (await import('./run.ts')).runCommand,
  store: async () => (await import('./store.ts')).storeCommand,
  top: async () => (await import('./top.ts')).topCommand,
  wait: async () => (await import('./wait.ts')).waitCommand,
};

/** Name and summary of each, in the order of `nsh --help`; a test holds them against the commands' own. */
export const summaries: readonly (readonly [name: string, summary: string])[] = [
  ['nodes', 'show the nodes of the cluster and how they are'],
  ['ps', 'show processes of the whole cluster'],
  ['top', 'show the processes of the whole cluster live'],
  ['pgrep', 'find processes by name and other attributes'],
  ['pkill', 'signal processes by name and other attributes'],
  ['kill', 'signal processes by their cluster PIDs'],
  ['run', 'run a command on a node, or on many'],
  ['attach', 'take the terminal of a process'],
  ['logs', 'show the kept output of a process'],
  ['wait', 'wait for processes and pass their exit status on'],
  ['nodeset', 'expand, fold and count sets of nodes'],
  ['agent', 'start, stop and inspect the agents'],
  ['store', 'show the coordination store and who can use it'],
  ['help', 'list the commands, or tell more of one'],
  ['man', "show manual pages, nsh's own and others"],
  ['completion', 'print the script that completes nsh in another shell'],
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
