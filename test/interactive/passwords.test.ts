/**
 * sudo asks for a password on the terminal that nsh gives it, here and behind a real sshd. The user whose password it is, and what sudo lets that
 * user do, exist in mount namespaces of this test alone.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startCluster, type NshCluster } from '../e2e/nsh-cluster.ts';
import { nshProgram } from '../e2e/nsh-program.ts';
import { NshWindow } from './tmux/nsh-window.ts';
import { Tmux } from './tmux/tmux.ts';

const user = 'nshperson';
const uid = 47_110;
const password = 'right horse';
/** crypt(3) of the password. */
const hash = '$6$nshtests$JyROzv6ZMckj6VEijKTFLJgL9qfCk0gk6AJw/1yM4WbomlsiLm2yx3oqTN98SlDyH5qy9uZ2rwDiSHZFuVCYZ0';
const mayMount = process.getuid?.() === 0;

/** In place of this machine's: nothing that sudo keeps or sends anywhere, and its own terminal for what it runs, as Debian has it. */
const files = {
  passwd: (before: string): string => `${before.trimEnd()}\n${user}:x:${uid}:${uid}::/:/bin/bash\n`,
  shadow: (): string => `root:*:20000:0:99999:7:::\n${user}:${hash}:20000:0:99999:7:::\n`,
  sudoers: (): string =>
    `Defaults lecture=never, !syslog, !mail_badpass, timestamp_timeout=0, use_pty\n${user} ALL=(ALL) ALL\n`,
  // sudo looks for the name of its host.
  hosts: (): string => `127.0.0.1 localhost n1 ${hostname()}\n`,
} as const;

let cluster: NshCluster;
let tmux: Tmux;
/** Gives what is run behind it these files. */
const withFiles = String.raw`for file in passwd shadow sudoers hosts; do mount -n --bind "$0/$file" "/etc/$file" || exit; done; exec "$@"`;

beforeAll(async () => {
  if (!mayMount) return;
  cluster = await startCluster({ count: 1 });
  const host = cluster.host('n1');
  writeFiles(cluster.directory, readFileSync('/etc/passwd', 'utf8'));
  writeFiles(host.home, (await host.exec(['cat', '/etc/passwd'])).stdout);
  const { code, stderr } = await host.exec(['sh', '-c', withFiles, host.home, 'true']);
  if (code !== 0) throw new Error(`a host with files of its own cannot be made: ${stderr}`);
}, 60_000);
afterAll(() => cluster?.stop(), 60_000);
beforeEach(() => {
  tmux = new Tmux();
});
afterEach(() => tmux.close());

function writeFiles(directory: string, passwd: string): void {
  for (const [name, make] of Object.entries(files)) writeFileSync(join(directory, name), make(passwd), { mode: 0o440 });
}

async function open(): Promise<NshWindow> {
  const run = `mount -n -t tmpfs tmpfs /run; ${withFiles}`;
  const command = ['unshare', '--mount', 'sh', '-c', run, cluster.directory, process.execPath, nshProgram];
  const shell = await NshWindow.open(tmux, { env: cluster.env, command, columns: 100 });
  await shell.prompt(1);
  return shell;
}

/** In one process from beginning to end, as when that user had typed it. */
const sudo = `setpriv --reuid ${uid} --regid ${uid} --clear-groups sudo`;
const question = `[sudo] password for ${user}:`;

describe.runIf(mayMount || process.env['CI'] === 'true').each([
  ['here', ''],
  ['behind sshd', '@n1 '],
])('sudo, %s', (_where, at) => {
  it('asks for the password without an echo, refuses a wrong one, takes the right one', async () => {
    const shell = await open();
    await shell.type(`${at}${sudo} sh -c 'id -un; read -r line; echo "got $line"'`);
    await shell.keys('Enter');
    await shell.waitForScreen(({ cursorRow }) => cursorRow === question, 'the question');
    await shell.type('wrong mule');
    await shell.keys('Enter');
    await shell.waitForText('Sorry, try again.');
    await shell.waitForScreen(({ cursorRow }) => cursorRow === question, 'the question again');
    await shell.type(password);
    await shell.keys('Enter');
    await shell.waitForScreen(({ rows }) => rows.includes('root'), 'what it runs as root');
    await shell.type('with an echo');
    await shell.keys('Enter');
    expect(await shell.prompt(2)).toMatchObject({ status: 0 });
    const { rows, text } = await shell.screen();
    expect(rows).toEqual(expect.arrayContaining(['with an echo', 'got with an echo']));
    expect(text).not.toMatch(/mule|horse/);
    expect(await shell.output('stty -a </dev/tty | grep -o " echo "')).toEqual([' echo']);
    const directories = [cluster.directory, cluster.host('n1').home];
    expect(filesWith('got with an echo', directories)).toContain('/processes/');
    expect(filesWith('horse\\|mule', directories)).toBe('');
  });

  it('is left by Ctrl-C where it asks, and the terminal echoes again', async () => {
    const shell = await open();
    await shell.type(`${at}${sudo} true`);
    await shell.keys('Enter');
    await shell.waitForScreen(({ cursorRow }) => cursorRow === question, 'the question');
    await shell.type('right');
    await shell.keys('C-c');
    expect((await shell.prompt(2)).status).not.toBe(0);
    await shell.type('cat');
    await shell.keys('Enter');
    await shell.type('seen');
    await shell.keys('Enter');
    await shell.waitForText('seen\nseen\n');
    await shell.keys('C-d');
    expect(await shell.prompt(3)).toMatchObject({ status: 0 });
    expect((await shell.screen()).text).not.toContain('right');
  });
});

/** Logs of the terminals, history and state among them. */
function filesWith(pattern: string, directories: readonly string[]): string {
  try {
    return execFileSync('grep', ['-rls', '--exclude=shadow', pattern, ...directories], { encoding: 'utf8' });
  } catch {
    return ''; // grep found nothing.
  }
}
