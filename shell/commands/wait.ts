/** `nsh wait`: waits until managed processes have ended, on whatever node, and passes their exit status on. */
import type { ClusterClient } from '../../src/cluster/cluster-client.ts';
import { silentAgentPid } from '../../src/cluster/own-agent.ts';
import { NshError, toNshError } from '../../src/protocol/errors.ts';
import type { ExitStatus } from '../../src/protocol/process.ts';
import type { Command, CommandContext, OptionSpec } from '../command.ts';
import { parseOptions } from '../getopt.ts';
import { describeExit, exitStatusOf } from '../run/exit-status.ts';
import { findManaged, type NamedProcess } from '../run/find-managed.ts';
import { makeReporter, type Reporter } from '../run/report.ts';
import { parseDuration } from '../run/values.ts';

const timeout: OptionSpec = {
  long: 'timeout',
  argument: 'DURATION',
  summary: 'give up after so long (30s, 5m, 1h), with status 124',
};

/** As POSIX has it for a PID that the shell does not know. */
const unknownProcessStatus = 127;
/** As timeout(1) has it. */
const timedOutStatus = 124;
/** How long a node that cannot be reached any more is asked again. */
const retryForMs = 60_000;
const retryEveryMs = 1_000;

export const waitCommand: Command = {
  name: 'wait',
  synopsis: ['[--timeout DURATION] PID…'],
  summary: 'wait for processes and pass their exit status on',
  options: [timeout],
  details: [
    'A PID is 30004711, 3.4711 or web1.4711, or web/2: the second replica of the group web. In a session also a job, such as %1; without any, all jobs; with -n, the next one that ends.',
  ],
  run: async (context, args) => {
    const { options, operands } = parseOptions([timeout], args);
    if (operands.length === 0) throw new NshError('usage', 'no process is given');
    const text = options.at(-1)?.value;
    const deadline = text === undefined ? undefined : AbortSignal.timeout(parseDuration(text, '--timeout'));
    const signal = deadline === undefined ? context.signal : AbortSignal.any([context.signal, deadline]);
    const client = await context.cluster();
    const reporter = makeReporter(context, 'wait');
    const statuses = await Promise.all(operands.map((word) => waitForOne(client, word, signal, reporter)));
    if (context.signal.aborted) throw interruption(context);
    if (deadline?.aborted === true) {
      reporter.say(`not all have ended within ${text}`);
      return timedOutStatus;
    }
    return Math.max(...statuses);
  },
};

/** @returns the exit status; every failure is said and becomes one. */
async function waitForOne(
  client: ClusterClient,
  word: string,
  signal: AbortSignal,
  reporter: Reporter,
): Promise<number> {
  try {
    const named = await findManaged(client, word, signal);
    const status = named.record.exit ?? (await askUntilAnswered(client, named, signal));
    if (status.code === null && status.signal === null)
      reporter.say(`${named.node.name}: process ${named.gpid} ${describeExit(status, named.gpid)}`);
    return exitStatusOf(status);
  } catch (error) {
    if (signal.aborted) return timedOutStatus;
    const known = toNshError(error);
    reporter.say(known.message);
    return known.code === 'noSuchProcess' || known.code === 'notManaged' ? unknownProcessStatus : known.exitStatus;
  }
}

/** Waiting changes nothing, so a lost link is no reason to stop: the node is asked again for a minute. */
async function askUntilAnswered(client: ClusterClient, named: NamedProcess, signal: AbortSignal): Promise<ExitStatus> {
  const { pid, start, boot } = named.record;
  let lostAt: number | undefined;
  for (;;) {
    const began = performance.now();
    try {
      return await client.call(named.node, 'wait', { process: { pid, start, boot } }, { deadlineMs: 0, signal });
    } catch (error) {
      const known = toNshError(error);
      const { code } = known;
      const now = performance.now();
      if (code !== 'linkLost' && code !== 'unreachable' && code !== 'timeout') throw error;
      // One that stands still has had its time, and the person can do something about it.
      if (silentAgentPid(known) !== undefined) throw error;
      // A question that stood for a while was a good one: the minute begins anew.
      if (lostAt === undefined || now - began > retryForMs / 2) lostAt = now;
      if (signal.aborted || now - lostAt > retryForMs) throw error;
      await pause(retryEveryMs, signal);
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const over = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', over);
      resolve();
    };
    const timer = setTimeout(over, ms);
    signal.addEventListener('abort', over);
  });
}

function interruption(context: CommandContext): NshError {
  return context.signal.reason instanceof NshError ? context.signal.reason : new NshError('cancelled', 'broken off');
}
