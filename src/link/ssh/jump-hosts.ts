/**
 * Connections to jump hosts, shared by all links that go through them: a cluster behind one bastion logs in there once and asks once.
 * A connection goes when the last link that needs it has gone.
 */
import { NshError } from '../../protocol/errors.ts';
import { withSignal } from '../wait.ts';
import { loadSettings } from './config-source.ts';
import type { SshConnection } from './connection.ts';
import type { HostRequest } from './host-request.ts';

interface Shared {
  users: number;
  /** The request on whose behalf it is opened: its questions go to that person, and end with them. */
  readonly owner: AbortSignal;
  readonly ready: Promise<SshConnection>;
}

const shared = new Map<string, Shared>();

type Connect = (request: HostRequest) => Promise<SshConnection>;

export interface Jump {
  readonly connection: SshConnection;
  readonly release: () => void;
}

/** The last hop of the request's ProxyJump; the hops before it are that one's own ProxyJump, as in ssh(1). */
export async function acquireJump(request: HostRequest, connect: Connect): Promise<Jump> {
  const { settings, configFile, context, label } = request;
  const key = JSON.stringify([configFile ?? null, settings.proxyJump]);
  if (request.via.includes(key)) {
    throw new NshError(
      'unreachable',
      `${label}: its ProxyJump ${settings.proxyJump.join(',')} leads back to itself (see ssh_config)`,
    );
  }
  for (;;) {
    const entry = shared.get(key) ?? open(key, request, connect);
    entry.users += 1;
    const release = releaseOnce(key, entry);
    try {
      const connection = await withSignal(entry.ready, context.signal, `${label}: the login`);
      if (connection.isOpen) return { connection, release };
      forget(key, entry);
      release();
    } catch (error) {
      release();
      // Whoever it was opened for has left; that is no answer to us.
      if (entry.owner.aborted && !context.signal.aborted) continue;
      throw error;
    }
  }
}

function open(key: string, request: HostRequest, connect: Connect): Shared {
  const ready = connectJump(key, request, connect);
  const entry: Shared = { users: 0, owner: request.context.signal, ready };
  shared.set(key, entry);
  ready.then(
    (connection) => void connection.closed.then(() => forget(key, entry)),
    () => forget(key, entry),
  );
  return entry;
}

async function connectJump(key: string, request: HostRequest, connect: Connect): Promise<SshConnection> {
  const { proxyJump } = request.settings;
  const hop = parseHop(proxyJump.at(-1) ?? '', request.label);
  const label = `jump host ${hop.host}`;
  const settings = await loadSettings({ ...hop, node: label, configFile: request.configFile });
  const before = proxyJump.slice(0, -1);
  const own = before.length === 0 ? settings : { ...settings, proxyJump: before, proxyCommand: undefined };
  const { onStage: _onStage, ...context } = request.context;
  return connect({ label, settings: own, configFile: request.configFile, context, via: [...request.via, key] });
}

/** `[user@]host[:port]` or `ssh://[user@]host[:port]`. */
function parseHop(text: string, label: string): { host: string; user: string | undefined; port: number | undefined } {
  const match = /^(?:ssh:\/\/)?(?:([^@]+)@)?(?:\[([^\]]+)\]|([^:/[\]]+))(?::(\d+))?\/?$/.exec(text);
  const host = match?.[2] ?? match?.[3];
  if (host === undefined) throw new NshError('unreachable', `${label}: ProxyJump names no host: "${text}"`);
  return { host, user: match?.[1], port: match?.[4] === undefined ? undefined : Number(match[4]) };
}

function releaseOnce(key: string, entry: Shared): () => void {
  let released = false;
  return () => {
    if (released) return;
    released = true;
    entry.users -= 1;
    if (entry.users > 0) return;
    forget(key, entry);
    entry.ready.then(
      (connection) => connection.close(),
      () => undefined, // It never came up.
    );
  };
}

function forget(key: string, entry: Shared): void {
  if (shared.get(key) === entry) shared.delete(key);
}
