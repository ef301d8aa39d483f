/** Every command by name, loaded when it runs: what a one-shot command does not need it does not import. */
import { suggestNear } from '../../src/ids/near.ts';
import type { Command } from '../command.ts';

const loaders: Readonly<Record<string, () => Promise<Command>>> = {
  agent: async () => (await import('./agent.ts')).agentCommand,
  attach: async () => (await import('./attach.ts')).attachCommand,
  barrier: async () => (await import('./barrier.ts')).barrierCommand,
  cluster: async () => (await import('./cluster.ts')).clusterCommand,
  completion: async () => (await import('./completion.ts')).completionCommand,
  counter: async () => (await import('./counter.ts')).counterCommand,
  demo: async () => (await import('./demo.ts')).demoCommand,
  elect: async () => (await import('./elect.ts')).electCommand,
  group: async () => (await import('./group.ts')).groupCommand,
  help: async () => (await import('./help.ts')).makeHelpCommand({ summaries, load: loadCommand }),
  kill: async () => (await import('./kill.ts')).killCommand,
  kv: async () => (await import('./kv.ts')).kvCommand,
  lock: async () => (await import('./lock.ts')).lockCommand,
  locks: async () => (await import('./locks.ts')).locksCommand,
  logs: async () => (await import('./logs.ts')).logsCommand,
  man: async () => (await import('./man.ts')).manCommand,
  name: async () => (await import('./name.ts')).nameCommand,
  node: async () => (await import('./node.ts')).nodeCommand,
  nodes: async () => (await import('./nodes.ts')).nodesCommand,
  nodeset: async () => (await import('./nodeset.ts')).nodesetCommand,
  pgrep: async () => (await import('./pgrep.ts')).pgrepCommand,
  pkill: async () => (await import('./pkill.ts')).pkillCommand,
  ps: async () => (await import('./ps.ts')).psCommand,
  run: async () => (await import('./run.ts')).runCommand,
  scale: async () => (await import('./scale.ts')).scaleCommand,
  sem: async () => (await import('./sem.ts')).semCommand,
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
  ['lock', 'run a command while a lock of the cluster is held'],
  ['sem', 'run a command that at most N run at once in the cluster'],
  ['elect', 'run a command on the one leader that the cluster agrees on'],
  ['barrier', 'wait until N processes of the cluster have come to it'],
  ['locks', 'show who holds and who waits for locks and their kin'],
  ['counter', 'count with a number that the cluster shares'],
  ['kv', 'keep values by key for the whole cluster, and watch them'],
  ['name', 'give a process a name by which the cluster finds it'],
  ['group', 'keep groups of like processes running in the cluster'],
  ['scale', 'change how many processes of a group run'],
  ['node', 'drain nodes of the groups that run there'],
  ['nodeset', 'expand, fold and count sets of nodes'],
  ['agent', 'start, stop and inspect the agents'],
  ['store', 'show the coordination store and who can use it'],
  ['cluster', 'show and change the nodes and labels that agents act on'],
  ['help', 'list the commands, or tell more of one'],
  ['man', "show manual pages, nsh's own and others"],
  ['completion', 'print the script that completes nsh in another shell'],
  ['demo', 'a cluster on this machine, to try nsh'],
];

/**
 * Commands of `nsh` that are no builtins of a session: they stand for a process of their own, and their names are too common to be taken
 * from what a person has on the PATH (`sem` is GNU parallel's, `node` is Node.js).
 */
export const programsAlone: ReadonlySet<string> = new Set('lock sem elect barrier counter kv name node'.split(' '));

/** Those that a session has as builtins. */
export const builtinSummaries = summaries.filter(([name]) => !programsAlone.has(name));

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
