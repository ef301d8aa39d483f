/** Start at boot by cron(8): a line of the user's crontab(1). */
import { readdirSync, readFileSync } from 'node:fs';
import type { BootContext } from './boot.ts';
import { bootLine, hasBootLine, meansEmpty, withBootLine, withoutBootLine } from './crontab-text.ts';
import { findTool, lastWords, runTool } from './run-tool.ts';

/** `nsh-agent web 3`: cluster and node. */
function markOf({ cluster, key }: BootContext): string {
  return `nsh-agent ${cluster} ${key}`;
}

export type CronResult = { readonly warning?: string; readonly why?: undefined } | { readonly why: string };

export async function enableCron(context: BootContext, script: string): Promise<CronResult> {
  const before = await readCrontab(context);
  if (before.why !== undefined) return before;
  const line = bootLine(script, context.paths.agentLog, markOf(context));
  const why = await writeCrontab(context, before.text, withBootLine(before.text, line, markOf(context)));
  if (why !== undefined) return { why };
  return isCronRunning()
    ? {}
    : { warning: 'no cron daemon runs here now: it must be started at boot for this to work' };
}

/** Nothing where there is no such line. @returns why it cannot be. */
export async function disableCron(context: BootContext): Promise<string | undefined> {
  if (findTool('crontab', context.env) === undefined) return undefined;
  const before = await readCrontab(context);
  if (before.why !== undefined) return before.why;
  return await writeCrontab(context, before.text, withoutBootLine(before.text, markOf(context)));
}

export async function isCronEnabled(context: BootContext): Promise<boolean> {
  const { text } = await readCrontab(context);
  return text !== undefined && hasBootLine(text, markOf(context));
}

type Crontab =
  | { readonly text: string; readonly why?: undefined }
  | { readonly text?: undefined; readonly why: string };

async function readCrontab({ env }: BootContext): Promise<Crontab> {
  const crontab = findTool('crontab', env);
  if (crontab === undefined) return { why: 'there is no crontab program' };
  const result = await runTool(crontab, ['-l'], { env });
  if (result.status === 0) return { text: result.stdout };
  if (meansEmpty(result.stderr)) return { text: '' };
  return { why: `crontab: ${lastWords(result)}` };
}

/** What stands there already is not written again; one that becomes empty is removed. */
async function writeCrontab({ env }: BootContext, before: string, after: string): Promise<string | undefined> {
  const crontab = findTool('crontab', env);
  if (before === after || crontab === undefined) return undefined;
  const result = await (after === ''
    ? runTool(crontab, ['-r'], { env })
    : runTool(crontab, ['-'], { env, input: after }));
  return result.status === 0 ? undefined : `crontab: ${lastWords(result)}`;
}

const daemons = /^(?:cron|crond|fcron|cronie|busybox crond)$/;

function isCronRunning(): boolean {
  return readdirSync('/proc').some((pid) => /^\d+$/.test(pid) && daemons.test(readName(pid)));
}

function readName(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'latin1').trim();
  } catch {
    return ''; // It has just ended.
  }
}
