/** What the replicas of the soak are: `sh` scripts whose processes can be found by their command line, and singletons that write down each beat. */
import { existsSync, readFileSync } from 'node:fs';
import type { Host } from '../../hosts/host.ts';

/** Word of the command line by which a process is found: `soak GROUP SLOT`. */
const mark = 'soak';

/** `bash` of its own name: what it waits for costs no process. */
const wait = 'while :; do read -rt 60 -u 9; done';
/** Written at most so often; two singletons that overlap by less may not be seen. ms */
const beatMs = 25;
const beat = (log: string): string =>
  `while :; do echo "$EPOCHREALTIME $NSH_NODE $$" >>${log}; read -rt ${beatMs / 1_000} -u 9; done`;

export interface ReplicaKind {
  readonly name: 'plain' | 'stubborn' | 'slow' | 'beats';
}

/** @param log of beats. */
export function replicaCommand({ name }: ReplicaKind, log: string): string[] {
  const body = {
    plain: wait,
    /** Only KILL ends it. */
    stubborn: `trap '' TERM; ${wait}`,
    /** Ready after a while, as its output says. */
    slow: `read -rt 0.3 -u 9; echo up; ${wait}`,
    beats: beat(log),
  }[name];
  return [
    'bash',
    '-c',
    `exec 9<> <(:); exec -a "${mark} $NSH_GROUP $NSH_REPLICA" bash -c '${body.replaceAll("'", String.raw`'\''`)}'`,
  ];
}

export interface SoakProcess {
  /** As this machine sees it. */
  readonly outerPid: number;
  readonly group: string;
  readonly slot: number;
}

/** What the kernel knows, and nothing that nsh says. */
export function findReplicas(hosts: readonly Host[]): SoakProcess[] {
  return hosts.flatMap((host) =>
    host.processes().flatMap(({ outerPid, command }) => {
      const [, group, slot] = /^soak ([\w.-]+) (\d+)\b/.exec(command) ?? [];
      return group === undefined ? [] : [{ outerPid, group, slot: Number(slot) }];
    }),
  );
}

/** Pairs of runs of which each wrote a beat while the other ran. */
export function overlaps(log: string): string[] {
  const runs = new Map<string, { fromMs: number; toMs: number }>();
  const lines = existsSync(log) ? readFileSync(log, 'utf8').split('\n') : [];
  for (const line of lines) {
    const [time = '', node, pid] = line.split(' ');
    if (pid === undefined) continue;
    const atMs = Number(time.replace(',', '.')) * 1_000;
    const run = runs.get(`${node} ${pid}`);
    if (run === undefined) runs.set(`${node} ${pid}`, { fromMs: atMs, toMs: atMs });
    else run.toMs = Math.max(run.toMs, atMs);
  }
  const inOrder = [...runs].sort(([, a], [, b]) => a.fromMs - b.fromMs);
  return inOrder.slice(1).flatMap(([name, { fromMs }], index) => {
    const before = inOrder.slice(0, index + 1).find(([, { toMs }]) => toMs > fromMs);
    return before === undefined
      ? []
      : [
          `node and PID ${name} began at ${fromMs.toFixed(1)} while ${before[0]} ran until ${before[1].toMs.toFixed(1)}`,
        ];
  });
}
