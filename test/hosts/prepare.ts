/** Files of one test host before it starts: keys, passwd, shadow, sshd_config, home. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { sshdConfig, type SshdOptions } from './config.ts';
import type { Openssh } from './ensure-sshd.ts';
import type { HostFacts } from './host.ts';
import { makeKeyPair } from './keys.ts';
import type { HostStart, Isolation } from './namespaces.ts';

export interface HostPlan {
  readonly facts: Omit<HostFacts, 'pid'>;
  readonly mark: string;
  readonly start: HostStart;
}

export interface Wanted {
  readonly index: number;
  readonly id: number;
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** Parent of the host's own directory. */
  readonly parent: string;
  /** Absent: in the host's own directory. */
  readonly home: string | undefined;
  readonly options: SshdOptions;
  readonly authorizedKey: string;
  /** This machine's /etc/passwd. */
  readonly passwd: string;
  readonly openssh: Openssh;
  readonly isolation: Isolation;
  readonly network: number | undefined;
  /** Finds the host's processes again where it has no namespaces. */
  readonly mark: string;
}

export async function prepareHost(wanted: Wanted): Promise<HostPlan> {
  const { options, openssh, mark } = wanted;
  const directory = join(wanted.parent, wanted.name);
  const home = wanted.home ?? join(directory, 'home');
  await mkdir(directory, { recursive: true });
  await mkdir(home, { recursive: true, mode: 0o700 });
  const hostKey = makeKeyPair(wanted.name);
  const env = wanted.isolation === 'none' ? { ...options.env, NSH_TEST_HOST: mark, HOME: home } : options.env;
  const config = sshdConfig({ ...wanted, ...openssh, directory }, env === undefined ? options : { ...options, env });
  await Promise.all([
    writeFile(join(directory, 'host_key'), hostKey.privateKey, { mode: 0o600 }),
    writeFile(
      join(directory, 'authorized_keys'),
      [wanted.authorizedKey, ...(options.authorizedKeys ?? []), ''].join('\n'),
    ),
    writeFile(join(directory, 'passwd'), passwdWith(wanted.passwd, home)),
    writeFile(join(directory, 'sshd_config'), config),
    // sshd gives a terminal to the group tty, which a user namespace of one user does not have; without the name it leaves it.
    wanted.isolation !== 'user'
      ? undefined
      : writeFile(join(directory, 'group'), (await readFile('/etc/group', 'utf8')).replace(/^tty:.*\n/m, '')),
    options.passwordHash === undefined
      ? undefined
      : writeFile(join(directory, 'shadow'), `${userInfo().username}:${options.passwordHash}:20000:0:99999:7:::\n`),
  ]);
  const { index, id, name, address, port, isolation, network } = wanted;
  const libraries = openssh.libraryPath === undefined ? {} : { LD_LIBRARY_PATH: openssh.libraryPath };
  const command = [openssh.sshd, '-D', '-e', '-f', join(directory, 'sshd_config')];
  return {
    facts: {
      index,
      id,
      name,
      address,
      port,
      isolation,
      network,
      user: userInfo().username,
      home,
      stateHome: join(home, '.local/state'),
      directory,
      hostKey: hostKey.publicKey,
    },
    mark,
    start: { isolation, network, name, directory, command, env: { NSH_TEST_HOST: mark, ...libraries } },
  };
}

/** This machine's users, ours with the host's home, and the user that root's sshd wants for its unprivileged half. */
function passwdWith(passwd: string, home: string): string {
  const { username, uid, gid } = userInfo();
  const others = passwd.split('\n').filter((line) => line !== '' && !line.startsWith(`${username}:`));
  const hasSshd = others.some((line) => line.startsWith('sshd:'));
  const sshd = hasSshd ? [] : ['sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin'];
  return [`${username}:x:${uid}:${gid}:${username}:${home}:/bin/bash`, ...others, ...sshd, ''].join('\n');
}
