/** Real programs in real terminals: the screen that nsh-screen computes is the one that an emulator shows which saw every byte. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeEmulator, type Emulator } from '../../../agent/screen/emulator.ts';
import { encodeResize } from '../../../src/protocol/frames.ts';
import type { ManagedProcess } from '../../../src/protocol/process.ts';
import { buildPrograms } from '../shim/build.ts';
import { ShimUnderTest } from '../shim/shim-under-test.ts';
import { StreamClient } from '../shim/stream-client.ts';
import { waitUntil } from '../shim/wait-until.ts';
import { snapshot, write } from './snapshot.ts';

interface Screen {
  readonly offset: number;
  readonly cols: number;
  readonly rows: number;
  readonly data: string;
  readonly partial: boolean;
}

let shim: ShimUnderTest;
let program: string;
beforeAll(async () => {
  program = join(await buildPrograms(), 'nsh-screen.js');
  shim = await ShimUnderTest.start();
});
afterAll(async () => {
  await shim.stop();
});

function screenOf(directory: string, ...more: string[]): Screen {
  const text = execFileSync(process.execPath, [program, '--dir', directory, '--scrollback', '1000', ...more], {
    maxBuffer: 64 << 20,
  });
  return JSON.parse(text.toString()) as Screen;
}

async function restored({ cols, rows, data }: Screen): Promise<Emulator> {
  const emulator = makeEmulator(cols, rows, 1000);
  await write(emulator, Buffer.from(data, 'base64'));
  return emulator;
}

/** A terminal with an emulator that is fed everything, in chunks as they come. */
class Session {
  readonly started: ManagedProcess;
  readonly stream: StreamClient;
  readonly emulator: Emulator;
  #offset = 0;

  private constructor(started: ManagedProcess, stream: StreamClient, emulator: Emulator) {
    this.started = started;
    this.stream = stream;
    this.emulator = emulator;
  }

  static async start(argv: string[], keepBytes = 8 << 20): Promise<Session> {
    const environment = {
      PATH: '/usr/bin:/bin',
      HOME: '/nonexistent',
      TERM: 'xterm-256color',
      LANG: 'C.UTF-8',
      PS1: '\\w\\$ ',
    };
    const started = await shim.spawn(argv, { io: 'pty', keepBytes, environment, pty: { cols: 90, rows: 28 } });
    const emulator = makeEmulator(90, 28, 1000);
    const stream = await StreamClient.open(shim.socket, started, {
      window: 4 << 20,
      keeps: false,
      // Queued by the emulator, in order.
      onData: (_, bytes) => emulator.write(Buffer.from(bytes)),
    });
    return new Session(started, stream, emulator);
  }

  type(text: string): void {
    this.stream.input(this.#offset, text);
    this.#offset += Buffer.byteLength(text);
  }

  /** Nothing has come for a while. */
  async quiet(): Promise<void> {
    for (let last = -1; last !== this.stream.next.get(1); ) {
      last = this.stream.next.get(1) ?? -1;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    await write(this.emulator, '');
  }

  async shows(text: string): Promise<void> {
    await waitUntil(() => this.text().includes(text), `${text} on the screen`);
    await this.quiet();
  }

  text(): string {
    const { active } = this.emulator.buffer;
    return Array.from({ length: this.emulator.rows }, (_, row) =>
      active.getLine(active.baseY + row)?.translateToString(true),
    ).join('\n');
  }

  get directory(): string {
    return shim.recordDirectory(this.started);
  }

  /** As nsh-screen computes it. */
  async computed(): Promise<unknown> {
    const screen = screenOf(this.directory);
    return { offset: screen.offset, partial: screen.partial, ...snapshot(await restored(screen)) };
  }

  /** As the emulator shows it that saw every byte. */
  seen(): unknown {
    return { offset: this.stream.next.get(1), partial: false, ...snapshot(this.emulator) };
  }

  async end(): Promise<void> {
    await shim.call('signal', { process: this.started, signal: 9, group: true });
    this.stream.drop();
  }
}

describe('the screen of', () => {
  test('bash, with a prompt, history and colours', async () => {
    const session = await Session.start(['bash', '--norc', '--noprofile', '-i']);
    session.type(
      'for i in $(seq 200); do printf "\\e[3$((i % 8))mline %d\\e[0m\\n" $i; done; printf "%s" unfinished\r',
    );
    await session.shows('unfinished');
    session.type('half a comm');
    await session.shows('half a comm');
    expect(await session.computed()).toEqual(session.seen());
    await session.end();
  });

  test.runIf(existsSync('/usr/bin/vim'))(
    'vim, in the alternate screen, with modes, title and a status line',
    async () => {
      const session = await Session.start([
        'vim',
        '-u',
        'NONE',
        '-N',
        // No swap file: another vim's would be asked about.
        '-n',
        '--cmd',
        'set title mouse=a number ruler',
        '/etc/passwd',
      ]);
      await session.shows('root:');
      session.type('5Gdd:split\rGoinserted text ü 漢字');
      await session.shows('inserted text');
      expect(await session.computed()).toEqual(session.seen());
      session.type('\x1b:qa!\r');
      await session.stream.ended();
      await session.quiet();
      expect(await session.computed()).toEqual(session.seen());
    },
  );

  test('less, in the middle of a file', async () => {
    const session = await Session.start(['less', '-S', '/etc/services']);
    await session.shows('tcp');
    session.type(' \x1b[B/udp\r');
    await session.quiet();
    expect(await session.computed()).toEqual(session.seen());
    await session.end();
  });

  test('top, which redraws itself', async () => {
    const session = await Session.start(['top', '-d', '100']);
    await session.shows('PID');
    session.type('z1');
    await session.quiet();
    expect(await session.computed()).toEqual(session.seen());
    await session.end();
  });

  test.runIf(existsSync('/usr/bin/htop'))('htop', async () => {
    const session = await Session.start(['htop', '-d', '100']);
    await session.shows('PID');
    expect(await session.computed()).toEqual(session.seen());
    await session.end();
  });

  test('a terminal that was resized, at every offset where it was', async () => {
    const session = await Session.start(['bash', '--norc', '--noprofile', '-i']);
    session.type('seq 50; printf "%0120d\\n" 7; echo done\r');
    await session.shows('done');
    session.stream.send(encodeResize(60, 20));
    session.emulator.resize(60, 20);
    await session.quiet();
    session.type('echo after the first\r');
    await session.shows('after the first');
    session.stream.send(encodeResize(110, 35));
    session.emulator.resize(110, 35);
    session.type('echo after the second\r');
    await session.shows('after the second');
    expect(await session.computed()).toEqual(session.seen());
    await session.end();
  });
});

describe('a log that was cut', () => {
  test('has its screen computed from a checkpoint', async () => {
    const keepBytes = 512 * 1024;
    const session = await Session.start(
      ['sh', '-c', 'stty -echo; printf "\\033[2;20r\\033[?25l\\033[?2004h"; while read n; do seq $n; done'],
      keepBytes,
    );
    const checkpoint = join(session.directory, 'checkpoint');
    // Slowly enough for a checkpoint to be made in time, as a person's terminal is.
    for (let round = 0; round < 12; round++) {
      session.type('12000\n');
      await waitUntil(() => session.text().includes('12000'), 'a round');
      await session.quiet();
      if (round === 5) await waitUntil(() => existsSync(checkpoint), 'a checkpoint');
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    expect(existsSync(join(session.directory, 'output'))).toBe(false);
    const screen = screenOf(session.directory);
    const now = snapshot(await restored(screen));
    const wanted = snapshot(session.emulator);
    expect({ ...now, history: undefined }).toEqual({ ...wanted, history: undefined });
    await session.end();
  }, 60_000);

  test('says that its screen may be incomplete where there is no checkpoint, and can be read all the same', async () => {
    const session = await Session.start(['sh', '-c', 'seq 5']);
    await session.stream.ended();
    const { directory } = session;
    const output = readFileSync(join(directory, 'output'));
    unlinkSync(join(directory, 'output'));
    writeFileSync(join(directory, 'output.0000000000005'), output.subarray(5));
    const screen = screenOf(directory);
    expect(screen.partial).toBe(true);
    const emulator = await restored(screen);
    expect(emulator.buffer.active.getLine(0)?.translateToString(true)).toBe('3');
    expect(emulator.buffer.active.getLine(2)?.translateToString(true)).toBe('5');
  });

  test('is shown as it was at an earlier offset', async () => {
    const session = await Session.start(['sh', '-c', 'seq 5']);
    await session.stream.ended();
    const screen = screenOf(session.directory, '--offset', '6');
    expect(screen.offset).toBe(6);
    const emulator = await restored(screen);
    expect(emulator.buffer.active.getLine(1)?.translateToString(true)).toBe('2');
    expect(emulator.buffer.active.getLine(2)?.translateToString(true)).toBe('');
  });

  test('is no reason to fail where nothing was kept at all', async () => {
    const session = await Session.start(['sh', '-c', 'seq 5'], 0);
    await session.stream.ended();
    const screen = screenOf(session.directory);
    expect([screen.cols, screen.rows]).toEqual([90, 28]);
    rmSync(join(session.directory, 'sizes'));
    expect(screenOf(session.directory).rows).toBe(28);
  });
});
