/**
 * Starts the agent of a node on this machine, as a daemon of its own: own session, nothing inherited, output into its log.
 * It says over descriptor 3 that it serves, or why not.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Readable } from 'node:stream';
import type { NodeId } from '../ids/gpid.ts';
import { fromWireError, NshError, type WireError } from '../protocol/errors.ts';
import { makePrivateDirectory, nodePaths, type Environment } from './paths.ts';
import { programPath } from './programs.ts';

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

/**
 * Resolves when the agent serves; where another one serves already, that is as good.
 * @throws NshError `agentFailed` naming its log, or what the agent itself said: `wrongNode`, `unsafeSocket`, …
 */
export async function startAgent(identity: AgentIdentity, options: StartOptions): Promise<void> {
  const paths = nodePaths(options.env, identity.cluster, identity.node);
  makePrivateDirectory(paths.state);
  const log = openSync(paths.agentLog, 'a', 0o600);
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
    env: { ...options.env },
    stdio: ['ignore', log, log, 'pipe'],
  });
  closeSync(log);
  child.unref();
  const report = await readReport(child.stdio[3] as Readable, options.deadlineMs ?? 15_000, paths.agentLog);
  if (!report.ok) throw fromWireError(report.error);
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
