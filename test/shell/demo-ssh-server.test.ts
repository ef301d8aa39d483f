/** The demo's SSH server, held against OpenSSH's own client. */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeKeys } from '../../shell/demo/keys.ts';
import { startSshServer, type SshServer } from '../../shell/demo/ssh-server.ts';
import { knownHosts, sshConfig } from '../../shell/demo/workspace.ts';
import { ensureSshd } from '../hosts/ensure-sshd.ts';
import { waitUntil } from './wait-until.ts';

const { username: user } = userInfo();
const openssh = await ensureSshd();
const opensshEnv = {
  ...process.env,
  ...(openssh.libraryPath === undefined ? {} : { LD_LIBRARY_PATH: openssh.libraryPath }),
};
let directory: string;
let server: SshServer;
const megabytes = randomBytes(10 * 1024 * 1024);

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'nsh-test-'));
  const keys = makeKeys();
  const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin', HOME: directory, ONLY: 'this' };
  server = await startSshServer({ user, authorizedKey: keys.public, env, home: directory });
  const nodes = [{ id: 1, name: 'n1', port: server.port, hostKey: server.hostKey }];
  const content = { user, nodes, privateKey: keys.private, agent: [], nsh: [] };
  const file = (name: string, text: string) => writeFileSync(join(directory, name), text, { mode: 0o600 });
  file('ssh_config', sshConfig(directory, content));
  file('known_hosts', knownHosts(nodes));
  file('id_ed25519', keys.private);
  file('stranger', makeKeys().private);
});

afterAll(() => {
  server.close();
  rmSync(directory, { recursive: true });
});

interface Finished {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

async function ssh(args: readonly string[], input: Buffer | string = ''): Promise<Finished> {
  const child = spawn(openssh.ssh, ['-F', join(directory, 'ssh_config'), ...args], { env: opensshEnv });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  child.stdin.on('error', () => {
    // The command ended before it had read everything.
  });
  child.stdin.end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr) };
}

const digest = (data: Buffer): string => createHash('sha256').update(data).digest('hex');

describe('exec', () => {
  it('keeps stdout and stderr apart and passes the exit status on', async () => {
    const { code, stdout, stderr } = await ssh(['n1', 'echo out; echo err >&2; exit 7']);
    expect([code, stdout.toString(), stderr.toString()]).toEqual([7, 'out\n', 'err\n']);
  });

  it('gives the command the environment of a login there and nothing of its own', async () => {
    const { stdout } = await ssh(['n1', 'pwd; env']);
    const lines = stdout.toString().trim().split('\n');
    expect(lines[0]).toBe(directory);
    expect(lines).toContain('ONLY=this');
    expect(lines.filter((line) => /^SSH_CONNECTION=127\.0\.0\.1 \d+ 127\.0\.0\.1 \d+$/.test(line))).toHaveLength(1);
    expect(lines.filter((line) => line.startsWith('VITEST'))).toEqual([]);
  });

  it('passes 10 MiB through a command and back unchanged', async () => {
    const { code, stdout } = await ssh(['n1', 'cat'], megabytes);
    expect([code, digest(stdout)]).toEqual([0, digest(megabytes)]);
  });

  it('passes 10 MiB on stderr unchanged', async () => {
    const { code, stdout, stderr } = await ssh(['n1', 'cat >&2; exit 3'], megabytes);
    expect([code, stdout.length, digest(stderr)]).toEqual([3, 0, digest(megabytes)]);
  });

  it('ends with a command that does not read its input', async () => {
    const { code, stdout } = await ssh(['n1', 'head -c 5'], megabytes);
    expect([code, digest(stdout)]).toEqual([0, digest(megabytes.subarray(0, 5))]);
  });

  it('tells the client where a signal ended the command', async () => {
    const { code, stderr } = await ssh(['-v', 'n1', 'kill -9 $$']);
    expect(code).toBe(255);
    expect(stderr.toString()).toContain('client_input_channel_req: channel 0 rtype exit-signal');
  });
});

describe('logging in', () => {
  it('refuses a key that was not made for the demo', async () => {
    const config = join(directory, 'stranger_config');
    const port = String(server.port);
    writeFileSync(config, '');
    const options = [
      'BatchMode=yes',
      'IdentitiesOnly=yes',
      'IdentityAgent=none',
      `UserKnownHostsFile=${directory}/known_hosts`,
    ];
    const words = [
      '-F',
      config,
      ...options.flatMap((option) => ['-o', option]),
      '-i',
      join(directory, 'stranger'),
      '-p',
      port,
    ];
    const { code, stderr } = await ssh([...words, '127.0.0.1', 'true']);
    expect([code, stderr.toString().trim()]).toEqual([255, expect.stringContaining('Permission denied (publickey)')]);
  });

  it('refuses another user', async () => {
    const { code, stderr } = await ssh(['-l', 'someone-else', 'n1', 'true']);
    expect([code, stderr.toString()]).toEqual([255, expect.stringContaining('Permission denied (publickey)')]);
  });

  it('refuses terminals, shells and TCP forwarding', async () => {
    expect((await ssh(['n1'])).stderr.toString()).toContain('shell request failed');
    expect((await ssh(['-W', '127.0.0.1:1', 'n1'])).stderr.toString()).toContain('open failed');
    expect((await ssh(['-tt', 'n1', 'true'])).stderr.toString()).toContain('PTY allocation request failed');
  });
});

describe('forwarding to a Unix socket', () => {
  let target: Server;
  let received: Buffer[];
  let accepted: Socket | undefined;
  let forward: ReturnType<typeof spawn>;
  const remote = () => join(directory, 'remote.sock');
  const local = () => join(directory, 'local.sock');

  beforeAll(async () => {
    target = createServer({ allowHalfOpen: true }, (socket) => {
      accepted = socket;
      received = [];
      socket.on('error', () => {
        // The client broke off: what the test wants.
      });
    });
    target.listen(remote());
    await once(target, 'listening');
    const deadEnd = join(directory, 'dead-end.sock');
    const forwards = ['-L', `${local()}:${remote()}`, '-L', `${deadEnd}:${join(directory, 'absent.sock')}`];
    const words = ['-N', '-o', 'ExitOnForwardFailure=yes', ...forwards, 'n1'];
    forward = spawn(openssh.ssh, ['-F', join(directory, 'ssh_config'), ...words], { stdio: 'ignore', env: opensshEnv });
    await waitUntil('the forwarded sockets are there', () => existsSync(local()) && existsSync(deadEnd));
  });

  afterAll(async () => {
    forward.kill();
    await once(forward, 'close');
    target.close();
  });

  async function open(): Promise<{ client: Socket; peer: Socket }> {
    accepted = undefined;
    const client = connect({ path: local(), allowHalfOpen: true });
    await once(client, 'connect');
    await waitUntil('the stream arrives', () => accepted !== undefined);
    if (accepted === undefined) throw new Error('no stream arrived');
    return { client, peer: accepted };
  }

  it('passes the end of one direction on and keeps the other open', async () => {
    const { client, peer } = await open();
    peer.on('data', (chunk: Buffer) => received.push(chunk));
    client.end('question');
    await once(peer, 'end');
    peer.end(`answer to ${Buffer.concat(received).toString()}`);
    const [answer] = (await once(client, 'data')) as [Buffer];
    await once(client, 'end');
    expect(answer.toString()).toBe('answer to question');
    await waitUntil('both ends are closed', () => peer.closed);
  });

  it('passes the end of the other direction on first, too', async () => {
    const { client, peer } = await open();
    client.resume();
    peer.end();
    await once(client, 'end');
    peer.on('data', (chunk: Buffer) => received.push(chunk));
    client.end(megabytes);
    await once(peer, 'end');
    expect(digest(Buffer.concat(received))).toBe(digest(megabytes));
  });

  it('loses nothing of 10 MiB that end with a close', async () => {
    const { client, peer } = await open();
    const chunks: Buffer[] = [];
    peer.end(megabytes);
    await new Promise((resolve) => setImmediate(resolve));
    client.on('data', (chunk: Buffer) => chunks.push(chunk));
    client.end();
    await once(client, 'end');
    expect(digest(Buffer.concat(chunks))).toBe(digest(megabytes));
  });

  it('makes the sender wait for a reader that does not read', async () => {
    const { client, peer } = await open();
    client.pause();
    let sent = 0;
    const block = Buffer.alloc(64 * 1024);
    // Far more than all the windows and buffers between the two ends together.
    const limit = 64 * 1024 * 1024;
    while (sent < limit) {
      sent += block.length;
      if (peer.write(block)) continue;
      const drained = once(peer, 'drain').then(() => true);
      const stuck = new Promise<false>((resolve) => void setTimeout(() => resolve(false), 500));
      if (!(await Promise.race([drained, stuck]))) break;
    }
    expect(sent).toBeLessThan(16 * 1024 * 1024);
    client.destroy();
    await waitUntil('the other end is closed', () => peer.destroyed);
  });

  it('closes the socket of a client that breaks off', async () => {
    const { client, peer } = await open();
    peer.resume();
    client.destroy();
    await once(peer, 'end');
    peer.destroy();
    expect(peer.bytesRead).toBe(0);
  });

  it('closes a stream to a socket where nothing listens', async () => {
    const client = connect(join(directory, 'dead-end.sock'));
    client.resume();
    await once(client, 'close');
    expect(client.bytesRead).toBe(0);
  });
});
