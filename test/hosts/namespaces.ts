/**
 * How one test host is started: sshd as PID 1 of its own PID, mount and UTS namespaces where this machine permits them,
 * else as an ordinary process group that is found again by a mark in its environment.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { openSync, closeSync } from 'node:fs';

/** `root`: namespaces as root. `user`: inside a user namespace of an ordinary user. `none`: no namespaces. */
export type Isolation = 'root' | 'user' | 'none';

const kinds = ['--pid', '--uts', '--mount', '--fork', '--kill-child', '--mount-proc'];

/**
 * Runs as PID 1 of the host. /etc/passwd gives the user a home of its own and root's sshd its `sshd` user; /run is empty but for
 * what sshd wants; logins leave no trace in this machine's /var/log. One that was booted again has another boot_id.
 */
const bringUp = `set -e
mount -n -t tmpfs tmpfs /run
mkdir -m 0755 /run/sshd
mount -n -t tmpfs tmpfs /var/log
mount -n --bind "$DIR/passwd" /etc/passwd
for file in shadow group; do
  if [ -e "$DIR/$file" ]; then mount -n --bind "$DIR/$file" "/etc/$file"; fi
done
if [ -e "$DIR/boot_id" ]; then mount -n --bind "$DIR/boot_id" /proc/sys/kernel/random/boot_id; fi
hostname "$NAME"
exec "$@"`;

let found: Isolation | undefined;

/** What this machine permits; tried once. */
export function isolation(): Isolation {
  found ??= (['root', 'user'] as const).find(isPermitted) ?? 'none';
  return found;
}

function isPermitted(kind: 'root' | 'user'): boolean {
  if ((kind === 'root') !== (process.getuid?.() === 0)) return false;
  const script = 'mount -n -t tmpfs tmpfs /run && hostname probe';
  return spawnSync('unshare', [...unshareArguments(kind), 'sh', '-c', script], { stdio: 'ignore' }).status === 0;
}

function unshareArguments(kind: Isolation): string[] {
  return kind === 'user' ? ['--user', '--map-root-user', ...kinds] : kinds;
}

export interface HostStart {
  readonly isolation: Isolation;
  readonly name: string;
  /** Holds passwd, sshd_config and sshd.log of this host. */
  readonly directory: string;
  /** Absolute path of sshd and its arguments. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** PID of a process whose network namespace it gets; default: this machine's. */
  readonly network?: number | undefined;
}

/** The child is unshare(1), or sshd itself without namespaces. It goes when the test's own process goes, however that ends. */
export function spawnHost(start: HostStart): ChildProcess {
  const log = openSync(`${start.directory}/sshd.log`, 'a');
  try {
    const network = start.network === undefined ? [] : ['nsenter', `--net=/proc/${start.network}/ns/net`];
    return spawn('setpriv', ['--pdeathsig', 'KILL', ...network, ...hostCommand(start)], {
      cwd: '/',
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...start.env, DIR: start.directory, NAME: start.name },
      stdio: ['ignore', log, log],
    });
  } finally {
    closeSync(log);
  }
}

function hostCommand(start: HostStart): string[] {
  if (start.isolation === 'none') return [...start.command];
  const init = ['unshare', ...unshareArguments(start.isolation), 'sh', '-c', bringUp, 'host'];
  if (start.isolation === 'root') return [...init, ...start.command];
  // sshd must not believe itself root: in this user namespace it could not change to any other user.
  const ids = [`--map-user=${process.getuid?.() ?? 0}`, `--map-group=${process.getgid?.() ?? 0}`];
  return [...init, 'unshare', '--user', ...ids, ...start.command];
}

/** Words that run a command among the processes of a host. */
export function enterHost(kind: Isolation, outerPid: number, unsharePid: number): string[] {
  if (kind === 'none') return [];
  if (kind === 'root') return ['nsenter', '--target', String(outerPid), '--pid', '--mount', '--uts', '--net'];
  // sshd lives in a user namespace within the one that owns the host's others, where unshare(1) still is.
  const pid = `--pid=/proc/${outerPid}/ns/pid`;
  return ['nsenter', '--target', String(unsharePid), '--user', '--preserve-credentials', '--mount', '--uts', pid];
}
