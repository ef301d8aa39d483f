/**
 * What is known of a process on the wire: the raw columns of the process table and the record of a managed process.
 * Add a raw column here and in agent/procfs; add a displayed one in shell/ps.
 */
import * as v from 'valibot';
import { isLocalPid, isNodeId, maxNodeId, maxLocalPid } from '../ids/gpid.ts';

export const nodeIdSchema = v.pipe(v.number(), v.integer(), v.check(isNodeId, `a node id is 0 to ${maxNodeId}`));
export const localPidSchema = v.pipe(v.number(), v.integer(), v.check(isLocalPid, `a PID is 1 to ${maxLocalPid}`));
/** Clock ticks (1/100 s) from boot to the start of a process: field 22 of /proc/PID/stat. */
export const startTicksSchema = v.pipe(v.number(), v.integer(), v.minValue(0));
/** `boot_id` and the start ticks of PID 1, so that a container's boots differ too: `BOOTID-TICKS`. */
export const bootSchema = v.pipe(v.string(), v.maxLength(80));

/** One incarnation of a PID on a node. `start` and `boot` may be left out where the caller has no row to go by. */
export const processRefSchema = v.object({
  pid: localPidSchema,
  start: v.optional(startTicksSchema),
  boot: v.optional(bootSchema),
});
export type ProcessRef = v.InferOutput<typeof processRefSchema>;

/**
 * Raw columns that an agent can send. `pid`…`rss` come from /proc/PID/stat, in its units; the others name what is read more.
 * uids are resolved to names on the node, which alone knows its user database.
 */
export const rawColumns = [
  'pid',
  'comm',
  'state',
  'ppid',
  'pgrp',
  'session',
  'ttyNr',
  'tpgid',
  'flags',
  'minflt',
  'cminflt',
  'majflt',
  'cmajflt',
  'utime',
  'stime',
  'cutime',
  'cstime',
  'priority',
  'nice',
  'numThreads',
  'start',
  'vsizeBytes',
  'rssPages',
  'wchanAddress',
  'exitSignal',
  'processor',
  'rtPriority',
  'policy',
  /** Name of the effective user; the number as text where the node has no name for it. */
  'euser',
  'euid',
  'ruser',
  'ruid',
  'suid',
  'fsuid',
  'egroup',
  'egid',
  'rgroup',
  'rgid',
  'sgid',
  'fsgid',
  'groups',
  /** Controlling terminal as ps shows it: `pts/3`, `tty1`, `?`. */
  'tty',
  /** argv, or null where it is empty (kernel threads, zombies). */
  'args',
  'environ',
  'wchan',
  'cgroup',
  'exe',
  'cwd',
  'root',
  'sigPending',
  'sigBlocked',
  'sigIgnored',
  'sigCaught',
  'lockedKb',
  'swapKb',
  'pssKb',
  'oomScore',
  'oomAdj',
  'pidNs',
  'mntNs',
  'netNs',
  'utsNs',
  'ipcNs',
  'userNs',
  'capEff',
  'noNewPrivs',
  'seccomp',
  'label',
  'loginUid',
  /** VmRSS, VmData and VmStk of /proc/PID/status: exact where field 24 of stat may lag behind. */
  'rssKb',
  'dataKb',
  'stackKb',
  'rssLimitBytes',
  'startCode',
  'endCode',
  'startStack',
  'stackPointer',
  'instructionPointer',
  /** Names for the ids above. */
  'suser',
  'fsuser',
  'sgroup',
  'fsgroup',
  'groupNames',
  'ussKb',
  'ioReadBytes',
  'ioReadChars',
  'ioReadCalls',
  'ioWriteBytes',
  'ioWriteChars',
  'ioWriteCalls',
  'ioCancelledBytes',
  'cgroupNs',
  'timeNs',
  'autogroupId',
  'autogroupNice',
  /** Pending for the main thread alone; `sigPending` is the process's. */
  'sigPendingThread',
  /** The thread: where `ps` was asked for threads each row is one of them. The first one's is the PID. */
  'tid',
  /** NUMA node of `processor`; -1 where the kernel does not tell. */
  'numaNode',
  /** What systemd runs the process as, read from its control group: `-` where it is no such part. */
  'unit',
  'userUnit',
  'slice',
  'machine',
  'loginSession',
  'sessionOwner',
] as const;
export type RawColumn = (typeof rawColumns)[number];

/** One cell: numbers for numbers, text for text, a list for argv, null where the node could not read it. */
export type RawValue = number | string | readonly string[] | null;
export type RawRow = readonly RawValue[];

/** The process table of one node at one moment. `rows[i][j]` belongs to `columns[j]`. */
export interface ProcessTable {
  readonly boot: string;
  /** Unix time of the reading, ms. */
  readonly nowMs: number;
  /** Seconds since boot at the reading, as /proc/uptime has it. */
  readonly uptimeSeconds: number;
  readonly memTotalKb: number;
  readonly cpus: number;
  readonly pageBytes: number;
  /** `btime` of /proc/stat: start times are counted from it in whole seconds, as procps does. Absent: derived from now and uptime. */
  readonly bootSeconds?: number;
  readonly columns: readonly RawColumn[];
  readonly rows: readonly RawRow[];
  /** Managed processes among the rows, and ended ones where they were asked for. */
  readonly managed: readonly ManagedProcess[];
}

export const exitStatusSchema = v.object({
  /** Exit code 0–255; null where a signal ended the process or where it is not known. */
  code: v.nullable(v.number()),
  /** `SIGTERM` and so on; null where it exited by itself. */
  signal: v.nullable(v.string()),
  /** Unix time, ms. */
  atMs: v.number(),
  /** Why the status is not known: the shim was killed, or the machine went down. */
  lost: v.optional(v.string()),
  /** With `lost`: the process has not ended, but nsh has nothing to do with it any more. */
  runsOn: v.optional(v.boolean()),
  /** It was told to end because it had run for so long: the `timeoutMs` of its `run`. */
  timedOutMs: v.optional(v.number()),
});
export type ExitStatus = v.InferOutput<typeof exitStatusSchema>;

/** Who asked for a process, as they called themselves: shown, never trusted. */
export const starterSchema = v.object({
  /** GPID of the process that ran `nsh run`; 0 from a gateway. */
  gpid: v.number(),
  user: v.pipe(v.string(), v.maxLength(256)),
  host: v.pipe(v.string(), v.maxLength(256)),
  /** Terminal or session that the starter belonged to: `BOOT:SID:TICKS`. `ps` alone selects by it. */
  session: v.optional(v.pipe(v.string(), v.maxLength(256))),
});
export type Starter = v.InferOutput<typeof starterSchema>;

export const shimRefSchema = v.object({
  id: v.pipe(v.string(), v.maxLength(64)),
  /** Path of its socket on the node. */
  socket: v.pipe(v.string(), v.maxLength(256)),
});
export type ShimRef = v.InferOutput<typeof shimRefSchema>;

export const onDisconnectSchema = v.picklist(['keep', 'hup', 'kill']);
export type OnDisconnect = v.InferOutput<typeof onDisconnectSchema>;

/** Byte offsets of one kept stream: what is still kept is [base, end). */
export const keptSchema = v.object({ base: v.number(), end: v.number(), closed: v.boolean() });
export type Kept = v.InferOutput<typeof keptSchema>;

/** A job of a shell: its process is a job-control leader, which says on the terminal when what it runs has stopped. */
export const jobSchema = v.object({
  /** What was typed. */
  text: v.pipe(v.string(), v.maxLength(4096)),
  /** By which the leader's notices are known. */
  token: v.pipe(v.string(), v.maxLength(64)),
  /** The shell whose job it is: `BOOT:PID:TICKS` on the starter's host. Another one may take it over when that has gone. */
  owner: v.pipe(v.string(), v.maxLength(128)),
});
export type JobMark = v.InferOutput<typeof jobSchema>;

/** Of a replica of a group (nsh-group(5)): set by the agent of its node, for the one that comes after it. */
export const replicaMarkSchema = v.object({
  group: v.pipe(v.string(), v.maxLength(64)),
  slot: v.number(),
  run: v.number(),
  version: v.pipe(v.string(), v.maxLength(64)),
});
export type ReplicaMark = v.InferOutput<typeof replicaMarkSchema>;

export const managedProcessSchema = v.object({
  pid: localPidSchema,
  start: startTicksSchema,
  boot: bootSchema,
  argv: v.array(v.string()),
  name: v.optional(v.string()),
  cwd: v.string(),
  io: v.picklist(['pty', 'pipes']),
  /** `pipe`: with a terminal, which is not its stdout. Then `out` is the terminal's and `err` that pipe's. */
  stdout: v.optional(v.literal('pipe')),
  job: v.optional(jobSchema),
  replica: v.optional(replicaMarkSchema),
  starter: starterSchema,
  startedAtMs: v.number(),
  onDisconnect: onDisconnectSchema,
  keepBytes: v.number(),
  /** It leaves no record, and is not shown when it has ended. */
  forget: v.optional(v.boolean()),
  /** Absent while the process runs. */
  exit: v.optional(exitStatusSchema),
  out: keptSchema,
  /** Absent with a terminal, which has one stream only, but for `stdout: pipe`. */
  err: v.optional(keptSchema),
  /** Present with a terminal. */
  size: v.optional(v.object({ cols: v.number(), rows: v.number() })),
  /** Clients whose streams are open now. */
  clients: v.number(),
  /** Why kept output is incomplete (disk full, …). */
  logError: v.optional(v.string()),
  /** Which shim serves its streams; the newest one for processes whose shim is gone. */
  shim: shimRefSchema,
});
export type ManagedProcess = v.InferOutput<typeof managedProcessSchema>;
