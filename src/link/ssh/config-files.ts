/**
 * The effective ssh_config where there is no ssh program to ask: the files, evaluated by the ssh-config package. It knows Host, Match
 * and the order of precedence; Include is resolved here, by inserting the files' text (so a Host line inside a file that is included
 * within a Host block ends that block, where OpenSSH would go on).
 */
import { readFile, readdir } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { person, type ConfigQuery } from './config-query.ts';
import type { Keywords } from './settings.ts';

const systemConfig = '/etc/ssh/ssh_config';
const maxIncludeDepth = 16;

/** OpenSSH's defaults for what a link needs, as `ssh -G` would print them. */
const defaults: ReadonlyMap<string, readonly string[]> = new Map([
  ['identityfile', ['~/.ssh/id_rsa', '~/.ssh/id_ecdsa', '~/.ssh/id_ed25519']],
  ['userknownhostsfile', ['~/.ssh/known_hosts ~/.ssh/known_hosts2']],
  ['globalknownhostsfile', ['/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2']],
]);

/** Keywords of which each line counts; of all others the first. */
const repeated = new Set(['identityfile', 'certificatefile']);

export async function readConfigFiles(query: ConfigQuery): Promise<Keywords> {
  const userConfig = join(person().home, '.ssh/config');
  const files = query.configFile === undefined ? [userConfig, systemConfig] : [query.configFile];
  const texts = await Promise.all(files.map((file) => readWithIncludes(file, 0)));
  const { default: SshConfig } = await import('ssh-config');
  const computed = SshConfig.parse(texts.join('\nHost *\n')).compute(
    { Host: query.host, ...(query.user === undefined ? {} : { User: query.user }) },
    { ignoreCase: true },
  );
  const found = new Map(defaults);
  for (const [name, value] of Object.entries(computed)) {
    const values = Array.isArray(value) ? value : [value];
    found.set(name.toLowerCase(), repeated.has(name.toLowerCase()) ? values : [values.join(' ')]);
  }
  if (query.port !== undefined) found.set('port', [String(query.port)]);
  if (query.user !== undefined) found.set('user', [query.user]);
  const own = query.identityFile === undefined ? [] : [query.identityFile];
  found.set('identityfile', [...own, ...(found.get('identityfile') ?? [])]);
  const hostName = found.get('hostname')?.[0];
  if (hostName !== undefined) found.set('hostname', [hostName.replaceAll('%h', query.host).replaceAll('%%', '%')]);
  return found;
}

async function readWithIncludes(path: string, depth: number): Promise<string> {
  const text = await readOptional(path);
  const lines = await Promise.all(
    text.split('\n').map(async (line) => {
      const include = /^\s*include[\s=]+(.*)$/i.exec(line);
      if (include?.[1] === undefined || depth >= maxIncludeDepth) return line;
      const base = path.startsWith('/etc/ssh/') ? '/etc/ssh' : join(person().home, '.ssh');
      const patterns = (include[1].match(/"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll('"', ''));
      const files = (await Promise.all(patterns.map((pattern) => matchingFiles(pattern, base)))).flat();
      return (await Promise.all(files.map((file) => readWithIncludes(file, depth + 1)))).join('\n');
    }),
  );
  return lines.join('\n');
}

async function readOptional(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return '';
    throw error;
  }
}

/** `*` and `?` in the last part of the path, which is where they are used. */
async function matchingFiles(pattern: string, base: string): Promise<string[]> {
  const home = pattern.startsWith('~/') ? join(person().home, pattern.slice(2)) : pattern;
  const full = isAbsolute(home) ? home : join(base, home);
  const name = full.slice(dirname(full).length + 1);
  if (!/[*?]/.test(name)) return [full];
  const escaped = name.replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`);
  const expression = new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`);
  try {
    const names = (await readdir(dirname(full))).filter((entry) => expression.test(entry) && !entry.startsWith('.'));
    return names.sort().map((entry) => join(dirname(full), entry));
  } catch {
    return []; // No such directory: nothing to include, as OpenSSH has it.
  }
}
