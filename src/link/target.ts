/** What a link needs to know of a node and its cluster. NodeSpec and ClusterSpec, which lie above this layer, fit. */

export interface LinkNode {
  readonly name: string;
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  readonly identityFile?: string;
  readonly transport?: 'ssh2' | 'openssh';
}

export interface LinkCluster {
  /** As `ssh -F`. */
  readonly sshConfig?: string;
  /** Words that run the agent's program on a node, as a line for the login shell there. */
  readonly agentCommand: string;
}

export interface LinkTarget {
  readonly spec: LinkCluster;
  readonly node: LinkNode;
}
