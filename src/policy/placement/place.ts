/**
 * Which replica of which group belongs on which node. Pure and deterministic: the order of what comes in does not matter, and chance has no
 * part. What runs where it may stays there: nodes that come move nothing, and of one that goes only its own replicas move.
 *
 * Which order is given when, so that a replica never runs twice, is supervision/plan-group.ts's matter.
 */
import { foldNames, parseNodeset } from '../../ids/nodeset/index.ts';
import { formatSize } from '../../ids/quantities.ts';
import { NshError } from '../../protocol/errors.ts';
import { replicaName, slotsOf } from '../supervision/identity.ts';
import type { GroupSpec } from '../supervision/spec.ts';

export interface PlaceableNode {
  readonly id: number;
  readonly name: string;
  readonly labels: readonly string[];
  /** Its agent's session lives. */
  readonly isAlive: boolean;
  /** `nsh node drain`: nothing new comes here, and what is here goes. */
  readonly isDrained: boolean;
  readonly memTotalBytes: number;
  readonly memAvailableBytes: number;
}

export interface PlacementInput {
  /** Those that should run. */
  readonly groups: readonly GroupSpec[];
  readonly nodes: readonly PlaceableNode[];
  /** Replica name → id of the node that it was placed on before. */
  readonly current: ReadonlyMap<string, number>;
  /** Those of `current` that are so new that `memAvailableBytes` does not show what they use. */
  readonly unmeasured?: ReadonlySet<string>;
}

export interface Placement {
  /** Replica name → node id. */
  readonly nodes: ReadonlyMap<string, number>;
  /** Replica name → why no node may run it, for people. */
  readonly unplaced: ReadonlyMap<string, string>;
}

export function placeGroups({ groups, nodes, current, unmeasured }: PlacementInput): Placement {
  const bins = [...nodes].sort((a, b) => a.id - b.id).map((node) => new Bin(node));
  const byId = new Map(bins.map((bin) => [bin.node.id, bin]));
  const placed = new Map<string, number>();
  const unplaced = new Map<string, string>();
  const wanted = [...groups]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((spec) => {
      const allowed = resolveOn(spec, nodes);
      return slotsOf(spec.replicas).map((slot) => ({ spec, allowed, name: replicaName({ group: spec.name, slot }) }));
    });
  const homeless = wanted.filter(({ spec, allowed, name }) => {
    const bin = byId.get(current.get(name) ?? -1);
    if (bin === undefined || bin.refuses(spec, allowed) !== undefined) return true;
    if (unmeasured?.has(name) === true) bin.add(spec);
    else bin.keep(spec);
    placed.set(name, bin.node.id);
    return false;
  });
  // The largest first: what is small finds a gap. The sort is stable.
  // Nodes only fill up: where one replica of a group has no place the next one has none either.
  const refused = new Map<string, string>();
  for (const { spec, allowed, name } of homeless.sort((a, b) => b.spec.memoryBytes - a.spec.memoryBytes)) {
    const chosen = refused.has(spec.name) ? undefined : choose(bins, spec, allowed);
    if (chosen === undefined) {
      const why = refused.get(spec.name) ?? explain(bins, spec, allowed);
      refused.set(spec.name, why);
      unplaced.set(name, why);
    } else {
      chosen.add(spec);
      placed.set(name, chosen.node.id);
    }
  }
  return { nodes: placed, unplaced };
}

/** Names of the nodes that a group may run on, or why there are none. */
type Allowed = ReadonlySet<string> | string | undefined;

function resolveOn({ on }: GroupSpec, nodes: readonly PlaceableNode[]): Allowed {
  if (on === undefined) return undefined;
  const byId = new Map(nodes.map(({ id, name }) => [String(id), name]));
  const withLabel = (label: string): string[] =>
    nodes.filter(({ labels }) => label === 'all' || labels.includes(label)).map(({ name }) => name);
  try {
    // A label that nobody has today is no fault: a node may get it tomorrow.
    return new Set(parseNodeset(on, { labels: withLabel, rename: (word) => byId.get(word) ?? word }).names());
  } catch (error) {
    if (error instanceof NshError) return error.message;
    throw error;
  }
}

function choose(bins: readonly Bin[], spec: GroupSpec, allowed: Allowed): Bin | undefined {
  let best: Bin | undefined;
  for (const bin of bins) {
    if ((bin.refuses(spec, allowed) ?? bin.lacksRoom(spec)) !== undefined) continue;
    if (best === undefined || isBetter(bin, best, spec)) best = bin;
  }
  return best;
}

/** Nodes with the same marks: the one with the lower id, which comes first. */
function isBetter(a: Bin, b: Bin, { name, spreading }: GroupSpec): boolean {
  const own = a.countOf(name) - b.countOf(name);
  const all = a.count - b.count;
  return spreading === 'spread' ? own < 0 || (own === 0 && all < 0) : own > 0 || (own === 0 && all > 0);
}

const maxNamed = 5;

function explain(bins: readonly Bin[], spec: GroupSpec, allowed: Allowed): string {
  if (typeof allowed === 'string') return allowed;
  const names = new Map<string, string[]>();
  for (const bin of bins) {
    const reason = bin.refuses(spec, allowed) ?? bin.lacksRoom(spec) ?? '';
    const same = names.get(reason);
    if (same === undefined) names.set(reason, [bin.node.name]);
    else same.push(bin.node.name);
  }
  const reasons = [...names].map(([reason, nodes]) => `${foldNames(nodes)}: ${reason}`);
  const more = reasons.length > maxNamed ? [`and ${reasons.length - maxNamed} more`] : [];
  return reasons.length === 0 ? 'there is no node' : [...reasons.slice(0, maxNamed), ...more].join('; ');
}

/** A node with what has been placed on it so far. */
class Bin {
  readonly node: PlaceableNode;
  count = 0;
  #askedBytes = 0;
  /** Of what is not there yet, so that its memory is not missing in what the node has available. */
  #comingBytes = 0;
  readonly #counts = new Map<string, number>();
  /** Groups that share with some others no node. */
  readonly #apart = new Map<string, ReadonlySet<string>>();

  constructor(node: PlaceableNode) {
    this.node = node;
  }

  countOf(group: string): number {
    return this.#counts.get(group) ?? 0;
  }

  /** Why it may not run here, be it there already or not. */
  refuses(spec: GroupSpec, allowed: Allowed): string | undefined {
    if (!this.node.isAlive) return 'it is lost';
    if (this.node.isDrained) return 'it is drained';
    if (typeof allowed === 'string') return allowed;
    if (allowed !== undefined && !allowed.has(this.node.name)) return `it is not in ${spec.on}`;
    const enemy = spec.apart.find((group) => this.countOf(group) > 0);
    if (enemy !== undefined) return `${enemy} runs there, which it is to be apart from`;
    if (this.#apart.size === 0) return undefined;
    const shy = [...this.#apart].find(([, others]) => others.has(spec.name))?.[0];
    return shy === undefined ? undefined : `${shy} runs there, which is to be apart from it`;
  }

  lacksRoom({ memoryBytes }: GroupSpec): string | undefined {
    if (memoryBytes === 0) return undefined;
    const { memTotalBytes, memAvailableBytes } = this.node;
    const free = Math.min(memTotalBytes - this.#askedBytes, memAvailableBytes - this.#comingBytes);
    if (memoryBytes <= free) return undefined;
    const mebibytes = Math.max(0, Math.floor(free / 1024 ** 2));
    return `${formatSize(memoryBytes)} are asked for, ${mebibytes}M are free`;
  }

  keep(spec: GroupSpec): void {
    this.count += 1;
    this.#askedBytes += spec.memoryBytes;
    this.#counts.set(spec.name, this.countOf(spec.name) + 1);
    if (spec.apart.length > 0) this.#apart.set(spec.name, new Set(spec.apart));
  }

  add(spec: GroupSpec): void {
    this.keep(spec);
    this.#comingBytes += spec.memoryBytes;
  }
}
