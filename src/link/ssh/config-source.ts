/**
 * Where the effective ssh_config of a host comes from: `ssh -G`, which evaluates it exactly as the person's own ssh does, else the
 * files themselves, read with the ssh-config package, where there is no ssh program.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { NshError } from '../../protocol/errors.ts';
import { readConfigFiles } from './config-files.ts';
import { person, type ConfigQuery } from './config-query.ts';
import { readSettings, type Keywords, type SshSettings } from './settings.ts';

const run = promisify(execFile);
/** `Match exec` runs commands of the person's own; one that hangs must not hold a login for ever. */
const evaluationMs = 10_000;

/** @throws NshError `unreachable` where the configuration cannot be read, `unsupported` where ssh2 cannot honour it. */
export async function loadSettings(query: ConfigQuery): Promise<SshSettings> {
  const keywords = (await askSsh(query)) ?? (await readConfigFiles(query));
  return readSettings(query.node, query.host, keywords, person(), loginCommand(query));
}

/** As a person types it, quoted for the shell. */
export function loginCommand(query: ConfigQuery): string {
  const quoted = (word: string): string =>
    /^[\w./:=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
  return ['ssh', ...sshArguments(query), query.host].map(quoted).join(' ');
}

/** What `ssh -G` says; undefined where there is no ssh program. */
export async function askSsh(query: ConfigQuery): Promise<Keywords | undefined> {
  try {
    const { stdout } = await run('ssh', ['-G', ...sshArguments(query), '--', query.host], { timeout: evaluationMs });
    return parseKeywords(stdout);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    const { stderr } = error as { stderr?: string };
    const reason = (stderr ?? '').trim() || `ssh -G gave no answer within ${evaluationMs / 1000} s`;
    throw new NshError('unreachable', `${query.node}: the ssh configuration cannot be used: ${reason}`, {
      cause: error,
    });
  }
}

/** Options of ssh(1) for a query; the host is left to the caller. */
export function sshArguments(query: Omit<ConfigQuery, 'node' | 'host'>): string[] {
  return [
    ...(query.configFile === undefined ? [] : ['-F', query.configFile]),
    ...(query.user === undefined ? [] : ['-l', query.user]),
    ...(query.port === undefined ? [] : ['-p', String(query.port)]),
    ...(query.identityFile === undefined ? [] : ['-i', query.identityFile]),
  ];
}

export function parseKeywords(text: string): Keywords {
  const found = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const space = line.indexOf(' ');
    if (space < 0) continue;
    const name = line.slice(0, space).toLowerCase();
    const values = found.get(name) ?? [];
    values.push(line.slice(space + 1).trim());
    found.set(name, values);
  }
  return found;
}
