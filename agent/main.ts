#!/usr/bin/env node
/** nsh-agent(8): `start` (idempotent, answers one JSON line), `serve` (the daemon), `dial` (a bridge to a socket). */
import { parseArgs } from 'node:util';
import { isNodeId, localPid } from '../src/ids/gpid.ts';
import { NshError, toNshError, toWireError } from '../src/protocol/errors.ts';
import { programVersion } from '../src/protocol/version.ts';

const usage = `usage: nsh-agent [--idle SECONDS] [--keep-ended N] [--keep-age SECONDS] [--session-ttl SECONDS]
                 [--not-this-machine] COMMAND
  start --cluster NAME --node ID --name NAME [--marker WORD] [--only-running]
                                                               start the agent where it does not run, and say where it listens
  serve --cluster NAME --node ID --name NAME [--wait]          be the agent, in the foreground
  dial PATH [--marker WORD]                                    join standard input and output to a Unix socket
  feed --cluster NAME --node ID --socket PATH --process PID:START:BOOT --behind BYTES --timeout SECONDS
                                                               standard input into the stdin of a process on another node
`;

const options = {
  idle: { type: 'string' },
  'keep-ended': { type: 'string' },
  'keep-age': { type: 'string' },
  'session-ttl': { type: 'string' },
  'not-this-machine': { type: 'boolean' },
  cluster: { type: 'string' },
  node: { type: 'string' },
  name: { type: 'string' },
  marker: { type: 'string' },
  socket: { type: 'string' },
  process: { type: 'string' },
  behind: { type: 'string' },
  timeout: { type: 'string' },
  'only-running': { type: 'boolean' },
  wait: { type: 'boolean' },
  help: { type: 'boolean' },
  version: { type: 'boolean' },
} as const;

type Values = ReturnType<typeof parse>['values'];

function parse(argv: readonly string[]) {
  return parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
}

async function main(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parse(argv);
  if (values.help === true) return print(usage);
  if (values.version === true) return print(`nsh-agent ${programVersion}\n`);
  const [command, ...operands] = positionals;
  switch (command) {
    case 'start':
      return await (await import('./start.ts')).start(identity(values), {
        agentOptions: agentOptions(values),
        marker: values.marker,
        onlyRunning: values['only-running'] === true,
      });
    case 'serve': {
      const { serve } = await import('./daemon/serve.ts');
      await serve({ ...identity(values), ...serveOptions(values) });
      return await new Promise<never>(() => undefined);
    }
    case 'dial': {
      const path = operands[0];
      if (path === undefined) throw new NshError('usage', `dial needs the path of a socket\n${usage}`);
      const { bridgeStdio } = await import('../src/link/bridge.ts');
      return await bridgeStdio(path, values.marker === undefined ? {} : { marker: values.marker });
    }
    case 'feed':
      return await (await import('./feed.ts')).feed(feedTarget(values));
    default:
      throw new NshError('usage', command === undefined ? usage : `${command}: no such command\n${usage}`);
  }
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

function identity({ cluster, node, name }: Values) {
  if (cluster === undefined || !/^[\w.-]{1,64}$/.test(cluster) || /^\.+$/.test(cluster)) {
    throw new NshError('usage', '--cluster must be a name of letters, digits, `-`, `_` and `.`');
  }
  const id = Number(node);
  if (node === undefined || !isNodeId(id)) throw new NshError('usage', '--node must be a node id');
  if (name === undefined || !/^[A-Za-z][\w.-]{0,252}$/.test(name))
    throw new NshError('usage', '--name must be the name of a node');
  return { cluster, node: id, name };
}

function feedTarget({ cluster = '', node, socket, process: named, behind, timeout }: Values) {
  const [pid, start, boot] = (named ?? '').split(':');
  const id = Number(node);
  const ref = { pid: localPid(Number(pid)), start: Number(start), boot: boot ?? '' };
  if (socket === undefined || boot === undefined || !isNodeId(id) || !Number.isSafeInteger(ref.start))
    throw new NshError('usage', `feed needs --cluster, --node, --socket and --process\n${usage}`);
  return {
    cluster,
    node: id,
    socket,
    process: ref,
    behind: count(behind, 0, '--behind'),
    timeoutMs: count(timeout, 3600, '--timeout') * 1000,
  };
}

function serveOptions(values: Values) {
  return {
    idleSeconds: count(values.idle, 600, '--idle'),
    keepEnded: count(values['keep-ended'], 1000, '--keep-ended'),
    keepAgeSeconds: count(values['keep-age'], 7 * 24 * 3600, '--keep-age'),
    sessionTtl: Math.max(1, count(values['session-ttl'], 15, '--session-ttl')),
    isThisMachine: values['not-this-machine'] !== true,
    waits: values.wait === true,
  };
}

/** What `start` hands on to the daemon that it starts. */
function agentOptions(values: Values): string[] {
  const words: string[] = [];
  for (const name of ['idle', 'keep-ended', 'keep-age', 'session-ttl'] as const) {
    const value = values[name];
    if (value !== undefined) words.push(`--${name}`, String(count(value, 0, `--${name}`)));
  }
  if (values['not-this-machine'] === true) words.push('--not-this-machine');
  return words;
}

function count(text: string | undefined, fallback: number, option: string): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value))
    throw new NshError('usage', `${option} must be a whole number, not ${JSON.stringify(text)}`);
  return value;
}

main(process.argv.slice(2)).then(
  (status) => {
    process.exitCode = status;
  },
  (error: unknown) => {
    const known = toNshError(error, 'usage');
    const marker = /^--marker=?(.*)$/.exec(process.argv.find((word) => word.startsWith('--marker=')) ?? '')?.[1];
    if (marker !== undefined)
      process.stdout.write(`${marker} ${JSON.stringify({ ok: false, error: toWireError(known) })}\n`);
    process.stderr.write(`nsh-agent: ${known.message}\n`);
    process.exitCode = known.exitStatus;
  },
);
