/** What does not change while the machine runs (page size, processors) or is cheap to read anew (memory, load). */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { arch, availableParallelism, hostname, loadavg, release } from 'node:os';
import type { NodeInfo } from '../../src/protocol/control.ts';
import { bootIdentity } from '../../src/cluster/this-machine.ts';
import { uptimeSeconds } from './boot.ts';
import { readAscii } from './read-file.ts';

let pageSize: number | undefined;

/** Bytes of a memory page; asked of getconf once, 4096 where that fails. */
export function pageBytes(): number {
  if (pageSize !== undefined) return pageSize;
  if (process.arch === 'x64' || process.arch === 'ia32') return (pageSize = 4096);
  try {
    pageSize = Number(execFileSync('getconf', ['PAGESIZE'], { encoding: 'utf8', timeout: 2000 })) || 4096;
  } catch {
    pageSize = 4096; // no getconf: the size of nearly every machine
  }
  return pageSize;
}

export interface Memory {
  readonly totalKb: number;
  readonly availableKb: number;
}

export function readMemory(): Memory {
  const text = readAscii('/proc/meminfo') ?? '';
  const totalKb = Number(/^MemTotal:\s*(\d+)/m.exec(text)?.[1] ?? 0);
  const free = /^MemAvailable:\s*(\d+)/m.exec(text)?.[1] ?? /^MemFree:\s*(\d+)/m.exec(text)?.[1] ?? 0;
  return { totalKb, availableKb: Number(free) };
}

export function processorCount(): number {
  return availableParallelism();
}

/** PIDs of /proc in rising order. */
export function listPids(): number[] {
  const pids: number[] = [];
  for (const name of readdirSync('/proc')) {
    const first = name.charCodeAt(0);
    if (first < 0x31 || first > 0x39) continue;
    const pid = Number(name);
    if (Number.isInteger(pid)) pids.push(pid);
  }
  return pids.sort((a, b) => a - b);
}

/** Everything that `info` answers about this machine, apart from what nsh runs on it. */
export function nodeInfo(): Omit<NodeInfo, 'managed'> {
  const memory = readMemory();
  return {
    hostname: hostname(),
    kernel: release(),
    arch: arch(),
    boot: bootIdentity(),
    cpus: processorCount(),
    load1: loadavg()[0] ?? 0,
    memTotalKb: memory.totalKb,
    memAvailableKb: memory.availableKb,
    uptimeSeconds: uptimeSeconds(),
    processes: listPids().length,
  };
}
