/**
 * The agent's own talk with its shim: JSON-RPC on the shim's socket (first byte `{`). Small, and changes seldom: an agent must be
 * able to drive the shim of an older version. Described in man/nsh-protocol.7.
 */
import * as v from 'valibot';
import { runParams } from './control.ts';
import {
  exitStatusSchema,
  localPidSchema,
  managedProcessSchema,
  processRefSchema,
  replicaMarkSchema,
} from './process.ts';

const none = v.object({});

export const spawnParams = v.object({
  ...runParams.entries,
  /** Absolute path of the program: the agent has looked it up and knows that it may run. */
  file: v.string(),
  /** Required here: the agent has filled in the default. */
  cwd: v.string(),
  /** The whole environment, apart from NSH_GPID, which is not known before the process is there. */
  environment: v.record(v.string(), v.string()),
  /** NSH_GPID of the process = this + its PID. */
  gpidBase: v.number(),
  replica: v.optional(replicaMarkSchema),
  /** ms of CLOCK_BOOTTIME at which it is killed with its session, unless `killAt` has moved that; where it has passed nothing is started. */
  killAtBootMs: v.optional(v.number()),
  /** Directory of a control group that it is in from before it runs. */
  cgroup: v.optional(v.pipe(v.string(), v.maxLength(4096), v.regex(/^\/[^\0\n]*$/))),
});
export type SpawnParams = v.InferOutput<typeof spawnParams>;

export const shimMethods = {
  hello: {
    params: none,
    result: v.object({ id: v.string(), version: v.string(), pid: localPidSchema, processes: v.number() }),
  },
  /** Starts a process; answers when it is there and its record is on disk. */
  spawn: { params: spawnParams, result: managedProcessSchema },
  /** Every process whose directory this shim serves: running ones of its own, ended ones of the node. */
  list: { params: none, result: v.object({ processes: v.array(managedProcessSchema) }) },
  /** The running ones alone, as they are now: sizes, clients and kept output change without notice. */
  running: { params: none, result: v.object({ processes: v.array(managedProcessSchema) }) },
  /** Signals a process that this shim has not reaped, so that its number cannot be another's. */
  signal: {
    params: v.object({ process: processRefSchema, signal: v.number(), group: v.boolean() }),
    result: none,
  },
  /** Moves the time at which processes are killed, of those that have one; others of them, which have ended, are passed over. */
  killAt: { params: v.object({ processes: v.array(processRefSchema), bootMs: v.number() }), result: none },
  /** Goes when it is empty and takes no new process (upgrade), or ends everything now. */
  stop: { params: v.object({ kill: v.boolean() }), result: none },
} as const;

/** Notification, shim → agent, to every control connection. */
export const exitedParams = v.object({ process: processRefSchema, exit: exitStatusSchema });
export type ExitedParams = v.InferOutput<typeof exitedParams>;
export const startedParams = v.object({ process: managedProcessSchema });
