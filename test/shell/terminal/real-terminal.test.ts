import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Screen } from '../../e2e/screen.ts';
import { ThisMachine } from '../this-machine.ts';
import { PtySession, removeTemporaryDirectories } from './pty-session.ts';

let machine: ThisMachine;
const sessions: PtySession[] = [];
beforeAll(() => {
  machine = new ThisMachine();
});
afterEach(async () => {
  for (const session of sessions.splice(0)) await session.stop();
});
afterAll(async () => {
  await machine.stop();
  removeTemporaryDirectories();
});

function open(...args: string[]): PtySession {
  const session = new PtySession();
  sessions.push(session);
  session.start(machine.words(...args), { ...machine.env, TERM: 'xterm-256color' });
  return session;
}

/** The GPID in the message that a detach leaves. */
function detachedFrom(session: PtySession): string {
  return /detached from (\d+)/.exec(session.shown)?.[1] ?? 'nothing';
}

const shell = ['run', '-e', 'PS1=$ ', '-e', 'HISTFILE=/dev/null', '--', 'bash', '--norc', '-i'];

describe('a real process on a real terminal', () => {
  it('is typed to, sees its size, and passes its status on', async () => {
    const session = open(...shell);
    await session.untilShown('$ ');
    session.type('stty size\r');
    await session.untilShown('24 80\r\n');
    session.resize(100, 30);
    session.type('sleep 0.1; stty size\r');
    await session.untilShown('30 100\r\n');
    session.type('exit 6\r');
    const { status, before, after } = await session.ended();
    expect(status).toBe(6);
    expect(after).toBe(before);
  });

  it('is interrupted and stopped by its keys, and nsh is not', async () => {
    const session = open(...shell);
    await session.untilShown('$ ');
    // Only what is there can be stopped.
    session.type(`sh -c 'echo there; exec sleep 100'\r`);
    await session.untilShown('there\r\n');
    session.type('\u001a');
    await session.untilShown('Stopped');
    session.type('fg\r');
    await session.untilShown('fg\r\n');
    session.type('\u0003');
    session.type('echo status $?\r');
    await session.untilShown('status 130');
    session.type('exit 9\r');
    expect((await session.ended()).status).toBe(9);
  });

  it('goes on after a detach and is attached to again, where it was', async () => {
    const first = open(...shell);
    await first.untilShown('$ ');
    first.type('echo mar""ker; x=kept\r');
    await first.untilShown('marker');
    first.type('\u001cd');
    const detached = await first.ended();
    expect(detached.status).toBe(0);
    await first.untilShown(/detached from \d+/);
    expect(detached.after).toBe(detached.before);
    const again = open('attach', detachedFrom(first));
    await again.untilShown('marker');
    again.type('echo $x again\r');
    await again.untilShown('kept again');
    again.type('exit 4\r');
    const ended = await again.ended();
    expect(ended.status).toBe(4);
    expect(ended.after).toBe(ended.before);
    await again.untilShown('exited with status 4');
  });

  it('shows a full-screen program again, and leaves the terminal as it was', async () => {
    const first = open('run', '--', 'vim', '-u', 'NONE', '-i', 'NONE', '-n', '/etc/services');
    await first.untilShown('services');
    first.type('\u001cd');
    await first.ended();
    await first.untilShown('\u001b[?1049l');
    await first.untilShown(/detached from \d+/);
    const again = open('attach', detachedFrom(first));
    await again.untilShown(/\u001b\[\?1049h[^]*services/);
    again.type(':q!\r');
    const { status, before, after } = await again.ended();
    expect(status).toBe(0);
    expect(after).toBe(before);
    await again.untilShown(/\u001b\[\?1049h[^]*\u001b\[\?1049l/);
  });

  it('is not disturbed when the agent is killed', async () => {
    const session = open(...shell);
    await session.untilShown('$ ');
    session.type('for i in $(seq 200); do echo number $i; sleep 0.01; done; echo all do""ne\r');
    await session.untilShown('number 20\r\n');
    process.kill(machine.agentPid(), 'SIGKILL');
    await session.untilShown('all done\r\n');
    const numbers = [...session.shown.matchAll(/number (\d+)\r\n/g)].map((found) => Number(found[1]));
    expect(numbers).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
    session.type('exit\r');
    await session.ended();
  });

  it('can be looked at by several, one of whom only looks', async () => {
    const owner = open(...shell);
    await owner.untilShown('$ ');
    const [row] = JSON.parse((await machine.nsh(['ps', '-a', '--json'])).stdout) as { pid: number }[];
    const gpid = String(row?.pid);
    const guest = open('attach', '--read-only', gpid);
    const other = open('attach', gpid);
    await Promise.all([guest.untilShown('$ '), other.untilShown('$ ')]);
    guest.type('echo not me\r');
    other.type('echo from the ot""her\r');
    await Promise.all([owner, guest, other].map((session) => session.untilShown('from the other')));
    expect(owner.shown).not.toContain('not me');
    owner.type('exit 3\r');
    const ends = await Promise.all([owner, guest, other].map((session) => session.ended()));
    expect(ends.map((end) => end.status)).toEqual([3, 3, 3]);
    for (const end of ends) expect(end.after).toBe(end.before);
  });

  it('gives the terminal back where its shim is killed', async () => {
    const session = open('run', '--', 'sh', '-c', 'printf "\\033[?1049h\\033[?25lfull screen"; sleep 100');
    await session.untilShown('full screen');
    process.kill(machine.shimPid(), 'SIGKILL');
    const { status, before, after } = await session.ended();
    expect({ status, shown: session.shown }).toMatchObject({ status: 255 });
    expect(after).toBe(before);
    await session.untilShown('\u001b[?1049l');
    await session.untilShown('\u001b[?25h');
  });

  it('shows kept output of a terminal, ended, in logs and attach', async () => {
    const gpid = String(await machine.start('-t', 'sh', '-c', 'printf "\\033[31mred\\033[m\\n"; exit 2'));
    expect((await machine.nsh(['wait', gpid])).status).toBe(2);
    expect((await machine.nsh(['logs', gpid])).stdout).toContain('\u001b[31mred\u001b[m\r\n');
    const again = open('attach', gpid);
    expect((await again.ended()).status).toBe(2);
    await vi.waitFor(() => expect(again.shown).toMatch(/red[^]*exited with status 2/), { timeout: 15_000 });
  });

  /** A person's terminal with two lines on it, in which a process that has ended is attached to. */
  async function attachBelow(gpid: string, rows: number): Promise<string[]> {
    const person = new Screen(['bash', '--norc', '--noprofile', '-i'], { ...machine.env, PS1: 'p> ' }, 60, rows);
    try {
      await person.untilText('p>');
      const line = machine.words('attach', gpid).join(' ');
      person.type(`clear; echo MYLINE1; echo MYLINE2; ${line} 2>&1 | cat >/dev/null; echo; ${line}; echo status $?\r`);
      await person.until((shown) => shown.at(-1) === 'p>' || shown.some((row) => row.startsWith('status')), 'the end');
      person.type('printf "<%s>" typed\r');
      await person.untilText('<typed>');
      expect(person.isAlternate).toBe(false);
      return person.rows;
    } finally {
      await person.close();
    }
  }

  it('prints the last screen of an ended process below what is on the terminal', async () => {
    const gpid = String(await machine.start('-t', 'seq', '3'));
    expect((await machine.nsh(['wait', gpid])).status).toBe(0);
    const rows = await attachBelow(gpid, 20);
    expect(rows.slice(0, 8)).toEqual([
      'MYLINE1',
      'MYLINE2',
      '',
      '1',
      '2',
      '3',
      `[${gpid} exited with status 0]`,
      'status 0',
    ]);
  });

  it('prints the last screen of a full-screen program that was killed in it', async () => {
    const gpid = String(await machine.start('-t', 'vim', '-u', 'NONE', '-i', 'NONE', '-n', '/etc/hostname'));
    const logs = async (): Promise<string> => (await machine.nsh(['logs', gpid])).stdout;
    // The cursor shown is the last that vim does when its last row is drawn.
    await vi.waitFor(async () => expect(await logs()).toMatch(/hostname[^]*23;1H~[^]*\u001b\[\?25h/), 15_000);
    await machine.nsh(['kill', '-9', gpid]);
    expect((await machine.nsh(['wait', gpid])).status).toBe(137);
    const rows = await attachBelow(gpid, 40);
    expect(rows.slice(0, 3)).toEqual(['MYLINE1', 'MYLINE2', '']);
    expect(rows.filter((row) => row === '~').length).toBeGreaterThan(15);
    expect(rows.join('\n')).toMatch(/~\n"?.*hostname.*\n\[\d+ was ended by SIGKILL\]\nstatus 137/);
  });

  it('shows a terminal that lives in a pipe from its oldest kept line on, each line once', async () => {
    const script = 'seq 3; read line; seq 4 6';
    const gpid = String(await machine.start('-t', 'sh', '-c', script));
    await vi.waitFor(async () => expect((await machine.nsh(['logs', gpid])).stdout).toContain('3'), {
      timeout: 15_000,
    });
    const live = machine.spawn('attach', gpid);
    await live.untilStdout('3\r\n');
    live.child.stdin.write('\n');
    const { stdout, status } = await live.end();
    expect(stdout).toBe('1\r\n2\r\n3\r\n\r\n4\r\n5\r\n6\r\n');
    expect(status).toBe(0);
    expect((await machine.nsh(['attach', gpid])).stdout).toBe(stdout);
  });

  it('shows only what is new of it with --no-scrollback', async () => {
    const gpid = String(await machine.start('-t', 'sh', '-c', 'seq 3; read line; seq 4 6'));
    await vi.waitFor(async () => expect((await machine.nsh(['logs', gpid])).stdout).toContain('3'), {
      timeout: 15_000,
    });
    const live = machine.spawn('attach', '--no-scrollback', gpid);
    live.child.stdin.write('\n');
    expect((await live.end()).stdout).not.toContain('3');
  });

  it('loses nothing of kept output that is long, from pipes', async () => {
    const gpid = String(await machine.start('sh', '-c', 'seq 500000; exec sleep 1000'));
    const wanted = `${Array.from({ length: 500_000 }, (_, i) => String(i + 1)).join('\n')}\n`;
    await vi.waitFor(
      async () => expect((await machine.nsh(['logs', '-n', '1', gpid])).stdout).toBe('500000\n'),
      15_000,
    );
    const live = machine.spawn('attach', gpid);
    await live.until(() => live.outBytes >= wanted.length, 'all of it');
    live.kill('SIGTERM');
    const { stdout } = await live.end();
    expect(stdout === wanted).toBe(true);
    await machine.nsh(['kill', '-9', gpid]);
  });
});
