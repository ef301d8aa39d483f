/** What `nsh group ls` and `show` print, as text and as JSON. Pure. */
import { foldNames } from '../../src/ids/nodeset/index.ts';
import { nodeId, toGpid } from '../../src/ids/gpid.ts';
import { formatDuration, formatSize } from '../../src/ids/quantities.ts';
import type { GroupView, ReplicaView } from '../../src/coordination/groups/view.ts';
import { describeEnd } from '../../src/policy/supervision/end.ts';
import { replicaName } from '../../src/policy/supervision/identity.ts';
import { writeGroupSpec } from '../../src/policy/supervision/parse-spec.ts';
import { formatReadyProbe } from '../../src/policy/supervision/ready-probe.ts';
import type { GroupSpec } from '../../src/policy/supervision/spec.ts';
import { versionOf } from '../../src/policy/supervision/spec.ts';
import type { NodePresence } from '../../src/policy/supervision/wanted.ts';
import { escapeText } from '../escape.ts';
import { paint, renderTable, type Style, type TableColumn, type TableOptions } from '../table.ts';

/** What the names of nodes and the time have to do with it. */
export interface Surroundings {
  /** Of a node by id. */
  readonly nameOf: (node: number) => string;
  /** By id; absent: its agent does not take part. */
  readonly present: ReadonlyMap<number, NodePresence>;
  /** Unix ms. */
  readonly nowMs: number;
}

const styles: Partial<Readonly<Record<string, Style>>> = {
  running: 'green',
  ready: 'green',
  failed: 'red',
  halted: 'red',
  lost: 'red',
  held: 'red',
  incomplete: 'yellow',
  unplaced: 'yellow',
  waiting: 'yellow',
  unready: 'yellow',
  stopped: 'dim',
  ended: 'dim',
};

export function renderGroups(views: readonly GroupView[], { nameOf }: Surroundings, options: TableOptions): string {
  const columns: readonly TableColumn<GroupView>[] = [
    { header: 'GROUP', text: ({ name }) => name },
    { header: 'STATE', text: ({ state }) => state, style: ({ state }) => styles[state] },
    { header: 'READY', align: 'right', text: readyOf },
    { header: 'RESTARTS', align: 'right', text: ({ restarted }) => String(restarted) },
    { header: 'NODES', text: ({ replicas }) => nodesOf(replicas, nameOf) },
    { header: 'COMMAND', text: ({ wanted }) => wanted.spec.argv.join(' ') },
  ];
  return renderTable(views, columns, options);
}

/** `2/3`. */
function readyOf({ ready, wanted }: GroupView): string {
  return `${ready}/${wanted.rest === undefined ? wanted.spec.replicas : 0}`;
}

function nodesOf(replicas: readonly ReplicaView[], nameOf: Surroundings['nameOf']): string {
  const names = new Set(replicas.flatMap(({ node }) => (node === undefined ? [] : [nameOf(node)])));
  return names.size === 0 ? '-' : foldNames(names);
}

export function renderGroup(view: GroupView, around: Surroundings, options: TableOptions): string {
  const facts = factsOf(view, around);
  const width = Math.max(...facts.map(([name]) => name.length));
  const lines = facts.map(([name, text, style]) => {
    return `${name.padEnd(width)}  ${paint(escapeText(text), style, options.colour)}\n`;
  });
  if (view.replicas.length === 0) return lines.join('');
  return `${lines.join('')}\n${renderTable(view.replicas, replicaColumns(view, around), options)}`;
}

type Fact = readonly [name: string, text: string, style?: Style | undefined];

function factsOf(view: GroupView, around: Surroundings): Fact[] {
  const { wanted, state, why, restarted } = view;
  const { spec } = wanted;
  const environment = Object.entries(spec.env).map(([name, value]) => `${name}=${value}`);
  return [
    ['group', view.name],
    ['state', describeState(view), styles[state]],
    ...(why === undefined ? [] : [['why', why, 'red'] as const]),
    ...waitsOf(view).map((text) => ['waits', text, 'yellow'] as const),
    ['command', quoteArgv(spec.argv)],
    ...(spec.cwd === undefined ? [] : [['directory', spec.cwd] as const]),
    ...(environment.length === 0 ? [] : [['env', environment.join(' ')] as const]),
    ['version', versionOf(spec, wanted.restarts)],
    [
      'restart',
      `${spec.restart}, ${spec.strategy}, at most ${spec.intensity} in ${formatDuration(spec.periodMs)}; ${restarted} so far`,
    ],
    ...(spec.ready === undefined
      ? []
      : [['ready', `${formatReadyProbe(spec.ready)}, within ${formatDuration(spec.readyTimeoutMs)}`] as const]),
    ['stop', `${spec.stopSignal}, and KILL after ${formatDuration(spec.stopTimeoutMs)}`],
    ['placement', describePlacement(spec)],
    ...(spec.memoryBytes === 0 ? [] : [['memory', describeMemory(view, around)] as const]),
  ];
}

function describeState({ state, ready, wanted, replicas }: GroupView): string {
  if (wanted.rest === undefined) return `${state}, ${ready} of ${wanted.spec.replicas} ready`;
  return replicas.length === 0 ? state : `${state}, ${replicas.length} still there`;
}

const maxWaits = 3;

/** Each reason once, whole: in the table a narrow terminal cuts it. */
function waitsOf({ replicas }: GroupView): string[] {
  const names = new Map<string, number>();
  for (const { why } of replicas) if (why !== undefined) names.set(why, (names.get(why) ?? 0) + 1);
  return [...names].slice(0, maxWaits).map(([why, count]) => (count === 1 ? why : `${why} (${count} replicas)`));
}

/** As it could be typed. */
function quoteArgv(argv: readonly string[]): string {
  return argv
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`))
    .join(' ');
}

function describePlacement({ spreading, on, apart, singleton }: GroupSpec): string {
  return [
    singleton ? 'singleton' : spreading,
    `on ${on ?? 'all nodes'}`,
    ...(apart.length === 0 ? [] : [`apart from ${apart.join(', ')}`]),
  ].join(', ');
}

/** How it is enforced is each node's matter: cgroup v2 where the user has delegation, else RLIMIT_DATA. Without replicas: how it would be. */
function describeMemory({ wanted, replicas }: GroupView, { nameOf, present }: Surroundings): string {
  const ways = new Map<string, Set<string>>();
  const nodes = replicas.flatMap(({ node }) => node ?? []);
  for (const node of nodes.length === 0 ? present.keys() : nodes) {
    const way = present.get(node)?.memoryLimit;
    if (way !== undefined) ways.set(way, (ways.get(way) ?? new Set()).add(nameOf(node)));
  }
  const told = [...ways].map(([way, names]) => `${way} on ${foldNames(names)}`);
  const size = `${formatSize(wanted.spec.memoryBytes)} each`;
  return told.length === 0 ? size : `${size}, limited by ${told.join(', by ')}`;
}

function replicaColumns(
  { name, replicas }: GroupView,
  { nameOf, nowMs }: Surroundings,
): readonly TableColumn<ReplicaView>[] {
  const version: TableColumn<ReplicaView> = {
    header: 'VERSION',
    text: (replica) =>
      replica.version === undefined ? '-' : `${replica.version}${replica.isOutdated ? ' (old)' : ''}`,
    style: ({ isOutdated }) => (isOutdated ? 'yellow' : undefined),
  };
  return [
    { header: 'REPLICA', text: ({ slot }) => replicaName({ group: name, slot }) },
    { header: 'NODE', text: ({ node }) => (node === undefined ? '-' : nameOf(node)) },
    { header: 'PID', align: 'right', text: (replica) => String(gpidOf(replica) ?? '-') },
    { header: 'STATE', text: ({ phase }) => phase, style: ({ phase }) => styles[phase] },
    { header: 'FOR', align: 'right', text: ({ sinceMs }) => (sinceMs === undefined ? '-' : age(nowMs - sinceMs)) },
    { header: 'RUN', align: 'right', text: ({ run }) => (run === undefined ? '-' : String(run)) },
    // That of all stands above.
    ...(replicas.some(({ isOutdated }) => isOutdated) ? [version] : []),
    { header: 'NOTE', text: noteOf },
  ];
}

function noteOf({ why, lastEnd, wasAsked, phase }: ReplicaView): string {
  // How one ended that was replaced is of interest only where the next one is not there.
  const isOld = phase === 'ready' && wasAsked === true;
  const notes = [
    ...(why === undefined ? [] : [why]),
    ...(lastEnd === undefined || isOld ? [] : [`${phase === 'ended' ? '' : 'before: '}${describeEnd(lastEnd)}`]),
  ];
  return notes.join('; ');
}

function gpidOf({ node, pid }: ReplicaView): number | undefined {
  return node === undefined || pid === undefined ? undefined : toGpid(nodeId(node), pid);
}

/** Whole seconds; clocks of nodes differ a little. */
function age(ms: number): string {
  return formatDuration(Math.max(0, Math.floor(ms / 1000) * 1000));
}

export function groupToJson(view: GroupView, { nameOf, present }: Surroundings): Record<string, unknown> {
  const { name, wanted, state, why, ready, restarted, revision, replicas } = view;
  return {
    name,
    state,
    ...(why === undefined ? {} : { why }),
    ready,
    replicas: wanted.spec.replicas,
    restarted,
    round: wanted.round,
    version: versionOf(wanted.spec, wanted.restarts),
    revision: String(revision),
    spec: writeGroupSpec(wanted.spec),
    slots: replicas.map((replica) => ({
      name: replicaName({ group: name, slot: replica.slot }),
      slot: replica.slot,
      node: replica.node === undefined ? null : nameOf(replica.node),
      pid: gpidOf(replica) ?? null,
      state: replica.phase,
      ...(replica.sinceMs === undefined ? {} : { since: new Date(replica.sinceMs).toISOString() }),
      ...(replica.run === undefined ? {} : { run: replica.run }),
      ...(replica.version === undefined ? {} : { version: replica.version }),
      outdated: replica.isOutdated,
      ...(replica.lastEnd === undefined ? {} : { lastEnd: replica.lastEnd }),
      ...(replica.why === undefined ? {} : { why: replica.why }),
      ...(wanted.spec.memoryBytes === 0 || replica.node === undefined
        ? {}
        : { memoryLimit: present.get(replica.node)?.memoryLimit ?? null }),
    })),
  };
}
