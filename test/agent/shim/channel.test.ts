/** The channel beside stdin and stdout: a text in, a report out, by descriptor, for a shell's session. */
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SpawnParams } from '../../../src/protocol/shim-control.ts';
import { openProcessStream } from '../../../src/cluster/process-stream/process-stream.ts';
import { openUnixSocket } from '../../../src/link/unix-socket.ts';
import { ShimUnderTest } from './shim-under-test.ts';
import { StreamClient } from './stream-client.ts';
import { waitUntil } from './wait-until.ts';

let shim: ShimUnderTest;
beforeAll(async () => {
  shim = await ShimUnderTest.start();
});
afterAll(() => shim.stop());

const big = Array.from({ length: 300_000 }, (_, i) => String.fromCharCode(1 + (i % 255))).join('');
/** Gives back what it read, and shows the numbers of its descriptors. */
const echo = 'cat <&3 >&4; echo /proc/$$/fd/*';

let runs = 0;
async function run(argv: string[], more: Partial<SpawnParams>, role: 'foreground' | 'attach' = 'foreground') {
  const client = `channel-${++runs}`;
  const process = await shim.spawn(argv, { foreground: client, stdin: 'null', ...more });
  const chunks: Buffer[] = [];
  const stream = openProcessStream({
    dial: () => openUnixSocket(shim.socket),
    process,
    role,
    client,
    stdout: { write: (bytes, taken) => (chunks.push(Buffer.from(bytes)), taken()) },
  });
  const end = await stream.ended;
  if (end.kind !== 'exit') throw new Error(end.kind);
  return {
    code: end.status.code,
    report: end.report?.toString('latin1'),
    out: Buffer.concat(chunks).toString(),
    process,
  };
}

describe.each(['pipes', 'pty'] as const)('with %s', (io) => {
  test.each([
    ['nothing', ''],
    ['a line', 'x=5\n'],
    ['300,000 bytes of every value', big],
  ])('%s goes in and comes back as the report', async (_what, channel) => {
    const { report, out, code } = await run(['bash', '-c', echo], { io, channel });
    expect(code).toBe(0);
    expect((report ?? '') === channel).toBe(true);
    expect(
      out
        .trim()
        .split(' ')
        .map((path) => path.split('/').at(-1))
        .filter((fd) => Number(fd) < 5)
        .toSorted((a, b) => Number(a) - Number(b)),
    ).toEqual(['0', '1', '2', '3', '4']);
  });

  test('a process without one has neither descriptors nor variables', async () => {
    const { report, out } = await run(['bash', '-c', 'exec 9</; echo /proc/$$/fd/*; env | grep -c CHANNEL'], { io });
    expect(report).toBeUndefined();
    expect(out).not.toMatch(/fd\/4\b/);
    expect(out.trim().endsWith('0')).toBe(true);
  });

  test('neither text nor report is in a file, in an argv or in an environment', async () => {
    const secret = 'hush-hush-7315';
    const { process } = await run(['bash', '-c', `${echo}; tr '\\0' ' ' </proc/$$/environ; cat /proc/$$/cmdline`], {
      io,
      channel: secret,
    });
    const directory = shim.recordDirectory(process);
    for (const name of readdirSync(directory))
      expect(readFileSync(`${directory}/${name}`, 'latin1')).not.toContain(secret);
  });

  test('is cut where it is too long, and a process that reads and says nothing is not held up', async () => {
    const long = await run(['sh', '-c', 'head -c 3000000 /dev/zero >&4 2>/dev/null; echo done'], { io, channel: 'x' });
    expect(long.report?.length).toBe(1_000_000);
    const deaf = await run(['true'], { io, channel: big });
    expect([deaf.code, deaf.report]).toEqual([0, undefined]);
  });

  test('what the process leaves running does not delay it', async () => {
    const { report } = await run(['sh', '-c', 'echo told >&4; sleep 1000 >/dev/null 2>&1 </dev/null & echo $! '], {
      io,
      channel: '',
    });
    expect(report).toBe('told\n');
  });

  test('a command that cannot be run lets go of it', async () => {
    await expect(shim.spawn(['/etc/passwd'], { io, channel: big, file: '/etc/passwd' })).rejects.toMatchObject({
      code: 'commandNotExecutable',
    });
  });
});

describe('what is typed on a terminal and read by nobody', () => {
  /** By the end of a program that reads one line. */
  async function typed(text: string, script = 'stty -echo; echo up; read -r go </dev/tty'): Promise<string> {
    const client = `typing-${++runs}`;
    const process = await shim.spawn(['bash', '-c', script], { foreground: client, io: 'pty', channel: '' });
    let out = '';
    const stream = openProcessStream({
      dial: () => openUnixSocket(shim.socket),
      process,
      role: 'foreground',
      client,
      stdout: { write: (bytes, taken) => ((out += bytes.toString()), taken()) },
    });
    await waitUntil(() => out.includes('up'), 'the program');
    stream.stdin.write(text);
    const end = await stream.ended;
    if (end.kind !== 'exit') throw new Error(end.kind);
    return Buffer.concat([end.unread, stream.untaken]).toString('latin1');
  }

  test.each([
    ['nothing', 'read\n', ''],
    ['lines and half a line', 'read\necho one\necho tw', 'echo one\necho tw'],
    ['the end of input', 'read\ncat\nto cat\n\u0004echo', 'cat\nto cat\n\u0004echo'],
    ['what was edited', 'read\necho twx\u007fo\n', 'echo two\n'],
  ])('%s comes back', async (_what, text, left) => {
    expect(await typed(text)).toBe(left);
  });

  test('what is more than a terminal holds comes back whole, and nothing twice', async () => {
    const lines = Array.from({ length: 1000 }, (_, i) => `line ${i}\n`).join('');
    expect(await typed(`read\n${lines}`)).toBe(lines);
  });

  test('comes back from a terminal that is raw, or that nobody has open any more', async () => {
    expect(await typed('qrest\r', 'stty raw -echo; echo up; head -c 1 >/dev/null')).toBe('rest\r');
    const closes = 'stty -echo; echo up; exec </dev/null >/dev/null 2>&1; sleep 0.2';
    expect(await typed('ls\n', closes)).toBe('ls\n');
  });

  test('is told to nobody but the client that started the process', async () => {
    const client = `typing-${++runs}`;
    const process = await shim.spawn(['sh', '-c', 'echo up; read a </dev/tty'], {
      foreground: client,
      io: 'pty',
      channel: '',
    });
    const [starter, other] = await Promise.all(
      (['foreground', 'attach'] as const).map((role) =>
        StreamClient.open(shim.socket, process, { role, client: role === 'attach' ? 'another-one' : client }),
      ),
    );
    starter?.input(0, 'read\nsecret');
    await waitUntil(() => [starter, other].every((each) => each?.frames.includes('exit')), 'both exit frames');
    expect([starter?.exit, other?.exit]).toEqual([
      expect.objectContaining({ unread: Buffer.from('secret').toString('base64') }),
      expect.not.objectContaining({ unread: expect.anything() }),
    ]);
  });
});

test('descriptors do not stay with the shim', async () => {
  for (let i = 0; i < 150; i++) await run(['true'], { io: i % 2 === 0 ? 'pty' : 'pipes', channel: 'x' });
  // Pipes in store, at most 176, have two each.
  expect(readdirSync(`/proc/${shim.pid}/fd`).length).toBeLessThan(420);
});

test('a report waits for a client that comes late, and is told once more to one that lost its link', async () => {
  const process = await shim.spawn(['sh', '-c', 'echo told >&4'], {
    foreground: 'a-late-client',
    stdin: 'null',
    channel: '',
  });
  await waitUntil(() => shim.exited.some(({ process: ended }) => ended.pid === process.pid), 'the end');
  // The first connection is cut when the exit has been sent: it takes nothing.
  const first = await StreamClient.open(shim.socket, process, {
    role: 'foreground',
    client: 'a-late-client',
    acks: false,
  });
  await waitUntil(() => first.frames.includes('exit'), 'the exit frame');
  first.socket.destroy();
  const stream = openProcessStream({
    dial: () => openUnixSocket(shim.socket),
    process,
    role: 'foreground',
    client: 'a-late-client',
  });
  expect(await stream.ended).toMatchObject({ kind: 'exit', report: Buffer.from('told\n') });
});
