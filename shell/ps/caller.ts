/** Who runs this ps: user, process and session. */
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { makeGpid, localPid } from '../../src/ids/gpid.ts';
import type { NodeSpec } from '../../src/cluster/node-spec.ts';
import { sessionKey } from '../../src/cluster/starter.ts';
import type { Caller } from './select.ts';

export function findCaller(self: NodeSpec): Caller {
  return {
    user: userName(),
    uid: process.geteuid?.() ?? 0,
    gpid: makeGpid(self.id, localPid(process.pid)),
    node: self.id,
    session: sessionKey() ?? '',
  };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.geteuid?.() ?? 0); // a uid without a name
  }
}

/** Whether this machine has a user of that name. */
export function knowsUser(name: string): boolean {
  try {
    return readFileSync('/etc/passwd', 'latin1')
      .split('\n')
      .some((line) => line.startsWith(`${name}:`));
  } catch {
    return false; // no user database: then `-aux` can only mean `aux`
  }
}
