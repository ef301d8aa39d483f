/**
 * The effective ssh_config of one host, typed and reduced to what a link needs. Pure: `config-source.ts` brings the keywords as
 * `ssh -G` prints them. What ssh2 cannot honour is refused by name, never passed over, where it bears on whom we trust.
 */
import { NshError } from '../../protocol/errors.ts';
import { expandTokens, type TokenValues } from './tokens.ts';

/** Keyword in lower case → its values, one for each line. */
export type Keywords = ReadonlyMap<string, readonly string[]>;

export type StrictHostKeyChecking = 'yes' | 'no' | 'ask' | 'accept-new';

export interface SshSettings {
  /** As it was asked for: %n. */
  readonly alias: string;
  /** What a person types to log in by the same configuration: `ssh -F FILE web1`. */
  readonly loginCommand: string;
  readonly hostName: string;
  readonly port: number;
  readonly user: string;
  readonly hostKeyAlias: string | undefined;
  readonly identityFiles: readonly string[];
  readonly identitiesOnly: boolean;
  /** Path of the ssh-agent; undefined: the caller's; `none`: none. */
  readonly identityAgent: string | undefined;
  readonly certificateFiles: readonly string[];
  readonly userKnownHostsFiles: readonly string[];
  readonly globalKnownHostsFiles: readonly string[];
  readonly strictHostKeyChecking: StrictHostKeyChecking;
  readonly hashKnownHosts: boolean;
  readonly proxyCommand: string | undefined;
  readonly proxyJump: readonly string[];
  readonly connectTimeoutMs: number;
  /** Of publickey, keyboard-interactive and password, those allowed, in order of preference. */
  readonly authMethods: readonly AuthMethod[];
  readonly batchMode: boolean;
  readonly passwordPrompts: number;
  readonly keepaliveIntervalMs: number;
  readonly keepaliveCountMax: number;
  readonly family: 0 | 4 | 6;
  readonly bindAddress: string | undefined;
  /** Algorithms that the configuration allows; undefined: ssh2's own. */
  readonly algorithms: Readonly<Record<'kex' | 'cipher' | 'hmac' | 'serverHostKey', readonly string[] | undefined>>;
}

export const authMethods = ['publickey', 'keyboard-interactive', 'password'] as const;
export type AuthMethod = (typeof authMethods)[number];

const defaultConnectTimeoutMs = 15_000;
const defaultKeepalive = { intervalMs: 15_000, countMax: 3 };

export interface Person {
  readonly home: string;
  readonly user: string;
  readonly uid: number;
  readonly localHost: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * @param login what a person types to log in as the link does; default: `ssh ALIAS`
 * @throws NshError `unsupported` with the keyword that cannot be honoured and what to do instead.
 */
export function readSettings(
  node: string,
  alias: string,
  keywords: Keywords,
  person: Person,
  login = `ssh ${alias}`,
): SshSettings {
  const one = (name: string): string | undefined => noneIsAbsent(keywords.get(name)?.[0]);
  const flag = (name: string): boolean => ['yes', 'true'].includes(keywords.get(name)?.[0] ?? 'no');
  refuse(node, keywords);
  const hostName = one('hostname') ?? alias;
  const port = Number(one('port') ?? 22);
  const user = one('user') ?? person.user;
  const hostKeyAlias = one('hostkeyalias');
  const tokens: TokenValues = { ...person, alias, hostName, port, user, hostKeyAlias, proxyJump: one('proxyjump') };
  const path = (value: string): string => expandTokens(value, tokens);
  const paths = (name: string): string[] =>
    (keywords.get(name) ?? []).flatMap(splitWords).filter((word) => word !== 'none');
  const whole = (name: string): string[] => (keywords.get(name) ?? []).filter((value) => value !== 'none').map(unquote);
  const agent = keywords.get('identityagent')?.[0];
  const interval = Number(one('serveraliveinterval') ?? 0);
  const proxyCommand = one('proxycommand');
  return {
    alias,
    loginCommand: login,
    hostName,
    port,
    user,
    hostKeyAlias,
    identityFiles: whole('identityfile').map(path),
    identitiesOnly: flag('identitiesonly'),
    identityAgent:
      agent === undefined || agent === 'SSH_AUTH_SOCK'
        ? undefined
        : agent === 'none'
          ? 'none'
          : agentPath(agent, path, person),
    certificateFiles: whole('certificatefile').map(path),
    userKnownHostsFiles: paths('userknownhostsfile').map(path),
    globalKnownHostsFiles: paths('globalknownhostsfile').map(path),
    strictHostKeyChecking: strictness(one('stricthostkeychecking') ?? 'ask'),
    hashKnownHosts: flag('hashknownhosts'),
    proxyCommand: proxyCommand === undefined ? undefined : expandTokens(proxyCommand, tokens, { home: false }),
    proxyJump: (one('proxyjump') ?? '')
      .split(',')
      .map((hop) => hop.trim())
      .filter((hop) => hop !== ''),
    connectTimeoutMs: seconds(one('connecttimeout')) ?? defaultConnectTimeoutMs,
    authMethods: allowedMethods(keywords),
    batchMode: flag('batchmode'),
    passwordPrompts: Number(one('numberofpasswordprompts') ?? 3),
    keepaliveIntervalMs: interval > 0 ? interval * 1000 : defaultKeepalive.intervalMs,
    keepaliveCountMax: interval > 0 ? Number(one('serveralivecountmax') ?? 3) : defaultKeepalive.countMax,
    family: one('addressfamily') === 'inet' ? 4 : one('addressfamily') === 'inet6' ? 6 : 0,
    bindAddress: one('bindaddress'),
    algorithms: {
      kex: list(one('kexalgorithms')),
      cipher: list(one('ciphers')),
      hmac: list(one('macs')),
      serverHostKey: list(one('hostkeyalgorithms')),
    },
  };
}

/** What changes whom we trust, or how the host is reached at all, and cannot be done with ssh2. */
function refuse(node: string, keywords: Keywords): void {
  const asks = (name: string, ...idle: string[]): boolean => {
    const value = keywords.get(name)?.[0];
    return value !== undefined && !['none', 'no', 'false', ...idle].includes(value);
  };
  const refused = [
    ['revokedhostkeys', 'RevokedHostKeys'],
    ['knownhostscommand', 'KnownHostsCommand'],
    ['proxyusefdpass', 'ProxyUseFdpass'],
    ['bindinterface', 'BindInterface'],
  ] as const;
  const found = refused.find(([name]) => asks(name));
  if (found !== undefined) throw unsupported(node, `ssh_config asks for ${found[1]}`);
  const wanted = keywords.get('preferredauthentications')?.[0];
  if (wanted !== undefined && allowedMethods(keywords).length === 0) {
    throw unsupported(node, `ssh_config permits only these ways to log in: ${wanted}`);
  }
}

export function unsupported(node: string, what: string): NshError {
  const advice = `which nsh's own ssh cannot do. Give the node "transport: openssh" in the cluster file, and the ssh program is used`;
  return new NshError('unsupported', `${node}: ${what}, ${advice}`);
}

function allowedMethods(keywords: Keywords): AuthMethod[] {
  const off = (name: string): boolean => ['no', 'false'].includes(keywords.get(name)?.[0] ?? 'yes');
  const allowed = authMethods.filter((method) => {
    if (method === 'publickey') return !off('pubkeyauthentication');
    return method === 'password' ? !off('passwordauthentication') : !off('kbdinteractiveauthentication');
  });
  const preferred = list(keywords.get('preferredauthentications')?.[0]);
  if (preferred === undefined) return allowed;
  return preferred.flatMap((name) => allowed.filter((method) => method === name));
}

function strictness(value: string): StrictHostKeyChecking {
  if (value === 'true' || value === 'yes') return 'yes';
  if (value === 'false' || value === 'no' || value === 'off') return 'no';
  return value === 'accept-new' ? 'accept-new' : 'ask';
}

/** `$NAME` and `${NAME}` stand for the variable's value (ssh_config(5), IdentityAgent). */
function agentPath(value: string, path: (value: string) => string, person: Person): string | undefined {
  const variable = /^\$(?:(\w+)|\{(\w+)\})$/.exec(value);
  return variable === null ? path(unquote(value)) : person.env[variable[1] ?? variable[2] ?? ''];
}

function noneIsAbsent(value: string | undefined): string | undefined {
  return value === undefined || value === 'none' || value === '' ? undefined : value;
}

/** A list that only adds to or takes from the defaults (`+ssh-rsa`) restricts nothing; `ssh -G` prints the outcome instead. */
function list(value: string | undefined): string[] | undefined {
  return value === undefined || /^[+^-]/.test(value) ? undefined : value.split(',').map((word) => word.trim());
}

/** ssh's time formats: `30`, `2m`, `1h30m`. */
function seconds(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
  let total = 0;
  for (const [, amount, unit] of value.toLowerCase().matchAll(/(\d+)([smhdw]?)/g)) {
    total += Number(amount) * (units[unit === '' || unit === undefined ? 's' : unit] ?? 1);
  }
  return total > 0 ? total * 1000 : undefined;
}

function splitWords(value: string): string[] {
  return (value.match(/"[^"]*"|\S+/g) ?? []).map(unquote);
}

function unquote(value: string): string {
  return value.startsWith('"') && value.endsWith('"') && value.length > 1 ? value.slice(1, -1) : value;
}
