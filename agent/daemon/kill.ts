/**
 * Signals. A managed process is signalled by its shim, which has not reaped it: its number cannot be another's. For others a
 * window between check and kill(2) remains (nsh.1, BUGS).
 */
import { readFileSync } from 'node:fs';
import { toGpid } from '../../src/ids/gpid.ts';
import type { NodeSpec } from '../../src/cluster/node-spec.ts';
import { bootIdentity, readStart } from '../../src/cluster/this-machine.ts';
import type { CheckedParams } from '../../src/protocol/control.ts';
import { NshError, toNshError } from '../../src/protocol/errors.ts';
import type { ManagedProcess } from '../../src/protocol/process.ts';
import type { ShimPool } from './shim-pool.ts';

type Target = CheckedParams<'kill'>['targets'][number];

/** null for each target that was signalled; the others go on where one fails. */
export function killTargets(
  shims: ShimPool,
  node: NodeSpec,
  targets: readonly Target[],
  signal: number,
  force: boolean,
): Promise<({ code: string; message: string } | null)[]> {
  return Promise.all(
    targets.map(async (target) => {
      try {
        await killOne(shims, node, target, signal, force);
        return null;
      } catch (error) {
        const { code, message } = toNshError(error);
        return { code, message };
      }
    }),
  );
}

async function killOne(shims: ShimPool, node: NodeSpec, target: Target, signal: number, force: boolean): Promise<void> {
  const group = target.group === true;
  const running = shims.table.running(target.pid);
  const start = readStart(target.pid);
  if (target.boot !== undefined && target.boot !== bootIdentity())
    throw noSuchProcess(node, target.pid, 'it was of an earlier boot');
  const shim = running === undefined ? undefined : shims.byId(running.shim.id);
  if (running !== undefined && shim !== undefined && isMeant(running, target)) {
    await shim.call('signal', { process: running, signal, group });
    return;
  }
  if (target.start !== undefined && start !== undefined && start !== target.start)
    throw recycled(node, target.pid, undefined);
  const ended = shims.table.find({ pid: target.pid });
  if (ended?.exit !== undefined && start === undefined && !group)
    throw noSuchProcess(node, target.pid, howItEnded(ended));
  const isOther =
    ended?.exit !== undefined && start !== undefined && ended.start !== start && target.start === undefined;
  if (isOther && !force) throw recycled(node, target.pid, ended);
  killLocal(node, target.pid, signal, group);
}

function isMeant(process: ManagedProcess, target: Target): boolean {
  return target.start === undefined || target.start === process.start;
}

function killLocal(node: NodeSpec, pid: number, signal: number, group: boolean): void {
  try {
    process.kill(group ? -pid : pid, signal);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ESRCH') throw noSuchProcess(node, pid, undefined, error);
    if (code === 'EPERM') {
      throw new NshError('notPermitted', 'Operation not permitted', {
        cause: error,
        data: { pid: toGpid(node.id, pid) },
      });
    }
    if (code === 'EINVAL') throw new NshError('invalidParams', `signal ${signal}: Invalid argument`, { cause: error });
    throw error;
  }
}

function noSuchProcess(node: NodeSpec, pid: number, why: string | undefined, cause?: unknown): NshError {
  const message = why === undefined ? 'No such process' : `No such process: ${why}`;
  return new NshError('noSuchProcess', message, { cause, data: { pid: toGpid(node.id, pid) } });
}

function howItEnded({ argv, exit }: ManagedProcess): string {
  if (exit?.lost !== undefined) return `${argv[0] ?? ''} has ended, and its status is not known: ${exit.lost}`;
  return `${argv[0] ?? ''} has ended with ${exit?.signal ?? `status ${exit?.code}`}`;
}

function recycled(node: NodeSpec, pid: number, ended: ManagedProcess | undefined): NshError {
  const was = ended === undefined ? 'the process that you saw' : `${ended.argv.join(' ')} (${howItEnded(ended)})`;
  return new NshError(
    'recycledPid',
    `the number ${toGpid(node.id, pid)} was ${was}; now it is another process, ${commandOf(pid)}: --force signals that one`,
    { data: { pid: toGpid(node.id, pid) } },
  );
}

function commandOf(pid: number): string {
  try {
    const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      .split('\0')
      .filter((word) => word !== '');
    return args.length > 0 ? args.join(' ') : `[${readFileSync(`/proc/${pid}/comm`, 'utf8').trim()}]`;
  } catch {
    // It has ended since: its number is all there is to say.
    return String(pid);
  }
}
