/** Runs bashes as children of this process, on this machine. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { NshError } from '../../src/protocol/errors.ts';
import { closeChannelFile, openChannelFile, readChannelFile } from '../../src/cluster/channel-file.ts';
import { nameOfDirectory } from './caller.ts';
import { maxReportBytes } from './read-report.ts';
import { openRealPipe } from './real-pipe.ts';
import type { BashEnd, BashJob, BashRunner, InputSource, OutputTarget, RunningBash } from './runner.ts';
import { pump } from './streams.ts';

export interface LocalRunnerOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where a fresh session starts. */
  readonly cwd: string;
}

export function localRunner({ env, cwd }: LocalRunnerOptions): BashRunner {
  return {
    node: '',
    start: async (job) => {
      const restore = openChannelFile(job.restore);
      const report = openChannelFile('');
      const outputs = [await openOutput(job.stdout), await openOutput(job.stderr)] as const;
      try {
        const child = spawn('bash', ['--norc', '--noprofile', '-c', job.driver, job.name], {
          cwd,
          // A file that bash would source at the start of every step is the session's to source once.
          env: { ...env, PWD: nameOfDirectory(env, cwd), BASH_ENV: undefined, ENV: undefined, ...job.env },
          stdio: [innerInput(job.stdin), outputs[0].inner, outputs[1].inner, restore, report],
          detached: job.isBackground === true,
        });
        await started(child);
        return follow(child, job, report, outputs);
      } catch (error) {
        closeChannelFile(report);
        for (const { reader } of outputs) reader?.destroy();
        throw error;
      } finally {
        closeChannelFile(restore);
        for (const { writer } of outputs) if (writer !== undefined) closeSync(writer);
      }
    },
  };
}

interface Output {
  /** What the child gets. */
  readonly inner: 'inherit' | 'ignore' | number;
  /** Set where this process passes it on. */
  readonly reader?: Readable;
  readonly writer?: number;
  readonly target?: Writable;
}

async function openOutput(target: OutputTarget): Promise<Output> {
  if (target === 'null') return { inner: 'ignore' };
  if (typeof target !== 'object') return { inner: target };
  const { reader, writer } = await openRealPipe();
  return { inner: writer, reader, writer, target };
}

function innerInput(source: InputSource): 'inherit' | 'ignore' | 'pipe' | number {
  if (source === 'null') return 'ignore';
  return typeof source === 'object' ? 'pipe' : source;
}

async function started(child: ChildProcess): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error: NodeJS.ErrnoException) => {
      const missing = error.code === 'ENOENT';
      reject(
        new NshError(missing ? 'commandNotFound' : 'spawnFailed', `bash cannot be started here: ${error.message}`, {
          cause: error,
        }),
      );
    });
  });
}

function follow(child: ChildProcess, job: BashJob, channel: number, outputs: readonly Output[]): RunningBash {
  const exited = new Promise<{ status: number; signal?: string }>((resolve) => {
    child.once('exit', (code, signal) => {
      if (signal === null) resolve({ status: code ?? 255 });
      else resolve({ status: 128 + constants.signals[signal], signal });
    });
  });
  const flows = outputs.map(async ({ reader, target }) => {
    if (reader !== undefined && target !== undefined) await pump(reader, target);
  });
  if (typeof job.stdin === 'object' && child.stdin !== null) feed(job.stdin, child.stdin, child);
  const abort = (): void => {
    signalProcess(child, job, 'SIGHUP');
  };
  job.signal?.addEventListener('abort', abort, { once: true });
  const finish = async (): Promise<BashEnd> => {
    const end = await exited;
    job.signal?.removeEventListener('abort', abort);
    const report = readChannelFile(channel, maxReportBytes * 2 + 1);
    closeChannelFile(channel);
    await Promise.all(flows);
    return { ...end, report };
  };
  return {
    pid: child.pid,
    ended: finish(),
    isInOwnGroup: job.isBackground !== true,
    kill: (signal) => {
      signalProcess(child, job, `SIG${signal}` as NodeJS.Signals);
    },
  };
}

function signalProcess(child: ChildProcess, { isBackground }: BashJob, signal: NodeJS.Signals): void {
  if (isBackground !== true || child.pid === undefined || child.exitCode !== null) {
    child.kill(signal);
    return;
  }
  try {
    process.kill(-child.pid, signal);
  } catch {
    // It has just ended.
  }
}

/** A process that reads no further breaks this off; that is its right. Nobody waits for input once it has ended. */
function feed(source: Readable, input: Writable, child: ChildProcess): void {
  input.on('error', () => undefined);
  const end = (): void => {
    input.destroy();
    source.destroy();
  };
  child.once('exit', end);
  void pump(source, input).then(() => {
    input.end();
  });
}
