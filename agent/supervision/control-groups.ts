/**
 * Control groups (cgroup v2) for single processes: below the nearest group above this process that the user may divide, one for each, with a
 * limit. A process may be moved only within what the user may write to as a whole (cgroups(7), delegation), and a group that has processes of
 * its own passes no controller on, so that it is mostly the parent of this process's group that is divided.
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

export interface Hierarchy {
  /** Where it is mounted. */
  readonly root: string;
  readonly controller: string;
  /** Takes bytes. */
  readonly limitFile: string;
  /** Of this process, below the root. Default: what the kernel says. */
  readonly own?: string;
}

const prefix = 'nsh-';
/** A group that is so young may be waiting for its process, ms. */
const youngMs = 60_000;

export class ControlGroups {
  readonly #hierarchy: Hierarchy;
  #known: { readonly parent: string | undefined } | undefined;

  constructor(hierarchy: Hierarchy) {
    this.#hierarchy = hierarchy;
  }

  /** Found once: where this process is does not change. Undefined: none can be divided. */
  get parent(): string | undefined {
    this.#known ??= { parent: this.#findParent() };
    return this.#known.parent;
  }

  /** @returns its path, for a process to be moved to; undefined where it cannot be made. */
  make(name: string, bytes: number): string | undefined {
    const { parent } = this;
    if (parent === undefined) return undefined;
    this.#removeEmpty(parent);
    const path = join(parent, `${prefix}${process.pid}-${name}`);
    try {
      mkdirSync(path, { recursive: true });
      writeFileSync(join(path, this.#hierarchy.limitFile), String(bytes));
      return path;
    } catch {
      return undefined; // It could be divided a moment ago.
    }
  }

  /** The newest of that name, also of an agent before. */
  find(name: string): string | undefined {
    const { parent } = this;
    if (parent === undefined) return undefined;
    const own = readdirSync(parent).filter((each) => each.replace(/^nsh-\d+-/, '') === name && each !== name);
    const found = own.map((each) => join(parent, each)).map((path) => ({ path, atMs: ageOf(path) }));
    return found.sort((a, b) => b.atMs - a.atMs)[0]?.path;
  }

  #findParent(): string | undefined {
    const { root, controller } = this.#hierarchy;
    const own = this.#hierarchy.own ?? /^0::(\/.*)$/m.exec(read('/proc/self/cgroup') ?? '')?.[1];
    if (own === undefined || read(join(root, 'cgroup.controllers')) === undefined) return undefined;
    for (let directory = join(root, own); ; directory = dirname(directory)) {
      if (!mayWrite(join(directory, 'cgroup.procs')) || !mayWrite(directory)) return undefined;
      const passed = read(join(directory, 'cgroup.subtree_control'))?.trim().split(/\s+/);
      if (passed?.includes(controller) === true && this.#canDivide(directory)) return directory;
      if (directory === root || directory === '/') return undefined;
    }
  }

  /** Tries it: nothing else is sure to tell. */
  #canDivide(parent: string): boolean {
    const trial = join(parent, `${prefix}${process.pid}-trial`);
    try {
      mkdirSync(trial);
      try {
        return mayWrite(join(trial, this.#hierarchy.limitFile)) && mayWrite(join(trial, 'cgroup.procs'));
      } finally {
        rmdirSync(trial);
      }
    } catch {
      return false;
    }
  }

  /** Those of processes that have ended; one with a process in it refuses to go. */
  #removeEmpty(parent: string): void {
    for (const name of readdirSync(parent)) {
      if (!name.startsWith(prefix)) continue;
      const path = join(parent, name);
      if (Date.now() - ageOf(path) > youngMs) removeGroup(path);
    }
  }
}

/** Unless a process is in it. */
export function removeGroup(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // In use, or gone.
  }
}

/** How often the kernel has killed in a group for want of memory; 0 where it does not say. */
export function countOomKills(path: string): number {
  return Number(/^oom_kill (\d+)$/m.exec(read(join(path, 'memory.events')) ?? '')?.[1] ?? 0);
}

/** When it was made or last changed, Unix ms; now for one that is gone. */
function ageOf(path: string): number {
  try {
    return statSync(path).ctimeMs;
  } catch {
    return Date.now();
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
