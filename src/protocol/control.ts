/**
 * The control protocol: every method that an agent answers, once, for both ends. JSON-RPC 2.0, one JSON text per line,
 * on the agent's Unix socket. The first request is `hello`. `dial` turns the connection into a byte stream.
 * Described in man/nsh-protocol.7; a new method goes into `methods` here, agent/daemon/handlers and that page.
 */
import * as v from 'valibot';
import { method, none } from './method.ts';
import {
  bootSchema,
  exitStatusSchema,
  jobSchema,
  localPidSchema,
  managedProcessSchema,
  nodeIdSchema,
  onDisconnectSchema,
  processRefSchema,
  rawColumns,
  shimRefSchema,
  startTicksSchema,
  starterSchema,
  type ProcessTable,
} from './process.ts';
import { defaultDeadlineMs, maxChannelTextBytes, maxNameLength, maxPathLength } from './limits.ts';
import { storeMethods } from './store.ts';
import { isProcessTable } from './table-check.ts';

const text = v.pipe(v.string(), v.maxLength(4096));
const path = v.pipe(v.string(), v.maxLength(maxPathLength));
/** Sets of environment variables; names must not be empty nor hold `=` or NUL. */
const environment = v.record(v.pipe(v.string(), v.regex(/^[^=\0]+$/)), v.pipe(v.string(), v.regex(/^[^\0]*$/)));

export const helloParams = v.object({
  protocol: v.object({ min: v.number(), max: v.number() }),
  cluster: text,
  /** The node that the caller believes it reached; another one answers `wrongNode`. */
  node: nodeIdSchema,
  version: text,
  /** What the agent may use of the person who asks, for links that this connection makes it open. */
  caller: v.optional(
    v.object({
      /** Path of the caller's ssh-agent. */
      sshAuthSock: v.optional(path),
      /** A terminal is there: `prompt` requests may come back on this connection. */
      interactive: v.boolean(),
    }),
  ),
  /** The cluster file of a local client: the agent reads it anew where it changed, and refuses where it is another. */
  clusterFile: v.optional(v.object({ path, mtimeMs: v.number(), size: v.number() })),
});
export const helloResult = v.object({
  protocol: v.number(),
  version: text,
  /** Which installed program it runs (`programBuild`). */
  build: v.optional(text),
  node: nodeIdSchema,
  name: text,
  boot: bootSchema,
  pid: localPidSchema,
});

/** One process to start. argv is executed as it is: no shell. */
export const runParams = v.object({
  argv: v.pipe(v.array(v.pipe(v.string(), v.regex(/^[^\0]*$/))), v.minLength(1)),
  /** Default: the home directory of the agent's user. */
  cwd: v.optional(path),
  /** Added to the node's own fresh environment. */
  env: v.optional(environment),
  name: v.optional(v.pipe(v.string(), v.maxLength(maxNameLength))),
  job: v.optional(jobSchema),
  /** `pty`: one terminal; `pipes`: stdin, stdout and stderr apart. */
  io: v.picklist(['pty', 'pipes']),
  /** Default 80 × 24 and xterm-256color. */
  pty: v.optional(v.object({ cols: v.number(), rows: v.number(), term: v.optional(text) })),
  /**
   * `null`: /dev/null, where nobody will write (detached). `pipe`: of a `pty` alone: stdin is a pipe for a stream with the role `feed`, and the
   * terminal is the rest. Default `stream`.
   */
  stdin: v.optional(v.picklist(['stream', 'null', 'pipe'])),
  /** Of a `pty` alone: stdout is a pipe, and comes as stream 2; what goes to the terminal is stream 1. Default `terminal`. */
  stdout: v.optional(v.picklist(['terminal', 'pipe'])),
  /** ms without a stream with the role `feed` after which stdin ends. Absent: it does not. */
  feedTimeoutMs: v.optional(v.pipe(v.number(), v.minValue(1))),
  /** Bytes of output to keep for each stream; 0 keeps none. */
  keepBytes: v.pipe(v.number(), v.integer(), v.minValue(0)),
  onDisconnect: onDisconnectSchema,
  /** Client id that will open a foreground stream; the process waits for it where it is slow. Absent: nobody waits. */
  foreground: v.optional(v.pipe(v.string(), v.maxLength(64))),
  /** End the process (TERM, then KILL after 10 s) when it has run so long. */
  timeoutMs: v.optional(v.pipe(v.number(), v.minValue(1))),
  /** Default: the agent's own. */
  umask: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0o777))),
  /** Resource limits by `ulimit` letter: {"n": 1024}. */
  limits: v.optional(
    v.record(v.pipe(v.string(), v.regex(/^[a-zA-Z]$/)), v.union([v.number(), v.literal('unlimited')])),
  ),
  /**
   * A text that the program reads from its descriptor 3, each character a byte; what it writes to descriptor 4 until it ends is its
   * report, which its foreground client gets.
   */
  channel: v.optional(v.pipe(v.string(), v.maxLength(maxChannelTextBytes), v.regex(/^[\u0000-\u00ff]*$/))),
  /** No record of it is left once it has ended and its foreground client knows how: what a shell asks of a node is nobody's process. */
  forget: v.optional(v.boolean()),
  starter: starterSchema,
});
export type RunParams = v.InferOutput<typeof runParams>;

export const runResult = v.object({
  pid: localPidSchema,
  start: startTicksSchema,
  boot: bootSchema,
  shim: shimRefSchema,
});
export type RunResult = v.InferOutput<typeof runResult>;

export const killParams = v.object({
  targets: v.array(
    v.object({
      ...processRefSchema.entries,
      /** The process group that this process leads, as kill(2) with a negative PID. */
      group: v.optional(v.boolean()),
    }),
  ),
  /** Signal number; 0 only checks. */
  signal: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(64)),
  /** Signal even where the number was once a managed process that has ended. */
  force: v.optional(v.boolean()),
});
export const killResult = v.object({
  /** In the order of the targets; null where it was signalled. */
  errors: v.array(v.nullable(v.object({ code: v.string(), message: v.string() }))),
});

export const psParams = v.object({
  columns: v.array(v.picklist(rawColumns)),
  /** `all`: every process; `managed`: those that nsh runs, and their descendants are not included. */
  select: v.picklist(['all', 'managed']),
  /** Ended managed processes too. */
  ended: v.optional(v.boolean()),
  /** Managed processes as their shims know them now: clients and sizes change without notice. */
  fresh: v.optional(v.boolean()),
  /** Only these. */
  pids: v.optional(v.array(localPidSchema)),
  /** One row for each thread instead of each process; `tid` tells which. The first one's row is that of the whole process. */
  threads: v.optional(v.boolean()),
});
export type PsParams = v.InferOutput<typeof psParams>;

export const nodeInfo = v.object({
  hostname: text,
  kernel: text,
  arch: text,
  boot: bootSchema,
  cpus: v.number(),
  load1: v.number(),
  memTotalKb: v.number(),
  memAvailableKb: v.number(),
  uptimeSeconds: v.number(),
  processes: v.number(),
  /** Managed processes that run. */
  managed: v.number(),
});
export type NodeInfo = v.InferOutput<typeof nodeInfo>;

export const agentStatus = v.object({
  version: text,
  protocol: v.number(),
  pid: localPidSchema,
  startedAtMs: v.number(),
  shims: v.array(v.object({ lpid: localPidSchema, id: text, version: text, processes: v.number() })),
  managed: v.number(),
  rssKb: v.number(),
  /** What starts it at boot; null: nothing does. */
  boot: v.optional(v.nullable(v.picklist(['systemd', 'cron']))),
});
export type AgentStatus = v.InferOutput<typeof agentStatus>;

export const linkStates = ['self', 'idle', 'connecting', 'up', 'failed'] as const;

export const nodeStatus = v.object({
  id: nodeIdSchema,
  name: text,
  state: v.picklist(linkStates),
  /** Where it is reached: `user@host:port`. */
  address: v.optional(text),
  labels: v.array(text),
  /** Last failure, for people. */
  reason: v.optional(text),
  /** Its login had to ask a person for a secret. */
  asked: v.optional(v.literal(true)),
});
export type NodeStatus = v.InferOutput<typeof nodeStatus>;

/** A screen as escape sequences that redraw it, valid at `offset`: what follows is read live from there. */
export const screenResult = v.object({
  offset: v.number(),
  cols: v.number(),
  rows: v.number(),
  /** Base64 of the bytes to write to a terminal. */
  data: v.string(),
  /** True where the log's beginning was gone and no checkpoint covered it. */
  partial: v.boolean(),
});
export type ScreenResult = v.InferOutput<typeof screenResult>;

export const methods = {
  hello: method(helloParams, helloResult),

  /** Is it there? Answered at once, whatever else is asked: a client that waits for long tells a slow answer from a stopped agent by it. */
  ping: method(none, none),

  // ── this machine's agent, on behalf of its clients ──
  /** Opens a stream to a Unix socket on a node (absent: its agent's). After the result the connection is that stream. */
  dial: method(v.object({ node: nodeIdSchema, socket: v.optional(path) }), none),
  /** Links of all nodes in the cluster file, as they stand; opens none. */
  nodes: method(none, v.object({ cluster: text, self: nodeIdSchema, nodes: v.array(nodeStatus) })),
  /**
   * Calls a method on many nodes at once. Each answer comes as an `answer` notification as soon as it is there; the result says
   * that every node has been heard of or given up.
   */
  fanout: method(
    v.object({
      /** Chosen by the client, repeated in each `answer`. */
      call: v.number(),
      nodes: v.array(nodeIdSchema),
      method: text,
      params: v.unknown(),
      /** From the moment the link is up, ms. Default 5,000. 0: none, for `wait`. */
      deadlineMs: v.optional(v.pipe(v.number(), v.minValue(0)), defaultDeadlineMs),
    }),
    none,
  ),

  // ── this node ──
  info: method(none, nodeInfo),
  ps: method(psParams, v.custom<ProcessTable>(isProcessTable, 'not a process table')),
  kill: method(killParams, killResult),
  run: method(runParams, runResult),
  /** Records of managed processes: the living one, else the newest, for each reference. */
  find: method(
    v.object({ processes: v.array(processRefSchema) }),
    v.object({ found: v.array(v.nullable(managedProcessSchema)) }),
  ),
  /** Answers when the managed process has ended. */
  wait: method(v.object({ process: processRefSchema }), exitStatusSchema),
  /** The screen of a terminal at its newest offset, with up to `scrollback` lines above it. */
  screen: method(v.object({ process: processRefSchema, scrollback: v.optional(v.number(), 1000) }), screenResult),
  /**
   * Takes part in groups (nsh-group(5)) from now on, until none is wanted any more; to be asked of every node when one was put into the store.
   * Answers when the other nodes can see it, or after 10 s with the reason why they cannot yet.
   */
  supervise: method(none, v.object({ problem: v.nullable(text) })),
  status: method(none, agentStatus),
  /** Whether the agent is to be started at boot. Doing again what is done already is no error. */
  boot: method(
    v.object({ enable: v.boolean() }),
    v.object({
      /** What starts it; null after `enable: false`. */
      how: v.nullable(v.picklist(['systemd', 'cron'])),
      /** Of systemd: the name of the unit. */
      unit: v.optional(text),
      /** Why it is not systemd. */
      why: v.optional(text),
      /** What may yet keep it from being started. */
      warning: v.optional(text),
    }),
  ),
  /** Ends the agent; shims and processes stay, unless `kill`. The connection closes when it is gone. */
  stop: method(v.object({ kill: v.optional(v.boolean(), false) }), none),

  // ── the coordination store ──
  ...storeMethods,
} as const;

export type MethodName = keyof typeof methods;
export type Params<M extends MethodName> = v.InferInput<(typeof methods)[M]['params']>;
export type CheckedParams<M extends MethodName> = v.InferOutput<(typeof methods)[M]['params']>;
export type Result<M extends MethodName> = v.InferOutput<(typeof methods)[M]['result']>;

/** Methods that a client may send to many nodes through its own agent. */
export const fanoutMethods = [
  'info',
  'ps',
  'kill',
  'run',
  'find',
  'wait',
  'screen',
  'supervise',
  'status',
  'boot',
  'stop',
  'store.reach',
] as const;
export type FanoutMethod = (typeof fanoutMethods)[number];

// ── agent → client ──

/** Request: ask the person. The result is `{answer}`; an error where they declined. */
export const promptParams = v.object({
  /** Whose login this is for. */
  node: text,
  kind: v.picklist(['password', 'passphrase', 'keyboard-interactive', 'host-key']),
  /** Shown as it is, after escaping: it may hold what a remote host said. */
  text: v.pipe(v.string(), v.maxLength(16_384)),
  /** Whether typed characters may be shown. */
  echo: v.boolean(),
});
export type PromptParams = v.InferOutput<typeof promptParams>;
export const promptResult = v.object({ answer: v.string() });

/** Notification: what a link that this client waits for is doing; `done`: it is up, or has failed, and is waited for no more. */
export const progressParams = v.object({
  node: nodeIdSchema,
  stage: v.picklist(['connect', 'login', 'agent', 'done']),
});
export type ProgressParams = v.InferOutput<typeof progressParams>;

/** Notification: one node's answer to a fanout. */
export interface AnswerParams {
  readonly call: number;
  readonly node: number;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: Record<string, unknown> };
}

/** Notification, client → agent: give up a request. */
export const cancelParams = v.object({ id: v.union([v.number(), v.string()]) });
