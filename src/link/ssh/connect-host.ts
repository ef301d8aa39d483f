/** Brings a connection to a host up: the way there, the greeting, the login, and again where sshd was too busy to greet. */
import type { Duplex } from 'node:stream';
import { backoffDelayMs, handshakeBackoff } from '../../policy/backoff.ts';
import { NshError } from '../../protocol/errors.ts';
import { abortError, delay } from '../wait.ts';
import { ChannelRefused, SshConnection } from './connection.ts';
import { Dropped, handshake, hasGreeted } from './handshake.ts';
import { prepareHostKeyCheck } from './host-key-check.ts';
import { acquireJump } from './jump-hosts.ts';
import type { HostRequest } from './host-request.ts';
import { makeAsker } from './prompt.ts';
import { openProxy, openTcp } from './route.ts';
import { destinationSlots, handshakeSlots } from '../slots.ts';

/** sshd closes connections beyond MaxStartups at once; it has room again when others have logged in. */
const maxAttempts = 12;

export async function connectHost(request: HostRequest): Promise<SshConnection> {
  const { settings, label, context } = request;
  context.onStage?.('connect');
  let lastComplaint = '';
  for (let attempt = 1; ; attempt += 1) {
    const connection = await attemptOnce(request);
    if (connection instanceof SshConnection) return connection;
    lastComplaint = connection.complaint === '' ? lastComplaint : ` (${connection.complaint})`;
    if (attempt === maxAttempts) {
      const where = `${settings.hostName} port ${settings.port}`;
      throw new NshError('unreachable', `${label}: ${where} closes connections before the login${lastComplaint}`);
    }
    await delay(backoffDelayMs(attempt, handshakeBackoff, Math.random()), context.signal, `${label}: the login`);
  }
}

interface TryAgain {
  /** What the way to the host had to say. */
  readonly complaint: string;
}

async function attemptOnce(request: HostRequest): Promise<SshConnection | TryAgain> {
  const { settings, label, context } = request;
  const where = `${settings.hostName} port ${settings.port}`;
  const held = new Releases();
  // ConnectTimeout is for the way, the greeting and the key exchange; a person who is asked is not bound by it.
  const limit = new AbortController();
  const late = new NshError(
    'timeout',
    `${label}: ${where} did not answer within ${settings.connectTimeoutMs / 1000} s (ConnectTimeout)`,
  );
  const startTimer = (): NodeJS.Timeout => setTimeout(() => limit.abort(late), settings.connectTimeoutMs);
  let timer: NodeJS.Timeout | undefined;
  const stopTimer = (): void => clearTimeout(timer);
  const signal = AbortSignal.any([context.signal, limit.signal]);
  try {
    held.add(await destinationSlots(where).acquire(context.signal, `${label}: the login`));
    timer = startTimer();
    const route = await openRoute(request, signal);
    held.onFailure(() => {
      route.stream.destroy();
      route.release();
    });
    if (!(await hasGreeted(route.stream, signal))) {
      const complaint = route.complaint?.() ?? '';
      const isFinal = route.hasFailed?.() === true;
      held.fail();
      if (isFinal) throw new NshError('unreachable', `${label}: cannot connect to ${where}: ${complaint}`);
      return { complaint };
    }
    stopTimer();
    held.add(await handshakeSlots.acquire(context.signal, `${label}: the login`));
    timer = startTimer();
    const asker = makeAsker(label, context, settings.batchMode, () => {
      stopTimer();
      held.release();
    });
    const client = await handshake({
      label,
      settings,
      stream: route.stream,
      hostKey: await prepareHostKeyCheck(label, settings, asker),
      asker,
      sshAuthSock: context.sshAuthSock,
      signal,
      onKeysExchanged: () => {
        stopTimer();
        context.onStage?.('login');
      },
    });
    const address = `${settings.user}@${settings.hostName}:${settings.port}`;
    const connection = new SshConnection({ client, label, address, stream: route.stream, onClosed: route.release });
    if (request.forSessions !== true) void connection.warmUp();
    return connection;
  } catch (error) {
    held.fail();
    if (error instanceof Dropped) return { complaint: '' };
    if (error instanceof NshError) throw error;
    if (signal.aborted) throw abortError(signal, `${label}: the login`);
    throw error;
  } finally {
    stopTimer();
    held.release();
  }
}

interface Route {
  readonly stream: Duplex;
  readonly release: () => void;
  readonly complaint?: () => string;
  readonly hasFailed?: () => boolean;
}

async function openRoute(request: HostRequest, signal: AbortSignal): Promise<Route> {
  const { settings, label, context } = request;
  if (settings.proxyCommand !== undefined) {
    const agent = context.sshAuthSock === undefined ? {} : { SSH_AUTH_SOCK: context.sshAuthSock };
    const { stream, complaint, hasFailed } = openProxy(settings.proxyCommand, { ...process.env, ...agent });
    return {
      stream,
      complaint: () => `ProxyCommand: ${complaint() || 'it ended'}`,
      hasFailed,
      release: () => undefined,
    };
  }
  if (settings.proxyJump.length === 0)
    return { stream: await openTcp(label, settings, signal), release: () => undefined };
  const jump = await acquireJump(request, connectHost);
  try {
    const stream = await jump.connection.openTcp(settings.hostName, settings.port, signal);
    // The other side's end is the connection's end: ssh2 waits for a close that a half-open stream would not send.
    stream.on('end', () => stream.destroy());
    return { stream, release: jump.release };
  } catch (error) {
    jump.release();
    if (!(error instanceof ChannelRefused)) throw error;
    const where = `${settings.hostName} port ${settings.port}`;
    throw new NshError(
      'unreachable',
      `${label}: ${jump.connection.label} cannot connect to ${where}: ${error.message}`,
      { cause: error },
    );
  }
}

/** What a login holds meanwhile, and what must go where it fails. */
class Releases {
  #always: (() => void)[] = [];
  #onFailure: (() => void)[] = [];

  add(release: () => void): void {
    this.#always.push(release);
  }
  onFailure(undo: () => void): void {
    this.#onFailure.push(undo);
  }
  release(): void {
    for (const release of this.#always.splice(0)) release();
  }
  fail(): void {
    for (const undo of this.#onFailure.splice(0)) undo();
  }
}
