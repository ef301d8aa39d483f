/** Sessions in a directory of their own, on this machine and on nodes that are directories of it. */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { NshError } from '../../src/protocol/errors.ts';
import { fromByteText, toByteText } from '../../shell/language/byte-text.ts';
import type { SessionBuiltins } from '../../shell/session/builtins.ts';
import { localRunner } from '../../shell/session/local-runner.ts';
import type { BashRunner, NodeRunners } from '../../shell/session/runner.ts';
import { Session, type SessionOptions } from '../../shell/session/session.ts';

export interface TestSession {
  readonly session: Session;
  readonly directory: string;
  readonly told: string[];
  /** What the lines printed, and the status they left. */
  run(...lines: string[]): Promise<{ status: number; stdout: string; stderr: string; isOver: boolean }>;
  dispose(): void;
}

export function openSession(options: Partial<SessionOptions> = {}): TestSession {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'nsh-session-')));
  const told: string[] = [];
  const streams = { stdin: 'null', stdout: new PassThrough(), stderr: new PassThrough() } as const;
  const runner = localRunner({ env: cleanEnv, cwd: directory });
  const session = new Session({ runner, streams, tell: (message) => told.push(message), ...options });
  return {
    session,
    directory,
    told,
    run: async (...lines) => {
      let isOver = false;
      for (const line of lines) {
        ({ isOver } = await session.run(toByteText(line)));
        if (isOver) break;
      }
      return { status: session.state.status, stdout: take(streams.stdout), stderr: take(streams.stderr), isOver };
    },
    dispose: () => {
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export const cleanEnv: NodeJS.ProcessEnv = { PATH: process.env['PATH'], HOME: '/root', LANG: 'C.UTF-8' };

function take(stream: PassThrough): string {
  const chunks: Buffer[] = [];
  for (let chunk = stream.read() as Buffer | null; chunk !== null; chunk = stream.read() as Buffer | null) {
    chunks.push(chunk);
  }
  return fromByteText(Buffer.concat(chunks).toString('latin1'));
}

/** Nodes `web1`, `web2`, … that run on this machine with an environment of their own. */
export function testNodes(count: number, env: NodeJS.ProcessEnv = {}): NodeRunners {
  const runners = Array.from({ length: count }, (_, i): BashRunner => {
    const node = `web${i + 1}`;
    const runner = localRunner({ env: { ...cleanEnv, NODE_NAME: node, ...env }, cwd: '/' });
    return { node, start: async (job) => await runner.start(job) };
  });
  return {
    resolve: async (where) => {
      const found = where === 'all' ? runners : runners.filter(({ node }) => where.split(',').includes(node));
      if (found.length === 0) throw new NshError('unknownNode', `no node ${where}`);
      return await Promise.resolve(found);
    },
  };
}

/** `lines N` writes N lines; `count` counts those it reads; `words …` shows its arguments; `fail N` ends with N. */
export const testBuiltins: SessionBuiltins = {
  names: new Set(['lines', 'count', 'words', 'fail', 'kill', 'wait']),
  run: async (name, args, { stdin, stdout }) => {
    if (name === 'lines') {
      for (let i = 1; i <= Number(args[0]); i++) stdout.write(`line ${i}\n`);
    } else if (name === 'count') {
      let text = '';
      for await (const chunk of stdin) text += String(chunk);
      stdout.write(`${text.split('\n').length - 1}\n`);
    } else if (name === 'words') {
      stdout.write(`${JSON.stringify(args)}\n`);
    } else if (name === 'fail') {
      return Number(args[0]);
    } else {
      stdout.write(`nsh ${name} ${args.join(' ')}\n`);
    }
    return 0;
  },
};
