/** Every byte of output arrives, once and unchanged: on pipes and terminals, in bursts, in bulk, and with a slow reader. */
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { processDialler } from '../../src/cluster/process-stream/dial-process.ts';
import { newClientId, openProcessStream } from '../../src/cluster/process-stream/process-stream.ts';
import type { OutputSink } from '../../src/cluster/process-stream/sink.ts';
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import { connectCluster } from '../../src/cluster/connect.ts';
import { loadCluster } from '../../src/cluster/file/index.ts';
import { isRunning, startCluster, type NshCluster } from './nsh-cluster.ts';
import { waitUntil } from './wait-until.ts';

let cluster: NshCluster;
let client: ClusterClient;
beforeAll(async () => {
  cluster = await startCluster({ count: 2 });
  client = connectCluster(await loadCluster({ flag: cluster.file, env: cluster.env }), { env: cluster.env });
});
afterAll(async () => {
  client.close();
  await cluster.stop();
});

const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

function file(name: string, content: Buffer): string {
  const path = join(cluster.hosts.directory, name);
  writeFileSync(path, content);
  return path;
}

test('stdout and stderr come apart and unchanged, whatever byte is in them', async () => {
  const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  const [out, err] = [file('all', Buffer.concat([all, all, all])), file('reversed', Buffer.from([...all].reverse()))];
  const { bytes, errorBytes, status } = await cluster.nsh([
    'run',
    '-T',
    '-n',
    'n1',
    '--',
    'sh',
    '-c',
    `cat ${out}; cat ${err} >&2`,
  ]);
  expect(bytes.equals(readFileSync(out))).toBe(true);
  expect(errorBytes.equals(readFileSync(err))).toBe(true);
  expect(status).toBe(0);
});

test('100 MB through a pipe and back have the same checksum', async () => {
  const input = Buffer.concat(Array.from({ length: 25 }, () => randomBytes(4 << 20)));
  const began = performance.now();
  const { bytes, status } = await cluster.nsh(['run', '-T', '-n', 'n1', '--', 'cat'], { input, timeoutMs: 110_000 });
  process.stdout.write(`100 MB through cat on a node: ${Math.round(performance.now() - began)} ms\n`);
  expect([bytes.length, digest(bytes), status]).toEqual([input.length, digest(input), 0]);
}, 120_000);

/** One process through the client's own connection, as the shell does it. */
async function runOnce(io: 'pty' | 'pipes', path: string): Promise<{ out: Buffer; code: number | null | undefined }> {
  const [node] = client.nodes;
  if (node === undefined) throw new Error('no node');
  const foreground = newClientId();
  const started = await client.call(node, 'run', {
    argv: ['cat', path],
    io,
    keepBytes: 65_536,
    onDisconnect: 'hup',
    foreground,
    stdin: 'null',
    starter: { gpid: 0, user: 'test', host: 'test' },
  });
  const chunks: Buffer[] = [];
  const sink: OutputSink = {
    write(bytes, taken) {
      chunks.push(Buffer.from(bytes));
      taken();
    },
  };
  const process = { pid: started.pid, start: started.start, boot: started.boot };
  const end = await openProcessStream({
    ...processDialler(client, node, process, started.shim),
    process,
    role: 'foreground',
    client: foreground,
    stdout: sink,
    stderr: sink,
  }).ended;
  return { out: Buffer.concat(chunks), code: end.kind === 'exit' ? end.status.code : undefined };
}

test.for(['pipes', 'pty'] as const)(
  '300 runs of 20 KB of output on %s, 8 at once, lose no byte',
  { timeout: 120_000 },
  async (io) => {
    const text = Array.from({ length: 400 }, (_, line) => `${String(line).padStart(6, '0')} ${'x'.repeat(43)}`).join(
      '\n',
    );
    const path = file(`20k-${io}`, Buffer.from(`${text}\n`));
    const expected = io === 'pty' ? `${text}\n`.replaceAll('\n', '\r\n') : `${text}\n`;
    const began = performance.now();
    const wrong: unknown[] = [];
    let left = 300;
    const worker = async (): Promise<void> => {
      while (left-- > 0) {
        const { out, code } = await runOnce(io, path);
        if (out.toString('latin1') !== expected || code !== 0) wrong.push([out.length, code]);
      }
    };
    await Promise.all(Array.from({ length: 8 }, worker));
    process.stdout.write(`300 runs of 20 KB on ${io}: ${Math.round(performance.now() - began)} ms\n`);
    expect(wrong).toEqual([]);
  },
);

test('run -t gives a terminal and all of its output where stdout is a pipe', async () => {
  const text = Array.from({ length: 400 }, (_, line) => `${line} ${'y'.repeat(45)}`).join('\n');
  const path = file('20k', Buffer.from(`${text}\n`));
  const results = await Promise.all(
    Array.from({ length: 4 }, () =>
      cluster.nsh(['run', '-t', '-n', 'n2', '--', 'sh', '-c', `test -t 1 && cat ${path}; exit 3`]),
    ),
  );
  for (const { stdout, status } of results) {
    expect(stdout.replaceAll('\r\n', '\n') === `${text}\n`).toBe(true);
    expect(status).toBe(3);
  }
});

test('a process whose reader is slow waits for it, and loses nothing', async () => {
  const content = Buffer.concat(Array.from({ length: 40 }, () => randomBytes(1 << 20)));
  const path = file('bulk', content);
  const running = cluster.spawnNsh(['run', '-T', '-n', 'n2', '--', 'sh', '-c', `exec cat ${path}`]);
  await running.until(() => running.outBytes > 0, 'output');
  running.child.stdout.pause();
  const cat = (): number | undefined =>
    cluster
      .host('n2')
      .processes()
      .find(({ command }) => command === `cat ${path}`)?.outerPid;
  await waitUntil(() => cat() !== undefined, 'cat');
  const read = (): number => readCount(cat() ?? 0);
  // It has come to a stop when it reads nothing any more, far from the end.
  let before = -1;
  await waitUntil(async () => {
    before = read();
    await new Promise((resolve) => {
      setTimeout(resolve, 300);
    });
    return read() === before;
  }, 'cat to stand still');
  expect(before).toBeLessThan(content.length);
  expect(isRunning(cat() ?? 0)).toBe(true);
  running.child.stdout.resume();
  running.child.stdin.end();
  const { bytes, status } = await running.end();
  expect([bytes.length, digest(bytes), status]).toEqual([content.length, digest(content), 0]);
});

function readCount(pid: number): number {
  return Number(/^rchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'latin1'))?.[1]);
}
