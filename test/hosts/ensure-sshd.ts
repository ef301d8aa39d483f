/**
 * Finds OpenSSH's programs for the test hosts: on the PATH, else unpacked from Debian's packages into .cache/ of the checkout.
 * Nothing is installed on the machine and no service is started.
 */
import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { unpackDebian } from './debian-package.ts';

const run = promisify(execFile);
const cache = join(import.meta.dirname, '../../.cache');
const unpacked = join(cache, 'openssh');

/** What the packages leave out on some releases: library → package that holds it. */
const libraryPackages: Readonly<Record<string, string>> = {
  'libwrap.so.0': 'libwrap0',
  'libwtmpdb.so.0': 'libwtmpdb0',
  'libcrypt.so.1': 'libcrypt1',
  'libpam.so.0': 'libpam0g',
  'libkrb5.so.3': 'libkrb5-3',
  'libgssapi_krb5.so.2': 'libgssapi-krb5-2',
  'libsystemd.so.0': 'libsystemd0',
  'libselinux.so.1': 'libselinux1',
  'libaudit.so.1': 'libaudit1',
  'libfido2.so.1': 'libfido2-1',
  'libcbor.so.0.8': 'libcbor0.8',
  'libcbor.so.0.10': 'libcbor0.10',
  'libedit.so.2': 'libedit2',
  'libbsd.so.0': 'libbsd0',
  'libmd.so.0': 'libmd0',
};

export interface Openssh {
  readonly sshd: string;
  readonly ssh: string;
  readonly sshKeygen: string;
  readonly sshAgent: string;
  readonly sshAdd: string;
  readonly sftpServer: string | undefined;
  /** sshd_config lines that an unpacked sshd of OpenSSH 10 needs to find its helpers. */
  readonly sshdConfig: readonly string[];
  /** Set LD_LIBRARY_PATH to this for unpacked programs. */
  readonly libraryPath: string | undefined;
}

/**
 * Brings what is missing, then answers where everything is.
 * @throws Error that names what is missing and what to install, where it can be neither found nor unpacked.
 */
export async function ensureSshd(): Promise<Openssh> {
  const before = findSshd();
  if (before !== undefined) return before;
  const missing = ['sshd', 'ssh', 'ssh-keygen', 'ssh-agent', 'ssh-add'].filter((name) => find(name) === undefined);
  try {
    await unpack(
      missing.includes('sshd') && missing.length === 1 ? ['openssh-server'] : ['openssh-server', 'openssh-client'],
    );
  } catch (error) {
    throw new Error(
      `the test hosts need OpenSSH: ${missing.join(', ')} not found on the PATH, and Debian's packages could not be unpacked ` +
        `(${error instanceof Error ? error.message.trim() : String(error)}). Install openssh-server and openssh-client`,
      { cause: error },
    );
  }
  const after = findSshd();
  if (after === undefined)
    throw new Error(`openssh was unpacked into ${unpacked}, but ${missing.join(', ')} is not there`);
  return after;
}

/** Where OpenSSH's programs are; undefined where one is missing. Downloads nothing. */
export function findSshd(): Openssh | undefined {
  const [sshd, ssh, sshKeygen, sshAgent, sshAdd] = ['sshd', 'ssh', 'ssh-keygen', 'ssh-agent', 'ssh-add'].map(find);
  if (!sshd || !ssh || !sshKeygen || !sshAgent || !sshAdd) return undefined;
  const helpers = ['sshd-session', 'sshd-auth'] as const;
  const keywords = { 'sshd-session': 'SshdSessionPath', 'sshd-auth': 'SshdAuthPath' } as const;
  return {
    sshd,
    ssh,
    sshKeygen,
    sshAgent,
    sshAdd,
    sftpServer: ['/usr/lib/openssh/sftp-server', join(unpacked, 'usr/lib/openssh/sftp-server')].find(existsSync),
    sshdConfig: helpers
      .map((name) => [keywords[name], join(unpacked, 'usr/lib/openssh', name)] as const)
      .filter(([, path]) => sshd.startsWith(unpacked) && existsSync(path))
      .map(([keyword, path]) => `${keyword} ${path}`),
    libraryPath: existsSync(unpacked) ? libraryDirectories().join(':') : undefined,
  };
}

function find(name: string): string | undefined {
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  const candidates = [...directories, join(unpacked, 'usr/sbin'), join(unpacked, 'usr/bin')];
  return candidates.map((directory) => join(directory, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // Not there, or not for us: the next directory is tried.
  }
}

function libraryDirectories(): string[] {
  const triplet = process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
  return [join(unpacked, 'usr/lib', triplet), join(unpacked, 'lib', triplet)];
}

/** Unpacks beside the final place and renames, so that two test runs at once never see half of it. */
async function unpack(packages: readonly string[]): Promise<void> {
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, 'unpack-'));
  try {
    const root = join(work, 'root');
    await mkdir(root);
    await unpackDebian([...packages, 'openssh-sftp-server'], work, root);
    const missing = await missingLibraries(root);
    if (missing.length > 0) await unpackDebian(missing, work, root);
    await rename(root, unpacked).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function missingLibraries(root: string): Promise<string[]> {
  const names = new Set<string>();
  for (const program of ['usr/sbin/sshd', 'usr/lib/openssh/sshd-session', 'usr/bin/ssh']) {
    const path = join(root, program);
    if (!existsSync(path)) continue;
    const { stdout } = await run('ldd', [path]);
    for (const [, name] of stdout.matchAll(/^\s*(\S+) => not found/gm)) {
      const known = name === undefined ? undefined : libraryPackages[name];
      if (known === undefined) throw new Error(`no package known for the library ${name} that ${program} needs`);
      names.add(known);
    }
  }
  return [...names];
}
