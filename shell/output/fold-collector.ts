/**
 * Gathers the output of many nodes and shows what is identical once, under the folded set of its nodes, as `clush -b` does. Pure:
 * bytes in, groups out. Memory is bounded: a node that says more than it may is given back, and shown line by line instead.
 */
import { createHash } from 'node:crypto';

export interface FoldLimits {
  /** Bytes gathered for one node. */
  readonly maxNodeBytes: number;
  /** Bytes gathered altogether. */
  readonly maxTotalBytes: number;
}

export const defaultFoldLimits: FoldLimits = { maxNodeBytes: 64 * 1024 * 1024, maxTotalBytes: 256 * 1024 * 1024 };

export interface FoldGroup {
  /** In the order in which they were asked for. */
  readonly nodes: readonly string[];
  readonly output: Buffer;
}

interface Gathered {
  chunks: Buffer[];
  bytes: number;
}

export class FoldCollector {
  readonly #limits: FoldLimits;
  readonly #gathered = new Map<string, Gathered>();
  #totalBytes = 0;

  /** @param names in the order in which groups are shown. */
  constructor(names: readonly string[], limits: FoldLimits = defaultFoldLimits) {
    this.#limits = limits;
    for (const name of names) this.#gathered.set(name, { chunks: [], bytes: 0 });
  }

  /**
   * @returns undefined where the bytes were taken; else everything that this node has said, these bytes included: it is not
   * folded, nothing more of it may be added, and it is the caller's to show.
   */
  add(name: string, bytes: Buffer): Buffer | undefined {
    const gathered = this.#gathered.get(name);
    if (gathered === undefined) return bytes;
    gathered.chunks.push(bytes);
    gathered.bytes += bytes.length;
    this.#totalBytes += bytes.length;
    if (gathered.bytes <= this.#limits.maxNodeBytes && this.#totalBytes <= this.#limits.maxTotalBytes) return undefined;
    this.#gathered.delete(name);
    this.#totalBytes -= gathered.bytes;
    return Buffer.concat(gathered.chunks);
  }

  /** Nodes with identical output together, ordered by the first of each; those that said nothing are left out, as by clush. */
  groups(): FoldGroup[] {
    const byOutput = new Map<string, { nodes: string[]; output: Buffer }>();
    for (const [name, { chunks, bytes }] of this.#gathered) {
      if (bytes === 0) continue;
      const output = Buffer.concat(chunks);
      const key = createHash('sha256').update(output).digest('base64');
      const group = byOutput.get(key);
      if (group === undefined) byOutput.set(key, { nodes: [name], output });
      else group.nodes.push(name);
    }
    return [...byOutput.values()];
  }
}

const rule = '-'.repeat(15);

/** One group as `clush -b` prints it: a header of the folded nodes and their number, then the output as it is. */
export function renderGroup(group: FoldGroup, fold: (names: readonly string[]) => string): Buffer {
  const count = group.nodes.length > 1 ? ` (${group.nodes.length})` : '';
  const head = Buffer.from(`${rule}\n${fold(group.nodes)}${count}\n${rule}\n`);
  const open = group.output.at(-1) === 0x0a ? '' : '\n';
  return Buffer.concat([head, group.output, Buffer.from(open)]);
}
