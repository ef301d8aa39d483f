/** One host to be connected to, with all that bears on it. */
import type { LinkContext } from '../link.ts';
import type { SshSettings } from './settings.ts';

export interface HostRequest {
  /** Node or jump host, for messages and questions. */
  readonly label: string;
  readonly settings: SshSettings;
  readonly configFile: string | undefined;
  readonly context: LinkContext;
  /** The ProxyJumps for which this one is needed, so that a circle is seen. */
  readonly via: readonly string[];
  /** It is opened for commands alone: the first of them does what a command of ours would do (see SshConnection.warmUp). */
  readonly forSessions?: boolean;
}
