/** One node as the cluster file gives it, nodesets expanded. What is absent comes from the user's ssh_config. */
import type { NodeId } from '../ids/gpid.ts';
import type { StoreSpec } from './store-spec.ts';

export const transports = ['ssh2', 'openssh'] as const;
export type TransportName = (typeof transports)[number];

export interface NodeSpec {
  /** 1 to 99,999, given once, never reused. 0 only for this machine where it is in no cluster file. */
  readonly id: NodeId;
  /** Begins with a letter; letters, digits, `-`, `_` and `.`. */
  readonly name: string;
  /** What ssh is asked for; default: `name`, so that Host blocks of ssh_config apply. */
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  /** Absolute, `~` expanded. */
  readonly identityFile?: string;
  /** Default `ssh2`. */
  readonly transport?: TransportName;
  readonly labels: readonly string[];
}

export interface ClusterSpec {
  /** Letters, digits, `-`, `_`, `.`: it becomes a directory name. `local` without a cluster file. */
  readonly cluster: string;
  /** Absolute path of the file; absent where this machine alone is the cluster. */
  readonly file?: { readonly path: string; readonly mtimeMs: number; readonly size: number };
  /** As `ssh -F`. Absolute. */
  readonly sshConfig?: string;
  /** Words that run the agent's program on a node, as a line for the login shell there. Default `nsh-agent`. */
  readonly agentCommand: string;
  /** Absent: embedded, on the node with the lowest id (`storeOf`). */
  readonly store?: StoreSpec;
  /** In order of id. */
  readonly nodes: readonly NodeSpec[];
}
