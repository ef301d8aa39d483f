/** Which processes of this machine belong to a test host: by PID namespace, or by a mark in the environment where there is none. */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

export interface HostProcess {
  /** As this machine sees it. */
  readonly outerPid: number;
  /** As the host sees it; the same where the host has no PID namespace. */
  readonly pid: number;
  readonly command: string;
}

/** A host's processes share a PID namespace, or carry `NSH_TEST_HOST=mark` in their environment. */
export type Belonging = { readonly namespace: string } | { readonly mark: string };

export function pidNamespace(outerPid: number): string | undefined {
  return attempt(() => readlinkSync(`/proc/${outerPid}/ns/pid`));
}

export function listProcesses(belonging: Belonging): HostProcess[] {
  return allPids()
    .filter((pid) => belongs(pid, belonging))
    .flatMap((outerPid) => {
      const status = attempt(() => readFileSync(`/proc/${outerPid}/status`, 'latin1'));
      const inner = status
        ?.match(/^NSpid:(.*)$/m)?.[1]
        ?.trim()
        .split(/\s+/)
        .at(-1);
      if (status === undefined || /^State:\s+[ZX]/m.test(status)) return [];
      const command = attempt(() => readFileSync(`/proc/${outerPid}/cmdline`, 'utf8')) ?? '';
      return [{ outerPid, pid: Number(inner ?? outerPid), command: command.replaceAll('\0', ' ').trim() }];
    });
}

/** Child → parent of every process; one pass over /proc. */
export function parents(): Map<number, number> {
  const found = new Map<number, number>();
  for (const pid of allPids()) {
    const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
    const parent = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[1];
    if (parent !== undefined) found.set(pid, Number(parent));
  }
  return found;
}

function belongs(pid: number, belonging: Belonging): boolean {
  if ('namespace' in belonging) return pidNamespace(pid) === belonging.namespace;
  const environment = attempt(() => readFileSync(`/proc/${pid}/environ`, 'latin1'));
  return environment?.split('\0').includes(`NSH_TEST_HOST=${belonging.mark}`) ?? false;
}

function allPids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** A process may go between the listing and the look: then it is simply not there. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined; // Gone, or not ours to look into.
  }
}
