import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ThisMachine } from './this-machine.ts';
import { waitUntil } from './wait-until.ts';

let machine: ThisMachine;
beforeAll(() => {
  machine = new ThisMachine();
});
afterAll(async () => await machine.stop());

function residentMegabytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]) / 1024;
}

const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false; // ESRCH: it has ended.
  }
}

describe('nsh run with pipes', () => {
  it('keeps stdout and stderr apart and passes the exit status on', async () => {
    const result = await machine.nsh(['run', '--', 'sh', '-c', 'echo out; echo err >&2; exit 3']);
    expect(result).toMatchObject({ stdout: 'out\n', stderr: 'err\n', status: 3 });
  });

  it.each([
    [['sh', '-c', 'kill -TERM $$'], 143],
    [['/nonexistent/program'], 127],
    [['/etc/passwd'], 126],
    [['--timeout', '200ms', 'sleep', '60'], 143],
  ])('ends with the status that POSIX gives: %j', async (args, status) => {
    expect((await machine.nsh(['run', ...args])).status).toBe(status);
  });

  it('passes 100 MB through both ways without a changed byte', async () => {
    const input = randomBytes(100_000_000);
    const result = await machine.nsh(['run', 'cat'], { input });
    expect(result.bytes.length).toBe(input.length);
    expect(digest(result.bytes)).toBe(digest(input));
  });

  it('goes on where it was when the agent of this machine is killed', async () => {
    const input = randomBytes(50_000_000);
    const running = machine.spawn('run', 'cat');
    running.child.stdin.write(input.subarray(0, 10_000_000));
    await running.until(() => running.outBytes > 1_000_000, 'a megabyte');
    process.kill(machine.agentPid(), 'SIGKILL');
    running.child.stdin.end(input.subarray(10_000_000));
    const result = await running.end();
    expect(result.status).toBe(0);
    expect(digest(result.bytes)).toBe(digest(input));
  });

  it('passes signals on and waits for what becomes of them', async () => {
    for (const [name, status] of [
      ['SIGINT', 41],
      ['SIGTERM', 42],
      ['SIGQUIT', 43],
    ] as const) {
      const script =
        'trap "exit 41" INT; trap "exit 42" TERM; trap "exit 43" QUIT; echo ready; while :; do sleep 0.05; done';
      const running = machine.spawn('run', 'sh', '-c', script);
      await running.untilStdout('ready');
      running.kill(name);
      expect((await running.end()).status).toBe(status);
    }
  });

  it('ends what it started where nsh is hung up, and leaves it with --on-disconnect=keep', async () => {
    for (const [args, survives] of [
      [[], false],
      [['--on-disconnect=keep'], true],
    ] as const) {
      const running = machine.spawn('run', ...args, 'sh', '-c', 'echo $$; exec sleep 60');
      await running.untilStdout('\n');
      const pid = Number(running.stdout);
      running.kill('SIGHUP');
      expect((await running.end()).status).toBe(129);
      if (!survives) await waitUntil('the process has ended', () => !isThere(pid));
      expect(isThere(pid)).toBe(survives);
      if (survives) process.kill(pid, 'SIGKILL');
    }
  });

  it('ends as by SIGPIPE where nobody reads its output any more', async () => {
    const running = machine.spawn('run', 'sh', '-c', 'echo $$ >&2; exec yes');
    await running.untilStderr('\n');
    await running.until(() => running.outBytes > 100_000, 'output');
    running.child.stdout.destroy();
    expect((await running.end()).status).toBe(141);
    await waitUntil('yes has ended', () => !isThere(Number(running.stderr)));
  });

  it('waits for a slow reader instead of filling memory', async () => {
    const running = machine.spawn('run', 'sh', '-c', 'echo $$ >&2; exec head -c 200000000 /dev/zero');
    running.child.stdout.pause();
    await running.untilStderr('\n');
    const pid = Number(running.stderr);
    let stuck = 0;
    await waitUntil('the process waits for its reader', () => {
      stuck = /pipe/.test(readFileSync(`/proc/${pid}/wchan`, 'latin1')) ? stuck + 1 : 0;
      return stuck > 20;
    });
    expect(residentMegabytes(running.child.pid ?? 0)).toBeLessThan(120);
    running.child.stdout.resume();
    const result = await running.end();
    expect(result.bytes.length).toBe(200_000_000);
  });

  it('sets directory, variables and name, and gives a cluster PID for -d', async () => {
    const result = await machine.nsh([
      'run',
      '-C',
      '/tmp',
      '-e',
      'A=1 2',
      '-e',
      'HOME',
      'sh',
      '-c',
      'pwd; echo "$A" $HOME',
    ]);
    expect(result.stdout).toBe(`/tmp\n1 2 ${machine.directory}\n`);
    const gpid = await machine.start('--name', 'sleeper', 'sleep', '60');
    const listed = await machine.nsh(['ps', '-a']);
    expect(listed.stdout).toContain(String(gpid));
    await machine.nsh(['kill', '-KILL', String(gpid)]);
    expect((await machine.nsh(['wait', String(gpid)])).status).toBe(137);
  });

  it('has a terminal with -t, whatever its stdin is', async () => {
    const result = await machine.nsh(['run', '-t', 'sh', '-c', 'test -t 0 && test -t 1 && tty']);
    expect(result.stdout).toMatch(/^\/dev\/pts\/\d+\r\n$/);
    const fed = await machine.nsh(['run', '-t', 'cat'], { input: 'typed\n' });
    expect(fed.stdout).toContain('typed\r\n');
    expect(fed.status).toBe(0);
  });

  it('folds with -b, says what is unknown, and explains itself', async () => {
    const folded = await machine.nsh(['run', '-b', 'echo', 'x']);
    expect(folded.stdout).toBe('---------------\nlocalhost\n---------------\nx\n');
    const unknown = await machine.nsh(['run', '-n', 'localhots', 'true']);
    expect(unknown.stderr).toMatch(/unknown node 'localhots'/);
    expect(unknown.status).toBe(2);
    expect((await machine.nsh(['run'])).stderr).toMatch(/no command is given/);
  });
});

describe('nsh logs and wait', () => {
  it('show kept output in its order, its end, and each stream alone', async () => {
    const script = 'for i in 1 2 3; do echo line $i; sleep 0.02; echo e$i >&2; sleep 0.02; done; exit 5';
    const gpid = String(await machine.start('sh', '-c', script));
    expect((await machine.nsh(['wait', gpid])).status).toBe(5);
    const all = await machine.nsh(['logs', gpid]);
    expect(all).toMatchObject({ stdout: 'line 1\nline 2\nline 3\n', stderr: 'e1\ne2\ne3\n', status: 0 });
    expect(await machine.nsh(['logs', '-n', '2', gpid])).toMatchObject({ stdout: 'line 3\n', stderr: 'e3\n' });
    expect(await machine.nsh(['logs', '-n', '1', '--stdout', gpid])).toMatchObject({ stdout: 'line 3\n', stderr: '' });
    expect(await machine.nsh(['logs', '--stderr', gpid])).toMatchObject({ stdout: '', stderr: 'e1\ne2\ne3\n' });
    expect((await machine.nsh(['logs', '--since-offset', '7', gpid])).stdout).toBe('line 2\nline 3\n');
  });

  it('follow with -f until the process ends, also where the agent is killed meanwhile', async () => {
    const slow = String(
      await machine.start('sh', '-c', 'i=0; while [ $i -lt 40 ]; do i=$((i+1)); echo $i; sleep 0.05; done'),
    );
    const following = machine.spawn('logs', '-f', slow);
    await following.untilStdout('5\n');
    process.kill(machine.agentPid(), 'SIGKILL');
    const expected = Array.from({ length: 40 }, (_, index) => `${index + 1}\n`).join('');
    expect((await following.end()).stdout).toBe(expected);
  });

  it('wait for several, give up after --timeout and refuse what nsh does not run', async () => {
    const [a, b] = [await machine.start('sh', '-c', 'exit 2'), await machine.start('sh', '-c', 'exit 7')];
    expect((await machine.nsh(['wait', String(a), String(b)])).status).toBe(7);
    const gpid = String(await machine.start('sleep', '60'));
    expect(await machine.nsh(['wait', '--timeout', '300ms', gpid])).toMatchObject({ status: 124 });
    const foreign = await machine.nsh(['wait', String(process.pid)]);
    expect(foreign.stderr).toMatch(/was not started by nsh/);
    expect(foreign.status).toBe(127);
    const near = await machine.nsh(['logs', `${gpid}0`]);
    expect(near.stderr).toMatch(/no process|no process can have/);
    await machine.nsh(['kill', '-KILL', gpid]);
  });
});
