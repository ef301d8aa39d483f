/** Which NUMA node a processor belongs to (/sys/devices/system/node, sysfs). It does not change while the machine runs. */
import { readdirSync } from 'node:fs';
import { readAscii } from './read-file.ts';

const directory = '/sys/devices/system/node';
let nodes: ReadonlyMap<number, number> | undefined;

/** -1 where the kernel does not tell. */
export function numaNodeOf(processor: number): number {
  nodes ??= readNodes();
  return nodes.get(processor) ?? -1;
}

function readNodes(): Map<number, number> {
  const found = new Map<number, number>();
  for (const name of nodeDirectories()) {
    const list = readAscii(`${directory}/${name}/cpulist`) ?? '';
    for (const processor of parseCpuList(list)) found.set(processor, Number(name.slice(4)));
  }
  return found;
}

function nodeDirectories(): string[] {
  try {
    return readdirSync(directory).filter((name) => /^node\d+$/.test(name));
  } catch {
    return []; // a kernel without NUMA
  }
}

/** `0-3,8,10-11` as the kernel writes it. */
export function parseCpuList(text: string): number[] {
  const processors: number[] = [];
  for (const [, first = '', last = first] of text.matchAll(/(\d+)(?:-(\d+))?/g)) {
    for (let processor = Number(first); processor <= Number(last); processor++) processors.push(processor);
  }
  return processors;
}
