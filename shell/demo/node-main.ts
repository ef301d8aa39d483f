/**
 * The process of one demo node: the first line of standard input says who it is, standard output answers with where it
 * listens. It lives as long as its standard input: whatever ends the demo, even SIGKILL, ends the node.
 */
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import * as v from 'valibot';
import { startSshServer } from './ssh-server.ts';

export const nodeOrder = v.object({
  user: v.string(),
  authorizedKey: v.string(),
  home: v.string(),
  env: v.record(v.string(), v.string()),
});
export type NodeOrder = v.InferOutput<typeof nodeOrder>;

export const nodeReport = v.object({ port: v.number(), hostKey: v.string() });
export type NodeReport = v.InferOutput<typeof nodeReport>;

export async function runNode(stdin: Readable, stdout: Writable): Promise<void> {
  const ended = once(stdin, 'end');
  const order = await firstLine(stdin);
  if (order === undefined) return;
  const server = await startSshServer(v.parse(nodeOrder, JSON.parse(order)));
  const report: NodeReport = { port: server.port, hostKey: server.hostKey };
  stdout.write(`${JSON.stringify(report)}\n`);
  stdin.resume();
  await ended;
  server.close();
}

/** The first line, or undefined where the stream ends before it. */
export async function firstLine(stream: Readable): Promise<string | undefined> {
  let text = '';
  stream.setEncoding('utf8');
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    text += String(chunk);
    const end = text.indexOf('\n');
    if (end >= 0) return text.slice(0, end);
  }
  return undefined;
}
