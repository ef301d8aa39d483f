/**
 * What a group should be: the specification that a person gives, checked and complete. `parse-spec.ts` makes it of options or stored JSON
 * and writes it back. A new field goes into both, and into man/nsh-group.5.
 *
 * The words are Erlang/OTP's (supervisor(3)): restart type, strategy, intensity, period. There each child has a restart type of its own; the
 * replicas of a group are alike, so the group has one.
 */
import { createHash } from 'node:crypto';

export const restartTypes = ['permanent', 'transient', 'temporary'] as const;
/**
 * `permanent`: restarted however it ends. `transient`: only after an abnormal end (`isNormalEnd`). `temporary`: never.
 */
export type RestartType = (typeof restartTypes)[number];

export const strategies = ['one_for_one', 'one_for_all', 'rest_for_one'] as const;
/**
 * Who else is restarted with a replica that is. `one_for_one`: nobody. `one_for_all`: all. `rest_for_one`: those with a higher slot.
 * The latter two also give the replicas an order: each is started when the one before it is ready, and they are stopped backwards, each
 * when the one behind it has ended. With `one_for_one` all start and stop at once.
 */
export type Strategy = (typeof strategies)[number];

export const spreadings = ['spread', 'pack'] as const;
/** `spread`: on as many nodes as there are. `pack`: on as few as have room. */
export type Spreading = (typeof spreadings)[number];

/** How it is known that a replica can do its work. */
export type ReadyProbe =
  /** Something on its node accepts a connection at 127.0.0.1 or ::1. */
  | { readonly kind: 'tcp'; readonly port: number }
  /** `/bin/sh -c COMMAND`, in the replica's directory and environment, exits with 0. */
  | { readonly kind: 'exec'; readonly command: string }
  /** A line of its output matches this regular expression (JavaScript's, with the flag `u`). */
  | { readonly kind: 'log'; readonly pattern: string };

export interface GroupSpec {
  /** A letter, then letters, digits, `-`, `_` and `.`; at most 64 characters. */
  readonly name: string;
  /** Executed as it is: no shell. */
  readonly argv: readonly string[];
  /** Added to the node's own fresh environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Absent: the home directory on the node. */
  readonly cwd?: string;
  /** Replicas wanted, 0 to `maxReplicas`; with another strategy than `one_for_one` to `maxTogether`. Default 1. */
  readonly replicas: number;
  /** Default `permanent`. */
  readonly restart: RestartType;
  /** Default `one_for_one`. */
  readonly strategy: Strategy;
  /** More restarts than this within `periodMs` stop the group. 0: the first one does. At most 10,000; default 3. */
  readonly intensity: number;
  /** ms; default 30,000. */
  readonly periodMs: number;
  /** Absent: a replica is ready once it runs. */
  readonly ready?: ReadyProbe;
  /** ms from the start until a replica that is not ready has failed; default 60,000. */
  readonly readyTimeoutMs: number;
  /** Name without `SIG`; default `TERM`. */
  readonly stopSignal: string;
  /** ms from the stop signal to KILL; 0: KILL at once. Default 10,000. */
  readonly stopTimeoutMs: number;
  /** Default `spread`. */
  readonly spreading: Spreading;
  /** Nodeset whose nodes may run it, labels among them, resolved anew for each placement. Absent: every node. */
  readonly on?: string;
  /** Groups with which no node is shared; its own name: no two of its replicas share one. */
  readonly apart: readonly string[];
  /** Memory that each replica asks for and is limited to, bytes. 0: neither. */
  readonly memoryBytes: number;
  /** Never two at once, even across a partition. At most one replica. */
  readonly singleton: boolean;
}

export const maxReplicas = 10_000;
/** Of a group with an order among its replicas: what the leader keeps of all of them is one value of the store. */
export const maxTogether = 1_000;

export const specDefaults = {
  replicas: 1,
  restart: 'permanent',
  strategy: 'one_for_one',
  intensity: 3,
  periodMs: 30_000,
  readyTimeoutMs: 60_000,
  stopSignal: 'TERM',
  stopTimeoutMs: 10_000,
  spreading: 'spread',
  memoryBytes: 0,
  singleton: false,
} as const satisfies Partial<GroupSpec>;

/**
 * Names what a replica of this specification is: the same as long as its process is defined alike.
 * @param restarts rolling restarts that a person has asked for: each makes another version of the same process.
 */
export function versionOf(spec: GroupSpec, restarts = 0): string {
  const hash = createHash('sha256').update(processDefinition(spec)).digest('hex').slice(0, 12);
  return restarts === 0 ? hash : `${hash}-${restarts}`;
}

/** What of a specification makes a running replica outdated when it changes: the rest takes effect where it is. */
function processDefinition(spec: GroupSpec): string {
  const { argv, env, cwd, ready, memoryBytes, singleton } = spec;
  const sorted = Object.entries(env).sort(([a], [b]) => (a < b ? -1 : 1));
  // The shim that runs it has a deadline for it from its start, or never.
  const fenced = singleton ? [singleton] : [];
  return JSON.stringify([argv, sorted, cwd ?? null, ready ?? null, memoryBytes, ...fenced]);
}
