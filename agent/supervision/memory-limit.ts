/**
 * How the memory of a replica is limited: by a control group of its own (memory.max, swap included) where this agent may divide one, else by
 * the size of its data (RLIMIT_DATA), which each of its processes may reach for itself; and what is known afterwards of its having met it.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatSize } from '../../src/ids/quantities.ts';
import type { End } from '../../src/policy/supervision/end.ts';
import type { ReplicaMark } from '../../src/protocol/process.ts';
import { ControlGroups, countOomKills, removeGroup } from './control-groups.ts';

export interface MemoryLimit {
  /** By letter of `ulimit`. */
  readonly limits?: Record<string, number>;
  readonly cgroup?: string;
}

type Mark = Pick<ReplicaMark, 'group' | 'slot' | 'run'>;

/** Ends of programs that were refused memory: C++ and many libraries abort, C without a check reads at address 0. */
const refusedSignals: ReadonlySet<string> = new Set(['ABRT', 'SEGV', 'BUS', 'TRAP', 'ILL']);

export class MemoryLimits {
  readonly #groups: ControlGroups;

  constructor(groups = new ControlGroups({ root: '/sys/fs/cgroup', controller: 'memory', limitFile: 'memory.max' })) {
    this.#groups = groups;
  }

  get kind(): 'cgroup' | 'rlimit' {
    return this.#groups.parent === undefined ? 'rlimit' : 'cgroup';
  }

  /** For one start. @param bytes 0: no limit. */
  limitOf(mark: Mark, bytes: number): MemoryLimit {
    if (bytes === 0) return {};
    const cgroup = this.#groups.make(nameOf(mark), bytes);
    if (cgroup === undefined) return { limits: { d: Math.ceil(bytes / 1024) } };
    trySwap(cgroup);
    return { cgroup };
  }

  /** What the limit has to do with this end; the group of one that has ended is removed. */
  explain(mark: Mark, bytes: number, end: End): End {
    if (bytes === 0 || (end.kind !== 'exited' && end.kind !== 'signalled')) return end;
    const cgroup = this.#groups.find(nameOf(mark));
    if (cgroup === undefined) {
      const isRefused = end.kind === 'exited' ? end.code !== 0 : refusedSignals.has(end.signal);
      return isRefused ? { ...end, note: `limited to ${formatSize(bytes)} of data` } : end;
    }
    const kills = countOomKills(cgroup);
    removeGroup(cgroup);
    return kills === 0 ? end : { ...end, note: `out of memory: more than ${formatSize(bytes)}` };
  }
}

function nameOf({ group, slot, run }: Mark): string {
  return `${group}-${slot}-${run}`;
}

function trySwap(cgroup: string): void {
  try {
    writeFileSync(join(cgroup, 'memory.swap.max'), '0');
  } catch {
    // A kernel without accounting of swap.
  }
}
