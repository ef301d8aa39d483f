/** What a login asks, through the real command: on a terminal, and where there is none. */
import { execFile, type ExecFileException } from 'node:child_process';
import { existsSync } from 'node:fs';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { clusterFileText } from '../hosts/cluster-file.ts';
import { makeKeyPair } from '../hosts/keys.ts';
import { startCluster, type NshCluster } from './nsh-cluster.ts';
import { nshProgram } from './nsh-program.ts';
import { NshTerminal } from './nsh-terminal.ts';
import { startPromptingHost } from './prompting-host.ts';

type Env = Readonly<Record<string, string | undefined>>;

const run = promisify(execFile);
const passphrase = 'hush hush';
let cluster: NshCluster;
let key: string;
let files = 0;

beforeAll(async () => {
  cluster = await startCluster({ count: 2 });
  key = join(cluster.hosts.directory, 'encrypted');
  await run(cluster.hosts.openssh.sshKeygen, ['-q', '-t', 'ed25519', '-N', passphrase, '-a', '1', '-f', key]);
  const publicKey = await readFile(`${key}.pub`, 'utf8');
  for (const { facts } of cluster.hosts.hosts) await appendFile(join(facts.directory, 'authorized_keys'), publicKey);
});
afterEach(({ task }) => cluster.cleanAfter(task));
afterAll(() => cluster.stop());

const terminals: NshTerminal[] = [];
afterEach(async () => {
  await Promise.all(terminals.splice(0).map((terminal) => terminal.close()));
});

function onTerminal(args: readonly string[], env: Env): NshTerminal {
  const terminal = new NshTerminal(args, env);
  terminals.push(terminal);
  return terminal;
}

/** The same hosts as another cluster, which no agent knows yet, with changes to the ssh_config. */
async function anotherCluster(...changes: readonly (readonly [from: string, to: string])[]): Promise<Env> {
  const { hosts } = cluster;
  files += 1;
  let config = await readFile(hosts.sshConfig, 'utf8');
  for (const [from, to] of changes) config = config.replace(from, to);
  const sshConfig = join(hosts.directory, `ssh_config-${files}`);
  await writeFile(sshConfig, config);
  const file = join(hosts.directory, `cluster-${files}.yaml`);
  const facts = hosts.hosts.map((host) => host.facts);
  await writeFile(file, clusterFileText(facts, sshConfig, { cluster: `prompts${files}` }));
  return { ...cluster.env, NSH_CLUSTER: file };
}

/** The hosts want the encrypted key. */
const withEncryptedKey = (): Promise<Env> => anotherCluster([cluster.hosts.userKey, key]);

/** With a known_hosts file of its own, which holds `text` or is not there. */
async function withKnownHosts(text?: string): Promise<{ env: Env; file: string }> {
  const file = join(cluster.hosts.directory, `known-${files + 1}`);
  if (text !== undefined) await writeFile(file, text);
  const asks = ['StrictHostKeyChecking yes', 'StrictHostKeyChecking ask'] as const;
  return { file, env: await anotherCluster([cluster.hosts.knownHosts, file], asks) };
}

interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number;
}

/** In a session of its own, which has no controlling terminal, whoever runs the tests. */
async function offTerminal(args: readonly string[], env: Env): Promise<Ended> {
  const words = ['--wait', process.execPath, nshProgram, ...args];
  return new Promise((resolve, reject) => {
    execFile(
      'setsid',
      words,
      { env: { ...env }, timeout: 30_000 },
      (error: ExecFileException | null, stdout, stderr) => {
        const status = error === null ? 0 : error.code;
        if (typeof status === 'number') resolve({ stdout, stderr, status });
        else reject(error ?? new Error('no status'));
      },
    );
  });
}

async function sayOffTerminal(args: readonly string[], env: Env): Promise<{ said: string; status: number }> {
  const { stdout, stderr, status } = await offTerminal(args, env);
  return { said: stdout + stderr, status };
}

async function sayOnTerminal(args: readonly string[], env: Env): Promise<{ said: string; status: number }> {
  const terminal = onTerminal(args, env);
  const status = await terminal.status();
  return { said: terminal.shown, status };
}

const question = (): string => `Enter passphrase for key '${key}': `;
const times = (text: string, part: string): number => text.split(part).length - 1;

describe('the passphrase of a key', () => {
  test('is asked for again after a wrong one, and is not shown', async () => {
    const terminal = onTerminal(['nodes', 'n1'], await withEncryptedKey());
    await terminal.untilShown(question());
    terminal.type('wrong one\r');
    await terminal.untilShown(/Enter passphrase[^]*Enter passphrase/);
    terminal.type(`${passphrase}\r`);
    expect(await terminal.status()).toBe(0);
    expect(terminal.shown).toMatch(/n1 +(?:\u001b\[\d*m)?up/);
    expect(times(terminal.shown, question())).toBe(2);
    expect(terminal.shown).not.toMatch(/wrong one|hush/);
  });

  test('is asked once for all nodes that want it', async () => {
    const terminal = onTerminal(['nodes'], await withEncryptedKey());
    await terminal.untilShown(question());
    terminal.type(`${passphrase}\r`);
    expect(await terminal.status()).toBe(0);
    expect(terminal.shown).toMatch(/n1 [^]*up[^]*n2 [^]*up/);
    expect(times(terminal.shown, question())).toBe(1);
  });

  test.each([
    ['Ctrl-C', '\u0003'],
    ['Ctrl-D', '\u0004'],
  ])('is declined with %s: the terminal is back, nothing has run, and the next command asks again', async (_, keys) => {
    const env = await withEncryptedKey();
    for (let attempt = 0; attempt < 2; attempt++) {
      const terminal = onTerminal(['run', '-T', '-n', 'n1', '--', 'echo', 'has', 'run'], env);
      await terminal.untilShown(question());
      terminal.type(keys);
      expect(await terminal.status()).toBe(130);
      expect(terminal.shown).toContain('nsh run: n1: no answer was given');
      expect(terminal.shown).not.toContain('has run');
    }
  });

  test('is asked for on the terminal while stdin and stdout are pipes', async () => {
    const env = await withEncryptedKey();
    const script = 'echo data | "$0" "$1" run -T -n n1 -- cat | tr a-z A-Z';
    const terminal = new NshTerminal([], { ...env }, ['bash', '-c', script, process.execPath, nshProgram]);
    terminals.push(terminal);
    await terminal.untilShown(question());
    terminal.type(`${passphrase}\r`);
    await terminal.untilShown('DATA');
    expect(await terminal.status()).toBe(0);
  });

  test('cannot be asked for off a terminal: what to do is said, with 3 for a table and 255 for run', async () => {
    const env = await withEncryptedKey();
    const nodes = await offTerminal(['nodes'], env);
    expect(nodes.status).toBe(3);
    for (const node of ['n1', 'n2']) expect(nodes.stderr).toMatch(new RegExp(`^nsh nodes: ${node}: login as `, 'm'));
    expect(nodes.stderr).toContain(`${key} needs a passphrase, and there is no terminal to ask on`);
    expect(nodes.stderr).toContain('ssh-add');
    const command = await offTerminal(['run', '-T', '-n', 'n1', '--', 'echo', 'has run'], env);
    expect([command.stdout, command.status]).toEqual(['', 255]);
    expect(command.stderr).toContain('no terminal to ask on');
  });
});

describe('a host whose key is not known', () => {
  const echo = ['run', '-T', '-n', 'n1', '--', 'echo', 'has', 'run'];

  test('is asked about; after yes the command runs, and the key is remembered', async () => {
    const { env, file } = await withKnownHosts();
    const { address, port, hostKey } = cluster.host('n1').facts;
    const terminal = onTerminal(echo, env);
    await terminal.untilShown('(yes/no/[fingerprint])? ');
    expect(terminal.shown).toMatch(/The authenticity of host 'n1 .*ED25519 key fingerprint is SHA256:/s);
    terminal.type('perhaps\r');
    await terminal.untilShown("Please type 'yes', 'no' or the fingerprint: ");
    terminal.type('yes\r');
    await terminal.untilShown('has run');
    expect(await terminal.status()).toBe(0);
    expect(await readFile(file, 'utf8')).toBe(`[${address}]:${port} ${hostKey}\n`);
    // A new agent has only the file to know it by.
    expect((await offTerminal(['agent', 'stop'], env)).status).toBe(0);
    expect(await offTerminal(echo, env)).toEqual({ stdout: 'has run\n', stderr: '', status: 0 });
  });

  test('is refused after no, and not remembered', async () => {
    const { env, file } = await withKnownHosts();
    const terminal = onTerminal(echo, env);
    await terminal.untilShown('(yes/no/[fingerprint])? ');
    terminal.type('no\r');
    expect(await terminal.status()).toBe(255);
    expect(terminal.shown).toContain('nsh run: n1: its host key was not accepted');
    expect(terminal.shown).not.toMatch(/has run/);
    expect(existsSync(file)).toBe(false);
  });

  test('is refused off a terminal, with its fingerprint and what to do', async () => {
    const { env, file } = await withKnownHosts();
    const { stdout, stderr, status } = await offTerminal(echo, env);
    expect([stdout, status]).toEqual(['', 255]);
    expect(stderr).toMatch(/^nsh run: n1: .*no terminal to ask on \(ED25519 SHA256:.*Log in once with "ssh -F \S+ n1"/);
    expect(existsSync(file)).toBe(false);
  });
});

test.each(['on a terminal', 'off it'])(
  'a changed host key stops the connection without a question, %s',
  async (where) => {
    const { address, port } = cluster.host('n1').facts;
    const { env, file } = await withKnownHosts(`# first\n[${address}]:${port} ${makeKeyPair().publicKey}\n`);
    const args = ['run', '-T', '-n', 'n1', '--', 'echo', 'has', 'run'];
    const { said, status } = where === 'off it' ? await sayOffTerminal(args, env) : await sayOnTerminal(args, env);
    expect(status).toBe(255);
    expect(said).toContain('nsh run: n1: REMOTE HOST IDENTIFICATION HAS CHANGED');
    expect(said).toContain(`${file}:2`);
    expect(said).toContain('ssh-keygen -f');
    expect(said).not.toMatch(/yes\/no|has run/);
  },
);

test('what nsh waits for is said after a second, on a terminal only, also to who joins in, and erased again', async () => {
  const env = await anotherCluster();
  expect((await offTerminal(['agent', 'start'], env)).status).toBe(0);
  cluster.host('n2').pause();
  try {
    const piped = offTerminal(['nodes', '--no-headers', 'n2'], env);
    const began = performance.now();
    const both = [1, 2].map(() => onTerminal(['nodes', '--no-headers', 'n2'], env));
    for (const terminal of both) {
      await terminal.untilShown(/(?:connecting|logging in) to n2/, 10_000);
      expect(terminal.shownAtMs - began).toBeGreaterThan(1_000);
    }
    cluster.host('n2').resume();
    for (const terminal of both) {
      expect(await terminal.status()).toBe(0);
      expect(terminal.shown).toMatch(/to n2[^]*\r\u001b\[K[^]*n2 .*up/);
    }
    expect(await piped).toMatchObject({ status: 0, stderr: '', stdout: expect.stringMatching(/^ *2 +n2 +up/) });
  } finally {
    cluster.host('n2').resume();
  }
  const warm = onTerminal(['nodes', '--no-headers', 'n2'], env);
  expect(await warm.status()).toBe(0);
  expect(warm.shown).not.toMatch(/connecting|logging|starting/);
});

test('what a host asks, and which ways to log in it names, is escaped on the terminal', async () => {
  const evil = '\u001b]0;owned\u0007\u001b[2J\u009b31m\r\u202e';
  const host = await startPromptingHost({
    title: `title ${evil}`,
    instructions: `instructions ${evil}`,
    prompt: `Code${evil}: `,
    methods: ['keyboard-interactive', `hostbased${evil}`],
  });
  try {
    const { directory } = cluster.hosts;
    const knownHosts = join(directory, 'known-evil');
    await writeFile(knownHosts, `[127.0.0.1]:${host.port} ${host.hostKey}\n`);
    const lines = [
      'Host evil',
      'HostName 127.0.0.1',
      `Port ${host.port}`,
      'User somebody',
      'NumberOfPasswordPrompts 1',
      'IdentityFile none',
      `UserKnownHostsFile ${knownHosts}`,
      '',
    ];
    await writeFile(join(directory, 'evil.conf'), lines.join('\n'));
    const file = join(directory, 'evil.yaml');
    const spec = { cluster: 'evil', sshConfig: join(directory, 'evil.conf'), nodes: [{ id: 1, name: 'evil' }] };
    await writeFile(file, JSON.stringify(spec));
    const terminal = onTerminal(['nodes', 'evil'], { ...cluster.env, NSH_CLUSTER: file, NO_COLOR: '1' });
    await terminal.untilShown(/\(somebody@127\.0\.0\.1\) Code.*: /);
    terminal.type('1234\r');
    expect(await terminal.status()).toBe(3);
    expect(host.answers).toEqual(['1234']);
    expect(terminal.shown).toContain('title');
    expect(terminal.shown).toContain('instructions');
    expect(terminal.shown).toContain('nsh nodes: evil: login as somebody failed');
    expect(terminal.shown).not.toContain('1234');
    const controls = Array.from(Buffer.from(terminal.shown, 'latin1').toString('utf8')).filter((character) =>
      /[\u0000-\u001f\u007f-\u009f\u202e]/.test(character),
    );
    expect(new Set(controls)).toEqual(new Set(['\r', '\n']));
  } finally {
    await host.close();
  }
});
