/** A process with a dozen threads, each with a name of its own, all stopped: node's own would stir now and then. Ended by PID. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { until } from './sample-processes.ts';

export interface ThreadedProcess {
  readonly pid: number;
  /** In rising order; the first is the process itself. */
  readonly tids: readonly number[];
  close(): Promise<void>;
}

/** Renames every thread but the first, then waits. */
const program = `
  const { readdirSync, writeFileSync } = require('node:fs');
  const { Worker } = require('node:worker_threads');
  const wait = 'setInterval(() => {}, 1e8); require("node:worker_threads").parentPort.postMessage(1)';
  let ready = 0;
  for (let i = 0; i < 2; i++) {
    new Worker(wait, { eval: true }).once('message', () => {
      if (++ready < 2) return;
      for (const tid of readdirSync('/proc/self/task')) {
        if (Number(tid) !== process.pid) writeFileSync('/proc/self/task/' + tid + '/comm', 'thread-' + tid);
      }
      console.log('ready');
    });
  }
`;

export async function startThreadedProcess(): Promise<ThreadedProcess> {
  const child = spawn(process.execPath, ['-e', 'eval(process.env.SAMPLE)', 'a sample'], {
    env: { ...process.env, SAMPLE: program },
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: '/',
    detached: true,
  });
  const { pid } = child;
  if (pid === undefined) throw new Error('cannot start node');
  const gone = new Promise((resolve) => child.once('exit', resolve));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const tids = (): number[] =>
    readdirSync(`/proc/${pid}/task`)
      .map(Number)
      .sort((a, b) => a - b);
  child.kill('SIGSTOP');
  await until(() => tids().every((tid) => isStopped(pid, tid)), 'stopped threads');
  return {
    pid,
    tids: tids(),
    close: async () => {
      child.kill('SIGKILL');
      await gone;
    },
  };
}

function isStopped(pid: number, tid: number): boolean {
  const stat = readFileSync(`/proc/${pid}/task/${tid}/stat`, 'latin1');
  return stat.slice(stat.lastIndexOf(')')).startsWith(') T');
}
