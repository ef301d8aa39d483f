/** The sources of a session: its own state as the owner tells it, and the nodes through the cluster client. */
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import type { NodeSpec } from '../../src/cluster/node-spec.ts';
import type { Starter } from '../../src/protocol/process.ts';
import { loadCommand, builtinSummaries } from '../commands/index.ts';
import { namedNodes } from '../nodeset/named-nodes.ts';
import { ClusterGroups } from './cluster-groups.ts';
import { clusterProcesses } from './cluster-processes.ts';
import { NodeNames } from './node-names.ts';
import { clusterRunner } from './runners.ts';
import type { CompletionSources, KnownVariable } from './sources.ts';
import type { Choice } from './types.ts';

/** What only the session knows; asked anew with each completion. */
export interface SessionKnowledge {
  /** Where it is now. */
  node(): NodeSpec;
  /** Its working directory there. */
  cwd(): string;
  variables(): readonly KnownVariable[];
  /** Functions and aliases. */
  commands(): readonly Choice[];
  /** `%1` and its command line. */
  jobs(): readonly Choice[];
  /** Builtins of the session beside those of the `nsh` command. */
  builtins?(): readonly Choice[];
}

export function clusterSources(client: ClusterClient, session: SessionKnowledge, starter: Starter): CompletionSources {
  const names = new NodeNames({
    run: clusterRunner(client, starter),
    resolve: (where, signal) => {
      if (where === undefined) return [session.node()];
      // `all` and `any` are words behind the leading `@`; any node stands for the one that is chosen later.
      return where === 'all' || where === 'any' ? client.nodes : namedNodes(client, where, signal);
    },
    // Of a person's own directories on another machine nothing is known: bash there goes home where it is none.
    cwd: () => session.cwd(),
  });
  const groups = new ClusterGroups(client);
  const commands = builtinSummaries.map(([value, description]): Choice => ({ value, description }));
  return {
    nodes: () => (client.nodes.some(({ id }) => id === client.self.id) ? client.nodes : [client.self, ...client.nodes]),
    builtins: () => [...commands, ...(session.builtins?.() ?? [])],
    shape: (name) => loadCommand(name),
    sessionCommands: () => session.commands(),
    variables: () => session.variables(),
    jobs: () => session.jobs(),
    groups: (signal) => groups.groups(signal),
    processes: (select, signal) => clusterProcesses(client, select, signal),
    names: (question, signal) => names.names(question, signal),
  };
}
