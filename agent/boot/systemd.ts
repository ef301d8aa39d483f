/** Start at boot by the user's own systemd, which runs without a login where lingering is on (loginctl(1), enable-linger). */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { homeDirectory } from '../../src/cluster/file/file-paths.ts';
import { describeFault } from '../../src/cluster/state-fault.ts';
import type { BootContext } from './boot.ts';
import { findTool, lastWords, runTool, type ToolResult } from './run-tool.ts';
import { unitName, unitText } from './systemd-unit.ts';

/** The user manager that lingering starts has so long to come up. */
const managerPatienceMs = 5_000;
const managerPollMs = 100;

export function unitOf(context: BootContext): string {
  return unitName(context.cluster, context.key);
}

/** Where systemd looks for it, whatever XDG_CONFIG_HOME the agent has: the manager has an environment of its own. */
function unitDirectory({ env }: BootContext): string {
  return join(homeDirectory(env), '.config/systemd/user');
}

/** As systemd itself sees it: the link in the target. */
export function isUnitEnabled(context: BootContext): boolean {
  return existsSync(join(unitDirectory(context), 'default.target.wants', unitOf(context)));
}

/** @returns why it cannot be; undefined where it is done. */
export async function enableUnit(context: BootContext, script: string): Promise<string | undefined> {
  // sd_booted(3).
  if (!existsSync('/run/systemd/system')) return 'this machine was not started by systemd';
  const systemctl = findTool('systemctl', context.env);
  if (systemctl === undefined) return 'there is no systemctl';
  const linger = await allowLinger(context);
  if (linger !== undefined) return linger;
  const directory = unitDirectory(context);
  const path = join(directory, unitOf(context));
  try {
    mkdirSync(directory, { recursive: true });
    const { cluster, name } = context;
    writeFileSync(path, unitText({ cluster, name, script, machine: machineId() }), { mode: 0o644 });
  } catch (error) {
    return `${path} cannot be written: ${describeFault(error) ?? String(error)}`;
  }
  const told = await askManager(context, systemctl, ['daemon-reload']);
  const enabled = told.status === 0 ? await askManager(context, systemctl, ['enable', unitOf(context)]) : told;
  if (enabled.status === 0) return undefined;
  rmSync(path, { force: true });
  return `the systemd of the user cannot be asked: ${lastWords(enabled)}`;
}

/** Nothing where there is none. @returns why it cannot be. */
export async function disableUnit(context: BootContext): Promise<string | undefined> {
  const path = join(unitDirectory(context), unitOf(context));
  const link = join(unitDirectory(context), 'default.target.wants', unitOf(context));
  if (!existsSync(path) && !isUnitEnabled(context)) return undefined;
  try {
    rmSync(link, { force: true });
    rmSync(path, { force: true });
  } catch (error) {
    return `${path} cannot be removed: ${describeFault(error) ?? String(error)}`;
  }
  const systemctl = findTool('systemctl', context.env);
  // Without its file and its link nothing starts it; a manager that runs shall forget it, too.
  if (systemctl !== undefined) await runTool(systemctl, ['--user', 'daemon-reload'], managerOptions(context));
  return undefined;
}

async function allowLinger(context: BootContext): Promise<string | undefined> {
  const user = userName();
  if (existsSync(join('/var/lib/systemd/linger', user))) return undefined;
  const loginctl = findTool('loginctl', context.env);
  if (loginctl === undefined) return 'there is no loginctl';
  const result = await runTool(loginctl, ['--no-ask-password', 'enable-linger', user], managerOptions(context));
  if (result.status === 0) return undefined;
  return `lingering is not allowed (${lastWords(result)}); an administrator can: loginctl enable-linger ${user}`;
}

async function askManager(context: BootContext, systemctl: string, words: readonly string[]): Promise<ToolResult> {
  const end = performance.now() + managerPatienceMs;
  for (;;) {
    const result = await runTool(systemctl, ['--user', ...words], managerOptions(context));
    const isComing = /failed to connect|connection refused|no such file/i.test(result.stderr);
    if (result.status === 0 || !isComing || performance.now() > end) return result;
    await delay(managerPollMs);
  }
}

function managerOptions({ env }: BootContext): { env: Record<string, string | undefined> } {
  const runtime = env['XDG_RUNTIME_DIR'] ?? `/run/user/${process.getuid?.() ?? 0}`;
  return { env: { ...env, XDG_RUNTIME_DIR: runtime } };
}

function machineId(): string {
  try {
    const id = readFileSync('/etc/machine-id', 'latin1').trim();
    if (/^[0-9a-f]{32}$/.test(id)) return id;
  } catch {
    // Not every system has one.
  }
  return hostname();
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.() ?? 0); // A user that the user database does not know.
  }
}
