/**
 * Whether this node's agent is started at boot, and by what: systemd where it can do that for the user, else cron. One of the two, never both.
 */
import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { NodePaths } from '../../src/cluster/paths.ts';
import { programPath } from '../../src/cluster/programs.ts';
import { stateFault } from '../../src/cluster/state-fault.ts';
import type { AgentStatus, Result } from '../../src/protocol/control.ts';
import { NshError } from '../../src/protocol/errors.ts';
import { bootScriptText } from './boot-script.ts';
import { disableCron, enableCron, isCronEnabled } from './cron.ts';
import { disableUnit, enableUnit, isUnitEnabled, unitOf } from './systemd.ts';

export interface BootContext {
  readonly cluster: string;
  readonly node: number;
  readonly name: string;
  /** Name of the node's state directory: its id, for node 0 with a mark of the machine. */
  readonly key: string;
  readonly paths: NodePaths;
  /** Options of nsh-agent(8) for the one that is started at boot. */
  readonly options: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

export function bootContext(facts: Omit<BootContext, 'key'>): BootContext {
  return { ...facts, key: basename(facts.paths.state) };
}

/** Again is no harm: what is there is brought up to date. @throws NshError `unsupported` where neither can do it: says what to do. */
export async function enableBoot(context: BootContext): Promise<Result<'boot'>> {
  const script = writeScript(context);
  const noUnit = await enableUnit(context, script);
  if (noUnit === undefined) {
    const leftover = await disableCron(context);
    return { how: 'systemd', unit: unitOf(context), ...(leftover === undefined ? {} : { warning: leftover }) };
  }
  const cron = await enableCron(context, script);
  if (cron.why !== undefined) throw nothingThere(context, script, noUnit, cron.why);
  await disableUnit(context);
  return { how: 'cron', why: noUnit, ...(cron.warning === undefined ? {} : { warning: cron.warning }) };
}

/** Nothing where it was not enabled. @throws NshError `agentFailed` where what is there cannot be taken away. */
export async function disableBoot(context: BootContext): Promise<Result<'boot'>> {
  const problems = [await disableUnit(context), await disableCron(context)].filter((why) => why !== undefined);
  if (problems.length > 0)
    throw new NshError('agentFailed', `the agent may still be started at boot: ${problems.join('; ')}`);
  rmSync(scriptPath(context), { force: true });
  return { how: null };
}

/** What is really there, not what was done once. */
export async function bootState(context: BootContext): Promise<AgentStatus['boot']> {
  // Without it there is nothing to run; and crontab(1) writes into the system's log at every look.
  if (!existsSync(scriptPath(context))) return null;
  if (isUnitEnabled(context)) return 'systemd';
  return (await isCronEnabled(context)) ? 'cron' : null;
}

function scriptPath({ paths }: BootContext): string {
  return join(paths.state, 'boot.sh');
}

function writeScript(context: BootContext): string {
  const path = scriptPath(context);
  const { cluster, node, name, options, env } = context;
  const text = bootScriptText({
    cluster,
    node,
    name,
    options,
    env,
    interpreter: process.execPath,
    program: programPath('nsh-agent'),
  });
  try {
    writeFileSync(path, text, { mode: 0o700 });
    chmodSync(path, 0o700);
  } catch (error) {
    throw stateFault(path, error, false);
  }
  return path;
}

function nothingThere({ name }: BootContext, script: string, noUnit: string, noCron: string): NshError {
  return new NshError(
    'unsupported',
    `nothing here can start the agent of ${name} at boot: systemd: ${noUnit}; cron: ${noCron}. Install cron and try again, or let ` +
      `whatever starts programs at boot here run, as this user: /bin/sh ${script} start`,
    { data: { script } },
  );
}
