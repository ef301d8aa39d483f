import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
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
    session.type('sleep 100\r');
    await session.untilShown('sleep 100\r\n');
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
    await vi.waitFor(() => expect(again.shown).toMatch(/red[^]*exited with status 2/));
  });
});
