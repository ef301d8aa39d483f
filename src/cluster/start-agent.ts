/**
 * Starts the agent of a node on this machine, as a daemon of its own: own session, nothing inherited, output into its log.
 * It says over descriptor 3 that it serves, or why not.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { NodeId } from '../ids/gpid.ts';
import { fromWireError, NshError, type WireError } from '../protocol/errors.ts';
import { makePrivateDirectory, nodePaths, type Environment } from './paths.ts';
import { programPath } from './programs.ts';
import { stateFault } from './state-fault.ts';

export interface AgentIdentity {
  readonly cluster: string;
  readonly node: NodeId;
  readonly name: string;
}

export interface StartOptions {
  readonly env: Environment;
  /** Options of nsh-agent(8) that go before the subcommand. */
  readonly options?: readonly string[];
  /** From the start to its word that it serves, ms. Default 15,000. */
  readonly deadlineMs?: number;
}

/** What the daemon writes to descriptor 3: one JSON line. */
export type ReadyReport = { readonly ok: true } | { readonly ok: false; readonly error: WireError };

/** One that comes up has so long until it listens; one that goes, until it is gone. */
const settleDeadlineMs = 10_000;
const settlePollMs = 25;

/**
 * What `find` answers of the agent that serves, started where there is none. Several who start it at once get the same one, and one that
 * is just ending is waited for.
 * @param find undefined where nothing listens.
 * @throws NshError as `startAgent`, and what `find` throws.
 */
export async function ensureAgent<T>(
  identity: AgentIdentity,
  options: StartOptions,
  find: () => Promise<T | undefined>,
): Promise<T> {
  const end = performance.now() + settleDeadlineMs;
  for (;;) {
    const found = await find();
    if (found !== undefined) return found;
    let running: NshError | undefined;
    try {
      await startAgent(identity, options);
    } catch (error) {
      if (!(error instanceof NshError) || error.data?.['running'] !== true) throw error;
      running = error;
    }
    if (performance.now() > end) {
      throw (
        running ?? new NshError('agentFailed', 'the agent of this machine was started but does not listen; try again')
      );
    }
    // Another start was quicker and listens in a moment, or its holder is on its way out.
    if (running !== undefined) await delay(settlePollMs);
  }
}

/**
 * Resolves when the agent serves.
 * @throws NshError `agentFailed` naming its log, with data.running where another one holds the node; or what the agent itself said:
 *   `wrongNode`, `unsafeSocket`, …
 */
async function startAgent(identity: AgentIdentity, options: StartOptions): Promise<void> {
  const paths = nodePaths(options.env, identity.cluster, identity.node);
  makePrivateDirectory(paths.state);
  const log = openLog(paths.agentLog);
  const words = [
    ...(options.options ?? []),
    'serve',
    '--cluster',
    identity.cluster,
    '--node',
    String(identity.node),
    '--name',
    identity.name,
  ];
  const child = spawn(process.execPath, [programPath('nsh-agent'), ...words], {
    argv0: 'nsh-agent',
    cwd: '/',
    detached: true,
    env: ownEnvironment(options.env),
    stdio: ['ignore', log, log, 'pipe'],
  });
  closeSync(log);
  child.unref();
  const report = await readReport(child.stdio[3] as Readable, options.deadlineMs ?? 15_000, paths.agentLog);
  if (!report.ok) throw fromWireError(report.error);
}

/** By these words what belongs to a lock or a singleton is found when it is to end: an agent that was started there does not. */
function ownEnvironment({ NSH_HOLDS: _holds, NSH_SINGLETON: _singleton, ...env }: Environment): Environment {
  return env;
}

function openLog(path: string): number {
  try {
    return openSync(path, 'a', 0o600);
  } catch (error) {
    throw stateFault(path, error, false);
  }
}

function readReport(ready: Readable, deadlineMs: number, logPath: string): Promise<ReadyReport> {
  return new Promise((resolve, reject) => {
    let text = '';
    const timer = setTimeout(() => {
      fail(`did not come up within ${deadlineMs} ms`);
    }, deadlineMs);
    const finish = (): void => {
      clearTimeout(timer);
      ready.destroy();
    };
    const fail = (why: string): void => {
      finish();
      reject(new NshError('agentFailed', `the agent of this machine ${why}; its log is ${logPath}`));
    };
    ready.setEncoding('utf8');
    ready.on('data', (chunk: string) => {
      text += chunk;
      const end = text.indexOf('\n');
      if (end === -1) return;
      finish();
      resolve(JSON.parse(text.slice(0, end)) as ReadyReport);
    });
    ready.on('error', (error) => fail(`broke: ${error.message}`));
    ready.on('end', () => fail('ended before it served'));
  });
}
