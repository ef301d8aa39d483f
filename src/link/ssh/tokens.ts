/** The percent tokens, `~` and `${NAME}` of ssh_config(5), TOKENS and ENVIRONMENT VARIABLES. Pure. */
import { createHash } from 'node:crypto';

export interface TokenValues {
  readonly alias: string;
  readonly hostName: string;
  readonly port: number;
  readonly user: string;
  readonly hostKeyAlias: string | undefined;
  readonly proxyJump: string | undefined;
  /** Home directory of the person here. */
  readonly home: string;
  readonly uid: number;
  readonly localHost: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** An unknown token, or a variable that is not set, stays as it is: the file is then not found, and named so. */
export function expandTokens(
  text: string,
  values: TokenValues,
  options: { readonly home: boolean } = { home: true },
): string {
  const localUser = values.env['USER'] ?? '';
  const { localHost, hostName, port, user } = values;
  const connection = `${localHost}${hostName}${port}${user}${values.proxyJump ?? ''}`;
  const tokens: Readonly<Record<string, () => string>> = {
    '%': () => '%',
    C: () => createHash('sha1').update(connection).digest('hex'),
    d: () => values.home,
    h: () => hostName,
    i: () => String(values.uid),
    j: () => values.proxyJump ?? '',
    k: () => values.hostKeyAlias ?? values.alias,
    L: () => localHost.replace(/\..*$/, ''),
    l: () => localHost,
    n: () => values.alias,
    p: () => String(port),
    r: () => user,
    u: () => localUser,
  };
  const home = options.home && (text === '~' || text.startsWith('~/')) ? values.home + text.slice(1) : text;
  const expanded = home.replaceAll(/%(.)/g, (whole, letter: string) => tokens[letter]?.() ?? whole);
  // In commands the shell does this itself.
  if (!options.home) return expanded;
  return expanded.replaceAll(/\$\{(\w+)\}/g, (whole, name: string) => values.env[name] ?? whole);
}
