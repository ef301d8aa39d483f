/** Texts of the configuration files of test hosts. Pure. */

export interface SshdOptions {
  /** Default yes, as OpenSSH's. */
  readonly allowStreamLocalForwarding?: boolean;
  /** As sshd_config(5); default: sshd's own 10:30:100. */
  readonly maxStartups?: string;
  /** More lines of sshd_config, before all others: the first value of a keyword counts. */
  readonly sshdLines?: readonly string[];
  /** Variables of every session (SetEnv). */
  readonly env?: Readonly<Record<string, string>>;
  /** More lines of authorized_keys. */
  readonly authorizedKeys?: readonly string[];
  /** crypt(3) hash of the user's password; password login is allowed with one. Needs namespaces as root. */
  readonly passwordHash?: string;
}

export interface SshdFacts {
  readonly address: string;
  readonly port: number;
  readonly directory: string;
  readonly sftpServer: string | undefined;
  /** Lines that this sshd needs to find its own helpers. */
  readonly sshdConfig: readonly string[];
}

export function sshdConfig(facts: SshdFacts, options: SshdOptions): string {
  const env = Object.entries(options.env ?? {}).map(([name, value]) => `"${name}=${value}"`);
  return [
    ...(options.sshdLines ?? []),
    ...facts.sshdConfig,
    `Port ${facts.port}`,
    `ListenAddress ${facts.address}`,
    `HostKey ${facts.directory}/host_key`,
    `AuthorizedKeysFile ${facts.directory}/authorized_keys`,
    'PidFile none',
    'UsePAM no',
    'UseDNS no',
    'StrictModes no',
    'PermitRootLogin yes',
    'PermitUserRC no',
    'PrintMotd no',
    'PrintLastLog no',
    'X11Forwarding no',
    `PasswordAuthentication ${options.passwordHash === undefined ? 'no' : 'yes'}`,
    'KbdInteractiveAuthentication no',
    `AllowStreamLocalForwarding ${options.allowStreamLocalForwarding === false ? 'no' : 'yes'}`,
    ...(options.maxStartups === undefined ? [] : [`MaxStartups ${options.maxStartups}`]),
    ...(env.length === 0 ? [] : [`SetEnv ${env.join(' ')}`]),
    ...(facts.sftpServer === undefined ? [] : [`Subsystem sftp ${facts.sftpServer}`]),
    '',
  ].join('\n');
}

export interface ClientFacts {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
}

export function sshClientConfig(hosts: readonly ClientFacts[], files: { userKey: string; knownHosts: string }): string {
  const blocks = hosts.map(
    ({ name, address, port, user }) => `Host ${name}\n  HostName ${address}\n  Port ${port}\n  User ${user}\n`,
  );
  return [
    ...blocks,
    'Host *',
    `  IdentityFile ${files.userKey}`,
    '  IdentitiesOnly yes',
    `  UserKnownHostsFile ${files.knownHosts}`,
    '  GlobalKnownHostsFile /dev/null',
    '  StrictHostKeyChecking yes',
    '  UpdateHostKeys no',
    '',
  ].join('\n');
}
