import { chmodSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SpawnParams } from '../../../src/protocol/shim-control.ts';
import type { ManagedProcess } from '../../../src/protocol/process.ts';
import { ShimUnderTest } from './shim-under-test.ts';
import { StreamClient } from './stream-client.ts';
import { waitUntil } from './wait-until.ts';

let shim: ShimUnderTest;
let scratch: string;
beforeAll(async () => {
  shim = await ShimUnderTest.start({ openFiles: 999 });
  scratch = mkdtempSync(join(tmpdir(), 'nsh-spawn-'));
});
afterAll(async () => {
  await shim.stop();
  rmSync(scratch, { recursive: true, force: true });
});

let runs = 0;

/** Runs to its end as a foreground client would. */
async function run(
  argv: string[],
  more: Partial<SpawnParams> = {},
): Promise<StreamClient & { process: ManagedProcess }> {
  const client = `runner-${++runs}-${process.pid}`;
  const started = await shim.spawn(argv, { foreground: client, ...more });
  const stream = await StreamClient.open(shim.socket, started, { role: 'foreground', client });
  await stream.ended();
  return Object.assign(stream, { process: started });
}

const bothKinds = ['pipes', 'pty'] as const;

/** A terminal that is in use, so that its master could leak. */
async function withTerminal<T>(action: () => Promise<T>): Promise<T> {
  const other = await shim.spawn(['sleep', '1000'], { io: 'pty' });
  try {
    return await action();
  } finally {
    await shim.call('signal', { process: other, signal: 9, group: false });
    await waitUntil(() => shim.exited.some(({ process: ended }) => ended.pid === other.pid), 'the terminal to end');
  }
}

describe.each(bothKinds)('a process with %s', (io) => {
  test('gets the environment that was asked for, and NSH_GPID, and nothing else', async () => {
    const environment = { PATH: '/usr/bin:/bin', A: 'a b\n"c" $d `e` \'f\' \\', EMPTY: '', ÄÖ: 'ü' };
    const stream = await run(['cat', '/proc/self/environ'], { io, environment });
    const expected = new Map([...Object.entries(environment), ['NSH_GPID', String(30_000_000 + stream.process.pid)]]);
    expect(parseEnvironment(stream.text().replaceAll('\r\n', '\n'))).toEqual(expected);
  });

  test('keeps variables that a shell would change or drop', async () => {
    const environment = {
      PATH: '/usr/bin:/bin',
      'BASH_FUNC_module%%': '() {  echo "it\'s \\\\ $1";\n}',
      'a.b-c': '1',
      "it's \\": 'quoted',
      IFS: ':',
      OPTIND: '7',
      PPID: '1',
      PWD: '/nonsense',
      SHLVL: '9',
      _: 'x',
      LC_ALL: 'xx_YY.UTF-8',
    };
    const stream = await run(['cat', '/proc/self/environ'], { io, environment });
    const found = parseEnvironment(stream.text().replaceAll('\r\n', '\n'));
    expect(found.get('NSH_GPID')).toBe(String(30_000_000 + stream.process.pid));
    found.delete('NSH_GPID');
    expect(Object.fromEntries(found)).toEqual(environment);
    expect(stream.text(2)).toBe('');
  });

  test('has exactly its argv, already when spawn answers', async () => {
    const argv = ['sleep', '1000', '', 'a b', '$x', '*', "it's", '"', '\\', '-n', 'ü', '\x01\x7f\xff'];
    // sleep refuses such words: a script that ignores them is as good.
    const file = join(scratch, 'sleep-on');
    writeFileSync(file, '#!/bin/sh\nsleep 1000\n', { mode: 0o755 });
    argv[0] = file;
    for (let round = 0; round < 10; round++) {
      const started = await shim.spawn(argv, { io });
      const words = readFileSync(`/proc/${started.pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
      await shim.call('signal', { process: started, signal: 9, group: true });
      expect(words).toEqual(['/bin/sh', ...argv]);
    }
  });

  test('has no other descriptors than its own, however many terminals are open', async () => {
    await withTerminal(async () => {
      await withTerminal(async () => {
        const stream = await run(['ls', '/proc/self/fd'], { io });
        // 3 is the directory that ls reads.
        expect(stream.text().trim().split(/\s+/)).toEqual(['0', '1', '2', '3']);
      });
    });
  });

  test('leads a session and a group of its own', async () => {
    const stream = await run(['sh', '-c', 'cut -d " " -f 5,6 /proc/$$/stat'], { io });
    expect(stream.text().trim()).toBe(`${stream.process.pid} ${stream.process.pid}`);
  });

  test('has the umask and the limits that were asked for', async () => {
    const limits = { n: 77, c: 0, f: 2048, u: 5000, l: 32 } as const;
    const stream = await run(['bash', '-c', 'umask; ulimit -n -c -f -u -l; ulimit -H -n'], { io, umask: 0o27, limits });
    const [umask, ...lines] = stream.text().trim().split(/\r?\n/);
    expect(umask).toBe('0027');
    expect(lines.map((line) => line.replace(/.*\s/, ''))).toEqual(['77', '0', '2048', '5000', '32', '77']);
  });

  test('has the soft limit of open files that the shim was told, not the one that Node has raised', async () => {
    const stream = await run(['bash', '-c', 'ulimit -Sn; ulimit -Hn'], { io });
    const [soft, hard] = stream.text().trim().split(/\r?\n/);
    expect(soft).toBe('999');
    expect(Number(hard === 'unlimited' ? Infinity : hard)).toBeGreaterThan(999);
  });

  test('does not start where a limit cannot be set', async () => {
    await expect(shim.spawn(['true'], { io, limits: { Y: 1 } })).rejects.toThrow(/ulimit|limit/i);
  });

  test('runs where it was told to', async () => {
    const stream = await run(['pwd'], { io, cwd: scratch, environment: { PATH: '/usr/bin:/bin' } });
    expect(stream.text().trim()).toBe(scratch);
  });

  test.each([
    ['that does not exist', '/nonsense/x', 'commandNotFound'],
    ['that is a directory', '/etc', 'commandNotExecutable'],
    ['that may not run', '/etc/passwd', 'commandNotExecutable'],
  ])('does not start from a file %s', async (_, file, code) => {
    await expect(shim.spawn([file], { io, file })).rejects.toMatchObject({ code });
  });

  test('does not start from a program whose interpreter is missing, and leaves no record', async () => {
    const file = join(scratch, 'no-interpreter');
    writeFileSync(file, '#!/nonsense/interpreter\n', { mode: 0o755 });
    const before = readdirSync(shim.processes).length;
    await expect(shim.spawn([file], { io })).rejects.toMatchObject({ code: 'commandNotFound' });
    expect(readdirSync(shim.processes).length).toBe(before);
  });

  test('does not start in a directory that is not there', async () => {
    await expect(shim.spawn(['true'], { io, cwd: '/nonsense' })).rejects.toMatchObject({ code: 'badDirectory' });
  });

  test('runs a script without a first line, as execvp does', async () => {
    const file = join(scratch, 'plain-script');
    writeFileSync(file, 'echo from the script $1\n');
    chmodSync(file, 0o755);
    const stream = await run([file, 'x'], { io });
    expect(stream.text().trim()).toBe('from the script x');
  });

  test('ends by the signal that ended it', async () => {
    const stream = await run(['sh', '-c', 'kill -SEGV $$'], { io });
    expect(stream.exit).toMatchObject({ code: null, signal: 'SIGSEGV' });
  });

  test('is ended when its time is up', async () => {
    const stream = await run(['sleep', '1000'], { io, timeoutMs: 100 });
    expect(stream.exit).toMatchObject({ code: null, signal: 'SIGTERM', timedOutMs: 100 });
  });

  test('leaves no descriptor behind in the shim', async () => {
    const count = (): number => readdirSync(`/proc/${shim.pid}/fd`).filter((fd) => !isPooled(fd)).length;
    await run(['true'], { io });
    const before = count();
    for (let round = 0; round < 20; round++) (await run(['echo', 'x'], { io })).drop();
    await expect.poll(count).toBeLessThanOrEqual(before);
  });
});

/** Pipes that are made ahead. */
function isPooled(fd: string): boolean {
  try {
    return readlinkSync(`/proc/${shim.pid}/fd/${fd}`).includes('nsh-pipes-');
  } catch {
    return true;
  }
}

test('pipes can be opened again by name, which sockets cannot', async () => {
  const client = 'opens-again';
  const words = ['sh', '-c', 'echo out >/dev/stdout; echo err >/dev/stderr; exec cat </dev/stdin'];
  const started = await shim.spawn(words, { foreground: client });
  const stream = await StreamClient.open(shim.socket, started, { role: 'foreground', client });
  stream.input(0, 'in\n');
  stream.inputEof(3);
  await stream.ended();
  expect([stream.text(1), stream.text(2)]).toEqual(['out\nin\n', 'err\n']);
});

test('stdin null is /dev/null', async () => {
  const stream = await run(['readlink', '/proc/self/fd/0'], { stdin: 'null' });
  expect(stream.text()).toBe('/dev/null\n');
});

test('a terminal has its size, its name and IUTF8', async () => {
  const stream = await run(['sh', '-c', 'stty size; stty -a; tty'], { io: 'pty', pty: { cols: 101, rows: 33 } });
  expect(stream.text()).toMatch(/^33 101\r\n/);
  expect(stream.text()).toMatch(/\siutf8\s/);
  expect(stream.text()).toMatch(/\/dev\/pts\/\d+\r\n$/);
});

test('five hundred processes with pipes start, eight at once, each with its own output', async () => {
  let next = 0;
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      while (next < 500) {
        const word = `word-${next++}`;
        const stream = await run(['echo', word]);
        expect(stream.text()).toBe(`${word}\n`);
        stream.drop();
      }
    }),
  );
}, 60_000);

function parseEnvironment(text: string): Map<string, string> {
  return new Map(
    text
      .split('\0')
      .filter((entry) => entry !== '')
      .map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)] as const),
  );
}
