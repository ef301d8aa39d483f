/**
 * A small `nsh` for the tests of the terminal: the real commands over a cluster of one node, whose shim the test plays. What it is to
 * do comes in the environment: FAR_SIDE (socket of the shim), RECORD and SCREEN (JSON), MISHAP (`throw`, `exit`).
 */
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import type { CommandContext } from '../../../shell/command.ts';
import { attachCommand } from '../../../shell/commands/attach.ts';
import { runCommand } from '../../../shell/commands/run.ts';
import type { ClusterClient } from '../../../src/cluster/cluster-client.ts';
import type { NodeSpec } from '../../../src/cluster/node-spec.ts';
import { nodeId } from '../../../src/ids/gpid.ts';
import { NshError, toNshError } from '../../../src/protocol/errors.ts';

const web1: NodeSpec = { id: nodeId(3), name: 'web1', labels: [] };
const farSide = process.env['FAR_SIDE'] ?? '';
const shim = { id: 'test', socket: farSide };

const answers: Readonly<Record<string, () => unknown>> = {
  run: () => ({ pid: 4711, start: 1, boot: 'boot', shim }),
  find: () => ({ found: [{ ...(JSON.parse(process.env['RECORD'] ?? '{}') as object), shim }] }),
  screen: () => JSON.parse(process.env['SCREEN'] ?? '{}') as unknown,
};

const client = {
  spec: { cluster: 'test', file: { path: '/cluster.yaml', mtimeMs: 0, size: 0 }, agentCommand: 'x', nodes: [web1] },
  self: { id: nodeId(0), name: 'localhost', labels: [] },
  nodes: [web1],
  node: (id: number) => (id === 3 ? web1 : undefined),
  call: (_node: NodeSpec, method: string) => Promise.resolve(answers[method]?.()),
  dial: () =>
    new Promise<Duplex>((resolve, reject) => {
      const socket = connect({ path: farSide, allowHalfOpen: true });
      socket.once('connect', () => resolve(socket));
      // That passes by itself for nsh; the far side of these tests does not come back.
      socket.once('error', (error) => reject(new NshError('noSuchProcess', error.message)));
    }),
  close: () => {},
} as unknown as ClusterClient;

const abort = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => abort.abort(new NshError('cancelled', `ended by ${signal}`, { data: { signal } })));
}
const context: CommandContext = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  terminal: {
    columns: process.stdout.isTTY ? process.stdout.columns : undefined,
    rows: process.stdout.isTTY ? process.stdout.rows : undefined,
    colour: false,
  },
  env: process.env,
  cwd: process.cwd(),
  clusterSpec: () => Promise.resolve(client.spec),
  cluster: () => Promise.resolve(client),
  signal: abort.signal,
};

process.on('SIGUSR2', () => {
  if (process.env['MISHAP'] === 'exit') process.exit(9);
  throw new Error('a mishap');
});

const [name = '', ...args] = process.argv.slice(2);
const command = name === 'attach' ? attachCommand : runCommand;
command.run(context, args).then(
  (status) => {
    process.exitCode = status;
  },
  (error: unknown) => {
    const known = toNshError(error);
    process.stderr.write(`nsh ${name}: ${known.message}\n`);
    process.exitCode = known.exitStatus;
  },
);
