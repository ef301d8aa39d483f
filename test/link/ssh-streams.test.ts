import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Link } from '../../src/link/link.ts';
import { startHosts, type Hosts } from '../hosts/start-hosts.ts';
import {
  bridgeCommand,
  connect,
  echo,
  failure,
  readAll,
  serve,
  serveEcho,
  soon,
  until,
  type TestServer,
} from './support.ts';

/**
 * The same expectations for each way that bytes take: n1 forwards sockets, n2 does not, so that each stream there is a bridge of its
 * own; both over ssh2 and over the ssh program.
 */
const ways = [
  ['ssh2, forwarded', 'n1', 'ssh2'],
  ['ssh2, bridged', 'n2', 'ssh2'],
  ['openssh, forwarded', 'n1', 'openssh'],
  ['openssh, bridged', 'n2', 'openssh'],
] as const;

let hosts: Hosts;
let agentCommand: string;
const links: Link[] = [];
const servers: TestServer[] = [];

beforeAll(async () => {
  hosts = await startHosts({ count: 3, host: (index) => ({ allowStreamLocalForwarding: index !== 1 }) });
  agentCommand = await bridgeCommand(hosts.directory);
});
afterEach(async () => {
  for (const link of links.splice(0)) {
    link.close();
    await link.closed;
  }
  for (const server of servers.splice(0)) await server.close();
});
afterAll(async () => hosts?.stop());

async function linkTo(name: string, transport: 'ssh2' | 'openssh'): Promise<Link> {
  const link = await connect(hosts, name, { node: { transport }, agentCommand });
  links.push(link);
  return link;
}

let sockets = 0;
function socketPath(name: string): string {
  sockets += 1;
  return join(hosts.host(name).home, `s${sockets}`);
}

async function listen(name: string, start: (path: string) => Promise<TestServer> = serveEcho): Promise<string> {
  const server = await start(socketPath(name));
  servers.push(server);
  return server.path;
}

test.each(ways)('%s: bytes go both ways, and each direction ends by itself', async (_way, name, transport) => {
  const link = await linkTo(name, transport);
  // The server answers only when it has seen our end of file, and we read after that.
  const path = await listen(name, (at) =>
    serve(at, (socket) => {
      void readAll(socket).then((bytes) => socket.end(`got ${bytes.length}`));
    }),
  );
  const stream = await link.openSocket(path, soon());
  stream.end(randomBytes(100_000));
  expect((await readAll(stream)).toString()).toBe('got 100000');
});

test.each(ways)('%s: the other side may end first and still be written to', async (_way, name, transport) => {
  const link = await linkTo(name, transport);
  const received: Buffer[] = [];
  const path = await listen(name, (at) =>
    serve(at, (socket) => {
      socket.end('bye');
      socket.on('data', (chunk: Buffer) => received.push(chunk));
    }),
  );
  const stream = await link.openSocket(path, soon());
  expect((await readAll(stream)).toString()).toBe('bye');
  if (stream.writable) stream.end('after your end');
  await until(() => Buffer.concat(received).toString() === 'after your end', 'the bytes after the end have come');
});

test.each(ways)('%s: a stream that is closed here closes there promptly', async (_way, name, transport) => {
  const link = await linkTo(name, transport);
  const path = await listen(name);
  const stream = await link.openSocket(path, soon());
  expect(await echo(stream, 'hello')).toBe('hello');
  const server = servers.at(-1);
  expect(server?.connections.size).toBe(1);
  stream.destroy();
  await until(() => server?.connections.size === 0, 'the connection is closed there');
});

test.each(ways)('%s: nobody on the socket is no agent', async (_way, name, transport) => {
  const link = await linkTo(name, transport);
  const path = socketPath(name);
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const error = await failure(link.openSocket(path, soon()));
    expect(error.code).toBe('noAgent');
    expect(error.message).toBe(`${name}: nothing listens on ${path}`);
  }
  // And the link is none the worse for it: a server that comes later is found.
  servers.push(await serveEcho(path));
  expect(await echo(await link.openSocket(path, soon()), 'late')).toBe('late');
});

test.each(ways)(
  '%s: 24 streams at once, more than sshd takes sessions on one connection',
  async (_way, name, transport) => {
    const link = await linkTo(name, transport);
    const path = await listen(name);
    const streams = await Promise.all(Array.from({ length: 24 }, () => link.openSocket(path, soon(25_000))));
    const answers = await Promise.all(streams.map((stream, index) => echo(stream, `stream ${index}`)));
    expect(answers).toEqual(streams.map((_, index) => `stream ${index}`));
    for (const stream of streams) stream.destroy();
  },
  60_000,
);

test.each(ways)(
  '%s: 100 MB arrive unchanged, and the writer waits for the reader',
  async (way, name, transport) => {
    const link = await linkTo(name, transport);
    const megabytes = 100;
    const chunk = randomBytes(1024 * 1024);
    const expected = createHash('sha256');
    for (let index = 0; index < megabytes; index += 1) expected.update(chunk);
    let sent = 0;
    const path = await listen(name, (at) =>
      serve(at, (socket) => {
        void pipeline(async function* () {
          for (; sent < megabytes; sent += 1) yield chunk;
        }, socket).catch(() => undefined);
      }),
    );
    const stream = await link.openSocket(path, soon());
    await until(() => sent > 0, 'the server writes');
    // Not read: what is on its way is bounded by the windows and the buffers of the sockets.
    let before = -1;
    await until(() => {
      const stands = sent === before;
      before = sent;
      return stands && sent > 0;
    }, 'the writer waits');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(sent).toBeLessThan(30);
    const begin = performance.now();
    const actual = createHash('sha256');
    for await (const part of stream) actual.update(part as Buffer);
    process.stdout.write(`${way}: ${Math.round(megabytes / ((performance.now() - begin) / 1000))} MB/s\n`);
    expect(actual.digest('hex')).toBe(expected.digest('hex'));
  },
  60_000,
);

test.each(ways)('%s: the round trip is short and does not stall', async (way, name, transport) => {
  const link = await linkTo(name, transport);
  const stream = await link.openSocket(await listen(name), soon());
  await echo(stream, 'x');
  const times: number[] = [];
  for (let index = 0; index < 400; index += 1) {
    const begin = performance.now();
    await echo(stream, 'x');
    times.push(performance.now() - begin);
  }
  times.sort((a, b) => a - b);
  const median = times[200] ?? 0;
  process.stdout.write(
    `${way}: round trip median ${(median * 1000).toFixed(0)} µs, p99 ${((times[396] ?? 0) * 1000).toFixed(0)} µs\n`,
  );
  // The 40 ms of a delayed ACK would show in the median.
  expect(median).toBeLessThan(20);
});

test.each(['ssh2', 'openssh'] as const)(
  '%s: what a login shell prints before the bridge is passed over',
  async (transport) => {
    await writeFile(
      join(hosts.host('n2').home, '.bashrc'),
      'echo "Welcome!"; echo "no line feed" | tr -d "\\n"; echo\n',
    );
    const link = await linkTo('n2', transport);
    const path = await listen('n2');
    expect(await echo(await link.openSocket(path, soon()), 'hello')).toBe('hello');
    await writeFile(join(hosts.host('n2').home, '.bashrc'), '');
  },
);

test.each(['ssh2', 'openssh'] as const)('%s: a bridge without an agent program says so', async (transport) => {
  const link = await connect(hosts, 'n2', { node: { transport }, agentCommand: 'no-such-program' });
  links.push(link);
  const error = await failure(link.openSocket(await listen('n2'), soon()));
  expect(error.code).toBe('noAgent');
  expect(error.message).toContain('"no-such-program dial"');
});

test.each(['ssh2', 'openssh'] as const)(
  '%s: a lost connection is an error for its streams, never an end of file',
  async (transport) => {
    const link = await linkTo('n3', transport);
    const stream = await link.openSocket(await listen('n3'), soon());
    await echo(stream, 'hello');
    const lost = once(stream, 'error') as Promise<[Error]>;
    const running = link.exec('echo started; sleep 100', soon());
    running.catch(() => undefined);
    await until(
      () =>
        hosts
          .host('n3')
          .processes()
          .some(({ command }) => command === 'sleep 100'),
      'the command runs',
    );
    stream.resume();
    let ended = false;
    stream.on('end', () => {
      ended = true;
    });
    // Only the connection's own process: the host stays up.
    for (const { outerPid, command } of hosts.host('n3').processes()) {
      if (/sshd(-session)?: /.test(command) && !command.includes('[listener]')) process.kill(outerPid, 'SIGKILL');
    }
    if (transport === 'openssh') {
      // A forwarded local socket is closed by ssh, which tells no more; the link itself does.
      lost.catch(() => undefined);
    } else {
      await lost;
    }
    expect(transport === 'ssh2' && ended).toBe(false);
    expect(await link.closed).toMatchObject({ code: 'linkLost' });
    const later = await failure(link.exec('true', soon()));
    expect(later.code).toBe('linkLost');
    expect((await failure(running)).code).toBe('linkLost');
  },
);

test.each(['ssh2', 'openssh'] as const)(
  '%s: a host that stands still is noticed by the keepalive',
  async (transport) => {
    const sshConfig = join(hosts.directory, 'alive.conf');
    await writeFile(sshConfig, `ServerAliveInterval 1\nServerAliveCountMax 2\nInclude ${hosts.sshConfig}\n`);
    const link = await connect(hosts, 'n3', { sshConfig, node: { transport } });
    links.push(link);
    hosts.host('n3').pause();
    try {
      const begin = performance.now();
      expect(await link.closed).toMatchObject({ code: 'linkLost' });
      expect(performance.now() - begin).toBeLessThan(8_000);
    } finally {
      hosts.host('n3').resume();
    }
  },
);
