/**
 * How a demo node becomes a machine of its own: a PID, mount and UTS namespace, so that it has its own process table and host
 * name and ends as a whole with its first process. root may make namespaces; other users do it inside a user namespace,
 * and an inner one gives them their own uid back, so that `id` and `ps` on the node tell the truth. Where the kernel permits
 * neither, nodes share this machine's process table.
 * See unshare(1), pid_namespaces(7), user_namespaces(7).
 */
import { spawn } from 'node:child_process';
import process from 'node:process';

export type Isolation = 'namespaces' | 'user-namespaces' | 'none';

/**
 * The first process of the namespace has to reap orphans, which node does not do and a waiting sh does. Standard input
 * is handed on by number, because sh gives a background command /dev/null.
 */
const init = 'hostname "$0" 2>/dev/null; exec 3<&0; "$@" <&3 3<&- & exec 3<&- </dev/null >/dev/null; wait $!';
const own = ['--pid', '--uts', '--mount-proc', '--fork', '--kill-child', '--'];

/** The command line that runs `argv` as a node of that host name. */
export function isolate(isolation: Isolation, hostname: string, argv: readonly string[]): readonly string[] {
  if (isolation === 'none') return argv;
  if (isolation === 'namespaces') return ['unshare', ...own, 'sh', '-c', init, hostname, ...argv];
  const ids = [`--map-user=${process.getuid?.() ?? 0}`, `--map-group=${process.getgid?.() ?? 0}`];
  const inner = ['unshare', '--user', ...ids, '--', 'sh', '-c', init, hostname, ...argv];
  const outer = 'hostname "$0" 2>/dev/null; exec "$@"';
  return ['unshare', '--user', '--map-root-user', ...own, 'sh', '-c', outer, hostname, ...inner];
}

/** The strongest isolation that the kernel lets this user have: found by trying it on `true`. */
export async function probeIsolation(): Promise<Isolation> {
  const wanted: Isolation = process.getuid?.() === 0 ? 'namespaces' : 'user-namespaces';
  return (await succeeds(isolate(wanted, 'probe', ['true']))) ? wanted : 'none';
}

function succeeds([file = 'false', ...args]: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn(file, args, { stdio: 'ignore', timeout: 5_000, killSignal: 'SIGKILL' });
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === 0));
  });
}
