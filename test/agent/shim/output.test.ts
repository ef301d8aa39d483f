import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SpawnParams } from '../../../src/protocol/shim-control.ts';
import { isAlive, ShimUnderTest } from './shim-under-test.ts';
import { StreamClient, type ClientSetup } from './stream-client.ts';
import { waitUntil } from './wait-until.ts';

let shim: ShimUnderTest;
beforeAll(async () => {
  shim = await ShimUnderTest.start();
});
afterAll(async () => {
  await shim.stop();
});

let runs = 0;

async function start(argv: string[], more: Partial<SpawnParams> = {}, setup: ClientSetup = {}): Promise<StreamClient> {
  const client = `output-${++runs}-${process.pid}`;
  const started = await shim.spawn(argv, { foreground: client, ...more });
  return await StreamClient.open(shim.socket, started, { role: 'foreground', client, ...setup });
}

describe.each(['pipes', 'pty'] as const)('of a process with %s', (io) => {
  test('no byte of 20 KB at exit is lost in three hundred runs, eight at once', async () => {
    const wanted = Array.from({ length: 4000 }, (_, index) => `line ${index}`)
      .join('\n')
      .slice(0, 20_000);
    const file = join(shim.directory, 'wanted');
    writeFileSync(file, wanted);
    const words = ['cat', file];
    let next = 0;
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        while (next++ < 300) {
          const stream = await start(words, { io });
          expect(await stream.ended()).toMatchObject({ code: 0 });
          expect(stream.text().replaceAll('\r\n', '\n')).toBe(wanted);
          stream.drop();
        }
      }),
    );
  }, 180_000);

  test('a reader that takes its time gets every byte, and the process waits for it', async () => {
    const stream = await start(
      ['sh', '-c', 'head -c 3000000 /dev/zero | tr "\\0" x; echo end >&2'],
      { io },
      { acks: false, window: 65_536 },
    );
    await waitUntil(() => (stream.next.get(1) ?? 0) >= 65_536, 'a full window');
    let last = 0;
    let most = 0;
    while (stream.exit === undefined) {
      const now = stream.next.get(1) ?? 0;
      most = Math.max(most, now - last);
      last = now;
      stream.ackNow();
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(most).toBeLessThanOrEqual(65_536);
    const all = stream.text(1).replace('end\r\n', '');
    expect(all.length).toBe(3_000_000);
    expect(/^x*$/.test(all)).toBe(true);
  }, 60_000);

  test('what a grandchild writes before the end comes too', async () => {
    const stream = await start(['sh', '-c', '(printf child; exit 0) & wait; printf parent'], { io });
    await stream.ended();
    expect(stream.text()).toBe('childparent');
  });
});

test('a grandchild that holds the pipes keeps the stream open, as under ssh', async () => {
  const stream = await start(['sh', '-c', '(sleep 0.3; echo late) & echo early; exit 5']);
  expect(await stream.ended()).toMatchObject({ code: 5 });
  expect(stream.text()).toBe('early\nlate\n');
});

test('a grandchild that holds a terminal does not keep the stream open', async () => {
  const holder = 'trap : HUP; echo holder $$; exec sleep 1000';
  const stream = await start(['sh', '-c', `setsid sh -c '${holder}' & sleep 0.3; echo early; exit 5`], { io: 'pty' });
  expect(await stream.ended()).toMatchObject({ code: 5 });
  const holderPid = Number(/holder (\d+)/.exec(stream.text())?.[1]);
  expect(stream.text()).toBe(`holder ${holderPid}\r\nearly\r\n`);
  expect(isAlive(holderPid)).toBe(true);
  process.kill(holderPid, 'SIGKILL');
});

test('a hundred megabytes through a pipe have the right checksum', async () => {
  const size = 100_000_000;
  const hash = createHash('sha256');
  let errors = '';
  const stream = await start(
    ['bash', '-c', `head -c ${size} /dev/urandom | tee >(sha256sum >&2)`],
    {},
    {
      window: 4 * 1024 * 1024,
      keeps: false,
      onData: (number, bytes) => {
        if (number === 1) hash.update(bytes);
        else errors += bytes.toString('latin1');
      },
    },
  );
  await stream.ended();
  expect(stream.next.get(1)).toBe(size);
  expect(errors.slice(0, 64)).toBe(hash.digest('hex'));
}, 120_000);

test('stdout and stderr stay apart, byte for byte', async () => {
  const script = 'i=0; while [ $i -lt 500 ]; do printf "\\001\\377$i"; printf "\\000\\376$i" >&2; i=$((i+1)); done';
  const stream = await start(['sh', '-c', script]);
  await stream.ended();
  const expected = (head: number[]): Buffer =>
    Buffer.concat(
      Array.from({ length: 500 }, (_, index) => Buffer.concat([Buffer.from(head), Buffer.from(String(index))])),
    );
  expect(stream.bytes(1).equals(expected([1, 255]))).toBe(true);
  expect(stream.bytes(2).equals(expected([0, 254]))).toBe(true);
});

test('a hundred megabytes of input arrive whole', async () => {
  const stream = await start(['sha256sum']);
  const hash = createHash('sha256');
  const block = Buffer.alloc(64 * 1024);
  let offset = 0;
  for (let index = 0; index < 1600; index++) {
    block.fill(index % 251);
    hash.update(block);
    await waitUntil(() => offset + block.length - stream.inputAcked <= 1024 * 1024, 'credit for input');
    stream.input(offset, Buffer.from(block));
    offset += block.length;
  }
  stream.inputEof(offset);
  await stream.ended();
  expect(stream.text().slice(0, 64)).toBe(hash.digest('hex'));
  expect(stream.inputAcked).toBe(offset);
}, 120_000);

test('input that nobody reads any more ends the input, not the stream', async () => {
  const stream = await start(['sh', '-c', 'exec <&-; echo closed; sleep 0.5; echo done']);
  await waitUntil(() => stream.text().includes('closed'), 'stdin to be closed');
  stream.input(0, Buffer.alloc(200_000, 120));
  await waitUntil(() => stream.eofs.has(0), 'the end of input');
  expect(await stream.ended()).toMatchObject({ code: 0 });
});

test('a terminal that does not read holds its input back, and the shim does not spin', async () => {
  const stream = await start(['sh', '-c', 'stty raw -echo; echo ready; sleep 1; head -c 100000 | sha256sum'], {
    io: 'pty',
  });
  await waitUntil(() => stream.text().includes('ready'), 'raw mode');
  const before = cpuTicks();
  const input = Buffer.from(Array.from({ length: 100_000 }, (_, index) => 33 + (index % 90)));
  stream.input(0, input);
  await stream.ended();
  expect(stream.text()).toContain(createHash('sha256').update(input).digest('hex'));
  // A second of waiting at 100 ticks a second.
  expect(cpuTicks() - before).toBeLessThan(50);
});

function cpuTicks(): number {
  const fields = readFileSync(`/proc/${shim.pid}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

test('a process that lets go of its terminal is not hung up, and may take it again', async () => {
  const script = 'tty=$(tty); echo first; exec <&- >&- 2>&-; sleep 0.4; echo again >$tty; exit 6';
  const stream = await start(['sh', '-c', script], { io: 'pty' });
  expect(await stream.ended()).toMatchObject({ code: 6, signal: null });
  expect(stream.text()).toBe('first\r\nagain\r\n');
});

test('a process that closes its terminal right before it exits keeps its exit status, in a hundred runs', async () => {
  let next = 0;
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      while (next++ < 100) {
        const stream = await start(['sh', '-c', 'echo x; exec <&- >&- 2>&-; exit 9'], { io: 'pty' });
        expect(await stream.ended()).toMatchObject({ code: 9, signal: null });
        expect(stream.text()).toBe('x\r\n');
        stream.drop();
      }
    }),
  );
}, 60_000);
