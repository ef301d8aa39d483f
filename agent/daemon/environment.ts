/** The environment of a new process: the node's own fresh one, what nsh tells it, what the person asked for. */
import { userInfo } from 'node:os';
import { homeDirectory } from '../../src/cluster/file/file-paths.ts';
import { pathWithOwnProgram } from '../../src/cluster/own-program.ts';

/** What belongs to the login, terminal or program that happened to start the agent, not to the node. */
const dropped =
  /^(?:NSH_|SSH_|TMUX|STY$|TERM|COLORTERM$|COLUMNS$|LINES$|WINDOWID$|DISPLAY$|WAYLAND_|XAUTHORITY$|XDG_SESSION_|XDG_SEAT$|XDG_VTNR$|DBUS_|OLDPWD$|PWD$|SHLVL$|_$|NODE_|npm_|INIT_CWD$|VITEST|INVOCATION_ID$|JOURNAL_STREAM$|LISTEN_|NOTIFY_SOCKET$|WATCHDOG_|MAIL$)/;

export interface ProcessFacts {
  readonly node: number;
  readonly agentSocket: string;
  /** The cluster file that this agent goes by, where it has one: so that an `nsh` in the process is of the same cluster. */
  readonly clusterFile: string | undefined;
  /** Set for terminals only. */
  readonly term?: string;
}

export function freshEnvironment(
  own: Readonly<Record<string, string | undefined>>,
  facts: ProcessFacts,
  added: Readonly<Record<string, string>>,
): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(own)) {
    if (value !== undefined && !dropped.test(name)) environment[name] = value;
  }
  const { username, shell } = currentUser();
  environment['HOME'] = homeDirectory(environment);
  environment['USER'] ??= username;
  environment['LOGNAME'] ??= username;
  environment['SHELL'] ??= shell ?? '/bin/sh';
  environment['PATH'] = pathWithOwnProgram(environment, environment['PATH'] ?? '/usr/local/bin:/usr/bin:/bin');
  if (facts.term !== undefined) environment['TERM'] = facts.term;
  if (facts.clusterFile !== undefined) environment['NSH_CLUSTER'] = facts.clusterFile;
  Object.assign(environment, added);
  environment['NSH_NODE'] = String(facts.node);
  environment['NSH_SOCKET'] = facts.agentSocket;
  return environment;
}

/** A container may run as a user whom its user database does not know: the number is the name then, as `id -un` has it. */
function currentUser(): { readonly username: string; readonly shell?: string | null } {
  try {
    return userInfo();
  } catch {
    return { username: String(process.getuid?.() ?? 0) };
  }
}
