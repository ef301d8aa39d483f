/** The demo's end of one node: starts its process, gives it its order, hears where it listens, and ends it. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import type { Readable, Writable } from 'node:stream';
import * as v from 'valibot';
import { NshError } from '../../src/protocol/errors.ts';
import { isolate, type Isolation } from './isolation.ts';
import { firstLine, nodeReport, type NodeOrder, type NodeReport } from './node-main.ts';

export interface NodeProcessOptions {
  readonly name: string;
  /** The node's own part of the workspace; made here. */
  readonly directory: string;
  readonly isolation: Isolation;
  /** argv of a program that calls `runNode`. */
  readonly program: readonly string[];
  /** From the order to the report, ms. */
  readonly deadlineMs: number;
}

export interface NodeProcess {
  /** Resolves when the node can be logged in to. @throws NshError `agentFailed` with what it said last. */
  start(order: NodeOrder): Promise<NodeReport>;
  /** Resolves when it has ended, and with it everything in its namespace where it has one. */
  stop(): Promise<void>;
}

type NodeChild = ChildProcessByStdio<Writable, Readable, null>;

export async function spawnNode(options: NodeProcessOptions): Promise<NodeProcess> {
  const { name, directory, deadlineMs } = options;
  await mkdir(directory, { mode: 0o700 });
  const logPath = join(directory, 'node.log');
  const log = openSync(logPath, 'a', 0o600);
  const [file = process.execPath, ...args] = isolate(options.isolation, name, options.program);
  // A session of its own: Ctrl-C and the end of the terminal are the demo's to handle.
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', log], detached: true, cwd: '/' }) as NodeChild;
  closeSync(log);
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  });
  child.stdin.on('error', () => {
    // It has ended; whoever waits for its report hears so from the end of its output.
  });
  return {
    start: async (order) => {
      child.stdin.write(`${JSON.stringify(order)}\n`);
      const timer = setTimeout(() => child.stdout.destroy(), deadlineMs);
      const line = await firstLine(child.stdout).catch(() => undefined);
      clearTimeout(timer);
      if (line !== undefined) return v.parse(nodeReport, JSON.parse(line));
      const said = readFileSync(logPath, 'utf8').trim().slice(-2000);
      throw new NshError('agentFailed', `demo node ${name} did not come up: ${said === '' ? 'it said nothing' : said}`);
    },
    stop: async () => {
      child.stdin.end();
      const timer = setTimeout(() => child.kill('SIGKILL'), 2_000);
      await ended;
      clearTimeout(timer);
      child.stdout.destroy();
    },
  };
}
