/** A whole cluster file, from text to ClusterSpec. Pure, but for loading the YAML parser. Described in man/nsh-cluster.5. */
import type { ClusterSpec } from '../node-spec.ts';
import { checkNode, type PlacedNode } from './check-node.ts';
import { checkStore } from './check-store.ts';
import { Fields } from './fields.ts';
import { resolvePath, type PathContext } from './file-paths.ts';
import { Problems, type Position } from './problems.ts';
import { describeTree } from './tree.ts';

const clusterKeys = ['cluster', 'sshConfig', 'agentCommand', 'store', 'nodes'] as const;
const clusterForm = /^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}$/;
/** Beside the directories of clusters (src/cluster/paths.ts) lie the shell's history and what its rewriting makes for a moment. */
const historyFile = /^history(?:\.|$)/;
export const defaultAgentCommand = 'nsh-agent';
export const localCluster = 'local';

/** @throws NshError `clusterFile`, naming every fault with file, line and column. */
export async function parseClusterFile(text: string, paths: PathContext): Promise<Omit<ClusterSpec, 'file'>> {
  const problems = new Problems(paths.path);
  const { parseYaml } = await import('./yaml-tree.ts');
  const tree = parseYaml(text, problems);
  problems.throwIfAny();
  if (tree?.kind !== 'map') {
    const found =
      tree === undefined || (tree.kind === 'scalar' && tree.value === null)
        ? 'it is empty'
        : `it is ${describeTree(tree)}`;
    problems.add({ line: 1, column: 1 }, `a cluster file has the keys ${clusterKeys.join(', ')}; ${found}`);
    problems.throwIfAny();
    throw new Error('a problem was added and not thrown');
  }
  const fields = new Fields(tree, clusterKeys, 'of a cluster file', problems);
  const cluster = readName(fields, problems);
  const sshConfig = resolvePath(fields.text('sshConfig', 'a path', /^[^\0\n]+$/), 'sshConfig', paths, problems);
  const agentCommand =
    fields.text('agentCommand', 'one line of words', /^[^\0\n]*\S[^\0\n]*$/)?.text ?? defaultAgentCommand;
  const placed = (fields.list('nodes', 'a list of nodes')?.items ?? []).flatMap((item) =>
    checkNode(item, paths, problems),
  );
  if (!fields.has('nodes')) problems.add(fields.at, "the key 'nodes' is missing: a list such as [{id: 1, name: web1}]");
  checkUnique(placed, problems);
  const nodes = placed.map(({ spec }) => spec).sort((a, b) => a.id - b.id);
  const storeTree = fields.tree('store');
  const store = storeTree === undefined ? undefined : checkStore(storeTree, nodes, paths, problems);
  problems.throwIfAny();
  return {
    cluster,
    ...(sshConfig === undefined ? {} : { sshConfig }),
    agentCommand,
    ...(store === undefined ? {} : { store }),
    nodes,
  };
}

function readName(fields: Fields, problems: Problems): string {
  if (!fields.has('cluster')) problems.add(fields.at, "the key 'cluster' is missing: the name of the cluster");
  const field = fields.text(
    'cluster',
    "a name of at most 64 letters, digits, '-', '_' and '.', not beginning with '.'",
    clusterForm,
  );
  if (field?.text === localCluster) {
    problems.add(field.at, `the name '${localCluster}' is taken: it means this machine without a cluster file`);
  } else if (field !== undefined && historyFile.test(field.text)) {
    problems.add(field.at, `the name '${field.text}' is taken: the shell's history lies where its state would`);
  }
  return field?.text ?? '';
}

function checkUnique(placed: readonly PlacedNode[], problems: Problems): void {
  const ids = new Map<number, { name: string; at: Position }>();
  const names = new Map<string, Position>();
  for (const { spec, nameAt, idAt } of placed) {
    const holder = ids.get(spec.id);
    if (holder === undefined) ids.set(spec.id, { name: spec.name, at: idAt });
    else
      problems.add(
        idAt,
        `id ${spec.id} is given twice: to '${holder.name}' at ${problems.place(holder.at)}, and here to '${spec.name}'`,
      );
    const earlier = names.get(spec.name);
    if (earlier === undefined) names.set(spec.name, nameAt);
    else problems.add(nameAt, `the name '${spec.name}' is given twice: at ${problems.place(earlier)}, and here`);
  }
}
