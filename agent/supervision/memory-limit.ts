/**
 * How the memory of a replica is limited: by a control group of its own (cgroup v2, memory.max, swap included) below the nearest one of this
 * agent that the user may divide, else by the size of its data (RLIMIT_DATA), which each of its processes may reach for itself.
 */
import {
  accessSync,
  constants,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { ReplicaMark } from '../../src/protocol/process.ts';

const root = '/sys/fs/cgroup';
const prefix = 'nsh-';
/** A group that is so young may be waiting for its process, ms. */
const youngMs = 60_000;

export interface MemoryLimit {
  /** By letter of `ulimit`. */
  readonly limits?: Record<string, number>;
  readonly cgroup?: string;
}

/** For one start. @param bytes 0: no limit. */
export function limitOf({ group, slot, run }: Pick<ReplicaMark, 'group' | 'slot' | 'run'>, bytes: number): MemoryLimit {
  if (bytes === 0) return {};
  const parent = dividable();
  if (parent !== undefined) {
    const cgroup = join(parent, `${prefix}${process.pid}-${group}-${slot}-${run}`);
    try {
      removeEmpty(parent);
      mkdirSync(cgroup, { recursive: true });
      writeFileSync(join(cgroup, 'memory.max'), String(bytes));
      trySwap(cgroup);
      return { cgroup };
    } catch {
      // It could be divided a moment ago: the other way does it, too.
    }
  }
  return { limits: { d: Math.ceil(bytes / 1024) } };
}

export function memoryLimitKind(): 'cgroup' | 'rlimit' {
  return dividable() === undefined ? 'rlimit' : 'cgroup';
}

let known: { readonly parent: string | undefined } | undefined;

/** Found once: where the agent is does not change. */
function dividable(): string | undefined {
  known ??= { parent: findDividable() };
  return known.parent;
}

/**
 * The nearest control group above this process in which groups with a memory limit can be made. A process may be moved only within what the
 * user may write to as a whole (cgroups(7), delegation): the way up ends where that does.
 */
function findDividable(): string | undefined {
  const own = ownGroup();
  if (own === undefined) return undefined;
  for (let directory = own; ; directory = dirname(directory)) {
    if (!mayWrite(join(directory, 'cgroup.procs')) || !mayWrite(directory)) return undefined;
    const passes = read(join(directory, 'cgroup.subtree_control'))?.split(/\s+/).includes('memory') === true;
    if (passes && canDivide(directory)) return directory;
    if (directory === root || directory === '/') return undefined;
  }
}

function ownGroup(): string | undefined {
  const line = /^0::(\/.*)$/m.exec(read('/proc/self/cgroup') ?? '')?.[1];
  return line === undefined || read(join(root, 'cgroup.controllers')) === undefined ? undefined : join(root, line);
}

/** Tries it: nothing else is sure to tell. */
function canDivide(parent: string): boolean {
  const trial = join(parent, `${prefix}${process.pid}-trial`);
  try {
    mkdirSync(trial);
    try {
      return mayWrite(join(trial, 'memory.max')) && mayWrite(join(trial, 'cgroup.procs'));
    } finally {
      rmdirSync(trial);
    }
  } catch {
    return false;
  }
}

/** Groups of replicas that have ended; those with a process in them refuse to go. */
function removeEmpty(parent: string): void {
  for (const name of readdirSync(parent)) {
    if (!name.startsWith(prefix)) continue;
    const path = join(parent, name);
    try {
      if (Date.now() - statSync(path).ctimeMs > youngMs) rmdirSync(path);
    } catch {
      // In use.
    }
  }
}

function trySwap(cgroup: string): void {
  try {
    writeFileSync(join(cgroup, 'memory.swap.max'), '0');
  } catch {
    // A kernel without accounting of swap.
  }
}

function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
