/** The environment of a new process: the node's own fresh one, what nsh tells it, what the person asked for. */
import { homedir, userInfo } from 'node:os';

/** What belongs to the login, terminal or program that happened to start the agent, not to the node. */
const dropped =
  /^(?:NSH_|SSH_|TMUX|STY$|TERM|COLORTERM$|COLUMNS$|LINES$|WINDOWID$|DISPLAY$|WAYLAND_|XAUTHORITY$|XDG_SESSION_|XDG_SEAT$|XDG_VTNR$|DBUS_|OLDPWD$|PWD$|SHLVL$|_$|NODE_|npm_|INIT_CWD$|VITEST|INVOCATION_ID$|JOURNAL_STREAM$|LISTEN_|NOTIFY_SOCKET$|WATCHDOG_|MAIL$)/;

export interface ProcessFacts {
  readonly node: number;
  readonly agentSocket: string;
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
  const user = userInfo();
  environment['HOME'] ??= homedir();
  environment['USER'] ??= user.username;
  environment['LOGNAME'] ??= user.username;
  environment['SHELL'] ??= user.shell ?? '/bin/sh';
  environment['PATH'] ??= '/usr/local/bin:/usr/bin:/bin';
  if (facts.term !== undefined) environment['TERM'] = facts.term;
  Object.assign(environment, added);
  environment['NSH_NODE'] = String(facts.node);
  environment['NSH_SOCKET'] = facts.agentSocket;
  return environment;
}
