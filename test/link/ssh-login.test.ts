import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, writeFile, chmod } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startHosts, type Hosts } from '../hosts/start-hosts.ts';
import { connect, failure, person, soon, until } from './support.ts';

const run = promisify(execFile);

/** crypt(3) of `open sesame`. */
const passwordHash =
  '$6$nshtestsalt$AL.7EfYiKCtkuxmPzqLVNA97gAjKslqdEYEXh7x1xImXude5fDNkcol1Lw7Z7vfB9kxavmDyJ1wzykC2/1duP1';

let hosts: Hosts;
let keyDirectory: string;
const keys = { plain: '', encrypted: '', pem: '', ecdsa: '', rsa: '' };

beforeAll(async () => {
  hosts = await startHosts({
    count: 4,
    host: (index) => {
      if (index === 3)
        return {
          passwordHash,
          sshdLines: ['UsePAM yes', 'AuthenticationMethods keyboard-interactive', 'KbdInteractiveAuthentication yes'],
        };
      if (index === 1) return { passwordHash, sshdLines: ['PubkeyAuthentication no'] };
      if (index === 2) return { passwordHash, sshdLines: ['AuthenticationMethods publickey,password'] };
      return {};
    },
  });
  keyDirectory = hosts.directory;
  const keygen = async (name: string, ...options: string[]): Promise<string> => {
    const path = join(keyDirectory, name);
    await run(hosts.openssh.sshKeygen, ['-q', '-f', path, ...options]);
    return path;
  };
  keys.encrypted = await keygen('encrypted', '-t', 'ed25519', '-N', 'hush hush', '-a', '1');
  keys.pem = await keygen('pem', '-t', 'rsa', '-b', '2048', '-N', 'hush hush', '-m', 'PEM');
  keys.ecdsa = await keygen('ecdsa', '-t', 'ecdsa', '-N', '');
  keys.rsa = await keygen('rsa', '-t', 'rsa', '-b', '2048', '-N', '');
  const file = join(hosts.host('n1').facts.directory, 'authorized_keys');
  const publics = await Promise.all(
    Object.values(keys)
      .filter(Boolean)
      .map((path) => readFile(`${path}.pub`, 'utf8')),
  );
  await writeFile(file, [await readFile(file, 'utf8'), ...publics].join(''));
});

afterAll(async () => hosts?.stop());

/** The hosts' configuration with lines of its own before it. */
async function config(name: string, ...lines: string[]): Promise<string> {
  const path = join(hosts.directory, `${name}.conf`);
  await writeFile(path, `${lines.join('\n')}\nInclude ${hosts.sshConfig}\n`);
  return path;
}

test('a key file logs in without a question, and commands run under the login shell', async () => {
  const link = await connect(hosts, 'n1');
  const { stdout, stderr, code } = await link.exec('hostname; echo oops >&2; exit 3', AbortSignal.timeout(5_000));
  expect({ stderr, code }).toEqual({ stderr: 'oops\n', code: 3 });
  expect(stdout).toBe(hosts.isolation === 'none' ? `${hostname()}\n` : 'n1\n');
  expect(link.address).toContain(`@${hosts.host('n1').address}:`);
  link.close();
  expect(await link.closed).toBeUndefined();
});

test.each(['ecdsa', 'rsa'] as const)('an %s key file logs in', async (type) => {
  const sshConfig = join(hosts.directory, `${type}.conf`);
  await writeFile(sshConfig, (await readFile(hosts.sshConfig, 'utf8')).replace(hosts.userKey, keys[type]));
  const link = await connect(hosts, 'n1', { sshConfig });
  expect((await link.exec('echo in', soon())).stdout).toBe('in\n');
  link.close();
});

test('the passphrase of an encrypted key is asked for, again after a wrong one', async () => {
  const sshConfig = await config('encrypted', `IdentityFile ${keys.encrypted}`, 'IdentitiesOnly yes');
  const answers = person('wrong', 'hush hush');
  const link = await connect(hosts, 'n1', { sshConfig, prompt: answers.prompt });
  link.close();
  expect(answers.asked.map(({ kind, text, echo }) => ({ kind, text, echo }))).toEqual(
    [1, 2].map(() => ({ kind: 'passphrase', text: `Enter passphrase for key '${keys.encrypted}': `, echo: false })),
  );
});

test('a key in the old PEM format, whose public half is hidden too, is unlocked as well', async () => {
  const path = join(hosts.directory, 'pem-alone');
  await writeFile(path, await readFile(keys.pem), { mode: 0o600 });
  const sshConfig = join(hosts.directory, 'pem.conf');
  await writeFile(sshConfig, (await readFile(hosts.sshConfig, 'utf8')).replace(hosts.userKey, path));
  const answers = person('hush hush');
  const link = await connect(hosts, 'n1', { sshConfig, prompt: answers.prompt });
  link.close();
  expect(answers.asked).toHaveLength(1);
});

test('many logins at once ask for one passphrase once', async () => {
  const sshConfig = await config('shared', `IdentityFile ${keys.encrypted}`, 'IdentitiesOnly yes');
  const answers = person('hush hush');
  const links = await Promise.all(
    Array.from({ length: 6 }, () => connect(hosts, 'n1', { sshConfig, prompt: answers.prompt })),
  );
  for (const link of links) link.close();
  expect(answers.asked).toHaveLength(1);
});

test('without a terminal an encrypted key is passed over, and the failure says why and what to do', async () => {
  const sshConfig = join(hosts.directory, 'no-terminal.conf');
  await writeFile(sshConfig, (await readFile(hosts.sshConfig, 'utf8')).replace(hosts.userKey, keys.encrypted));
  const error = await failure(connect(hosts, 'n1', { sshConfig }));
  expect(error.code).toBe('authFailed');
  expect(error.message).toMatch(/^n1: login as \S+ failed: the host accepts publickey; .*needs a passphrase.*ssh-add/);
});

test('a person who declines ends the login at once', async () => {
  const sshConfig = await config('declined', `IdentityFile ${keys.encrypted}`, 'IdentitiesOnly yes');
  expect((await failure(connect(hosts, 'n1', { sshConfig, prompt: person().prompt }))).code).toBe('cancelled');
});

test("keys of the caller's ssh-agent log in, of every type", async () => {
  const socket = join(hosts.directory, 'agent.sock');
  const agent = spawn(hosts.openssh.sshAgent, ['-D', '-a', socket], { stdio: 'ignore' });
  try {
    const env = { ...process.env, SSH_AUTH_SOCK: socket };
    await until(() => existsSync(socket), 'the ssh-agent listens');
    for (const key of [keys.ecdsa, keys.rsa]) {
      await run(hosts.openssh.sshAdd, ['-q', key], { env });
      const sshConfig = join(hosts.directory, 'agent.conf');
      const text = await readFile(hosts.sshConfig, 'utf8');
      await writeFile(
        sshConfig,
        text.replace(`IdentityFile ${hosts.userKey}`, 'IdentityFile /nonexistent').replace('IdentitiesOnly yes', ''),
      );
      const link = await connect(hosts, 'n1', { sshConfig, sshAuthSock: socket });
      link.close();
      // IdentitiesOnly: the agent may serve only what the configuration names.
      const named = join(hosts.directory, 'agent-named.conf');
      await writeFile(named, text.replace(`IdentityFile ${hosts.userKey}`, `IdentityFile ${hosts.directory}/other`));
      expect((await failure(connect(hosts, 'n1', { sshConfig: named, sshAuthSock: socket }))).code).toBe('authFailed');
      await run(hosts.openssh.sshAdd, ['-q', '-D'], { env });
    }
  } finally {
    agent.kill();
    await once(agent, 'exit');
  }
});

test('a private key that others may read is refused, as by ssh', async () => {
  const path = join(hosts.directory, 'loose');
  await writeFile(path, await readFile(keys.ecdsa));
  await chmod(path, 0o644);
  const sshConfig = join(hosts.directory, 'loose.conf');
  await writeFile(sshConfig, (await readFile(hosts.sshConfig, 'utf8')).replace(hosts.userKey, path));
  const error = await failure(connect(hosts, 'n1', { sshConfig }));
  expect(error.message).toContain('permissions are too open (0644)');
});

test.skipIf(process.getuid?.() !== 0)('a password is asked for, up to three times', async () => {
  const answers = person('wrong', 'open sesame');
  const link = await connect(hosts, 'n2', { prompt: answers.prompt });
  link.close();
  expect(answers.asked.map(({ kind }) => kind)).toEqual(['password', 'password']);
  expect(answers.asked[0]?.text).toBe(`root@${hosts.host('n2').address}'s password: `);
  const error = await failure(connect(hosts, 'n2', { prompt: person('a', 'b', 'c').prompt }));
  expect(error.code).toBe('authFailed');
  expect((await failure(connect(hosts, 'n2'))).message).toContain('There is no terminal to ask for a password');
});

test.skipIf(process.getuid?.() !== 0)('a host may ask for a key and a password', async () => {
  const answers = person('open sesame');
  const link = await connect(hosts, 'n3', { prompt: answers.prompt });
  link.close();
  expect(answers.asked.map(({ kind }) => kind)).toEqual(['password']);
});

test.skipIf(process.getuid?.() !== 0)(
  'the questions of a host (keyboard-interactive, PAM) are asked, and say who asks',
  async () => {
    const answers = person('wrong', 'open sesame');
    const link = await connect(hosts, 'n4', { prompt: answers.prompt });
    link.close();
    expect(answers.asked.map(({ kind, echo }) => [kind, echo])).toEqual([
      ['keyboard-interactive', false],
      ['keyboard-interactive', false],
    ]);
    expect(answers.asked[0]?.text).toBe(`(root@${hosts.host('n4').address}) Password: `);
  },
);

test('BatchMode asks for nothing', async () => {
  const sshConfig = await config('batch', 'BatchMode yes');
  const answers = person('open sesame');
  await failure(connect(hosts, 'n2', { sshConfig, prompt: answers.prompt }));
  expect(answers.asked).toEqual([]);
});
