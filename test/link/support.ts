/** What the tests of links share: a person who answers, servers on a node's sockets, and deadlines. */
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { build } from 'esbuild';
import { onTestFinished, TestRunner } from 'vitest';
import type { Link, LinkContext } from '../../src/link/link.ts';
import { connectLink } from '../../src/link/connect.ts';
import type { LinkNode } from '../../src/link/target.ts';
import { NshError } from '../../src/protocol/errors.ts';
import type { PromptParams } from '../../src/protocol/control.ts';
import { shellWord } from '../../src/link/marker.ts';
import type { Hosts } from '../hosts/start-hosts.ts';

export function soon(ms = 15_000): AbortSignal {
  return AbortSignal.timeout(ms);
}

export interface Person {
  readonly prompt: (request: PromptParams) => Promise<string>;
  readonly asked: PromptParams[];
}

/** Answers in order; declines when it has none left. */
export function person(...answers: string[]): Person {
  const asked: PromptParams[] = [];
  const prompt = async (request: PromptParams): Promise<string> => {
    asked.push(request);
    const answer = answers.shift();
    if (answer === undefined) throw new NshError('cancelled', 'declined');
    return answer;
  };
  return { prompt, asked };
}

export interface ConnectOptions extends Partial<LinkContext> {
  readonly sshConfig?: string;
  readonly node?: Partial<LinkNode>;
  readonly agentCommand?: string;
}

/** Closed at the end of the test at the latest, so that its second try finds none of the first. */
export async function connect(hosts: Hosts, name: string, options: ConnectOptions = {}): Promise<Link> {
  const { sshConfig = hosts.sshConfig, node = {}, agentCommand = 'nsh-agent', ...context } = options;
  const target = { spec: { sshConfig, agentCommand }, node: { name, ...node } };
  const link = await connectLink(target, { signal: soon(), ...context });
  if (TestRunner.getCurrentTest() !== undefined) onTestFinished(() => link.close());
  return link;
}

/** The error with which `work` fails; fails the test where it does not. */
export async function failure(work: Promise<unknown>): Promise<NshError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof NshError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

export interface TestServer {
  readonly path: string;
  /** Connections that are open now. */
  readonly connections: ReadonlySet<Socket>;
  close(): Promise<void>;
}

/** Listens on a socket of the node: its files are this machine's. */
export async function serve(path: string, onConnection: (socket: Socket) => void): Promise<TestServer> {
  const connections = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    connections.add(socket);
    socket.on('close', () => connections.delete(socket)).on('error', () => socket.destroy());
    onConnection(socket);
  });
  await rm(path, { force: true });
  server.listen(path);
  await once(server, 'listening');
  return {
    path,
    connections,
    async close() {
      for (const socket of connections) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

export function serveEcho(path: string): Promise<TestServer> {
  return serve(path, (socket) => socket.pipe(socket));
}

export async function readAll(stream: Duplex): Promise<Buffer> {
  // Not `for await`, which destroys the stream at its end: the other direction may go on.
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(stream, 'end');
  return Buffer.concat(chunks);
}

/** Writes, waits for the echo. */
export async function echo(stream: Duplex, text: string): Promise<string> {
  stream.write(text);
  const [chunk] = (await once(stream, 'data')) as [Buffer];
  return chunk.toString();
}

/** Polls a condition. @throws Error after `timeoutMs`. */
export async function until(condition: () => boolean, what: string, timeoutMs = 10_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A program with `dial` alone, so that the bridge is tested without the agent. @returns the words that run it on a node */
export async function bridgeCommand(directory: string): Promise<string> {
  const outfile = join(directory, 'dial.mjs');
  await build({
    entryPoints: [join(import.meta.dirname, 'dial-program.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  });
  return `${shellWord(process.execPath)} ${shellWord(outfile)}`;
}
