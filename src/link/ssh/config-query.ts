/** What is asked of the ssh configuration, and for whom. */
import { hostname, userInfo } from 'node:os';
import type { Person } from './settings.ts';

/** What is asked of ssh, as on its command line: the options outrank the files. */
export interface ConfigQuery {
  readonly node: string;
  readonly host: string;
  readonly configFile?: string | undefined;
  readonly user?: string | undefined;
  readonly port?: number | undefined;
  readonly identityFile?: string | undefined;
}

/** As OpenSSH has it: the home of the user database, not $HOME. */
export function person(): Person {
  const { homedir, username, uid } = userInfo();
  return { home: homedir, user: username, uid, localHost: hostname(), env: process.env };
}
