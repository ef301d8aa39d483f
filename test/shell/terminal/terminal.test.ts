import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { removeTemporaryDirectories } from './pty-session.ts';
import { TerminalSession, type SessionOptions } from './terminal-session.ts';

const sessions: TerminalSession[] = [];
afterEach(async () => {
  for (const session of sessions.splice(0)) await session.stop();
});
afterAll(removeTemporaryDirectories);

async function start(options: Partial<SessionOptions> = {}): Promise<TerminalSession> {
  const session = await TerminalSession.open({ args: ['run', '-n', 'web1', 'vim'], ...options });
  sessions.push(session);
  return session;
}

const modes = '\u001b[?1049h\u001b[?1h\u001b=\u001b[?2004h\u001b[?1000h\u001b[?25l\u001b[1;31m\u001b[3;20r';
const exited = (code: number): { code: number; signal: null; atMs: number } => ({ code, signal: null, atMs: 1 });

/** A session in which a full-screen program has the terminal, all modes on. */
async function inFullScreen(options: Partial<SessionOptions> = {}): Promise<TerminalSession> {
  const session = await start(options);
  await session.untilOpen();
  session.server.append(Buffer.from(`${modes}READY`));
  await session.untilShown('READY');
  return session;
}

/** What bash wrote to files may be read before what came to the terminal. */
async function untilModesOff(session: TerminalSession): Promise<void> {
  for (const undo of ['[?1049l', '[?1l', '[?2004l', '[?1000l', '[?25h', '[r', '>', '[m']) {
    const since = (): string => session.shown.slice(session.shown.lastIndexOf('READY'));
    await vi.waitFor(() => expect(since()).toContain(`\u001b${undo}`), { timeout: 5_000, interval: 10 });
  }
}

describe('a foreground terminal', () => {
  const endings: [string, (session: TerminalSession) => void, number][] = [
    ['the process ends', (session) => endProcess(session, 7), 7],
    ['the person detaches', (session) => session.type('\u001cd'), 0],
    ['nsh gets SIGTERM', (session) => session.signal('SIGTERM'), 143],
    ['nsh gets SIGHUP', (session) => session.signal('SIGHUP'), 129],
    ['nsh gets SIGINT', (session) => session.signal('SIGINT'), 130],
    ['nsh throws', (session) => session.signal('SIGUSR2'), 1],
    ['the far side is gone for good', (session) => session.cut(true), 255],
  ];

  it.each(endings)('is left as it was found when %s', async (_title, end, status) => {
    const session = await inFullScreen();
    end(session);
    const result = await session.ended();
    expect(result.status).toBe(status);
    expect(result.after).toBe(result.before);
    await untilModesOff(session);
  });

  it('is left as it was found by process.exit', async () => {
    const session = await inFullScreen({ env: { MISHAP: 'exit' } });
    session.signal('SIGUSR2');
    const result = await session.ended();
    expect(result.status).toBe(9);
    expect(result.after).toBe(result.before);
    await untilModesOff(session);
  });

  it('says how to come back after a detach', async () => {
    const session = await inFullScreen();
    session.type('\u001cd');
    await session.ended();
    await session.untilShown('[detached from 30004711; nsh attach 30004711]');
    expect(session.server.detaches).toEqual([false]);
  });

  it('tells the shim that the client ends where a signal ends it', async () => {
    const session = await inFullScreen();
    session.signal('SIGTERM');
    await session.ended();
    await vi.waitFor(() => expect(session.server.detaches).toEqual([true]), { timeout: 15_000 });
  });

  it('passes what is typed and what is drawn on untouched', async () => {
    const session = await start();
    await session.untilOpen();
    session.server.append(Buffer.from('<a\nb\r\nc>'));
    await session.untilShown('c>');
    expect(session.shown).toContain('<a\nb\r\nc>');
    session.type('\u0003\u001a\u0011\u0013\u0016\r\n\u00ff');
    await vi.waitFor(
      () => expect(session.server.input).toEqual(Buffer.from('\u0003\u001a\u0011\u0013\u0016\r\n\u00ff')),
      { timeout: 15_000 },
    );
    session.type('\u001c\u001c\u001cx');
    await vi.waitFor(() => expect(session.server.input.toString('latin1')).toMatch(/\u001c\u001cx$/), {
      timeout: 15_000,
    });
  });

  it('keeps what was typed before it was up', async () => {
    const session = await start();
    session.type('early\n');
    await session.untilOpen();
    await vi.waitFor(() => expect(session.server.input.toString()).toBe('early\n'), { timeout: 5_000 });
  });

  it('follows the size of the window', async () => {
    const session = await inFullScreen();
    expect(session.server.opens[0]?.size).toEqual({ cols: 80, rows: 24 });
    session.resize(120, 40);
    await vi.waitFor(() => expect(session.server.resizes).toContain('120x40'), { timeout: 5_000 });
  });

  it('goes on where it was after a lost connection', async () => {
    const session = await inFullScreen();
    session.cut(false);
    session.type('typed meanwhile');
    await session.untilOpen(2);
    session.server.append(Buffer.from('AFTER'));
    await session.untilShown('READYAFTER');
    await vi.waitFor(() => expect(session.server.input.toString()).toBe('typed meanwhile'), { timeout: 15_000 });
  });

  it.each([
    ['the person detaches', (session: TerminalSession) => session.type('\u001cd')],
    ['nsh gets SIGTERM', (session: TerminalSession) => session.signal('SIGTERM')],
  ])('shows no more that the connection is lost when %s meanwhile', async (_title, leave) => {
    const session = await inFullScreen();
    session.fallSilent();
    await session.untilShown('[nsh: connection to web1 lost, connecting again; ctrl-\\ d leaves]');
    leave(session);
    await session.ended();
    await vi.waitFor(() => expect(session.shown).toMatch(/connecting again[^\]]*\][^]*\u001b\[\?1049l/), {
      timeout: 15_000,
    });
    // On the screen that the program had: before that is left.
    expect(session.shown).toMatch(
      /connecting again[^\]]*\][^]*\u001b7\u001b\[24;1H\u001b\[K\u001b8[^]*\u001b\[\?1049l/,
    );
  });

  it('says no more of a lost connection than fits on the last row', async () => {
    const session = await inFullScreen();
    session.resize(30, 24);
    await vi.waitFor(() => expect(session.server.resizes).toContain('30x24'), { timeout: 5_000 });
    session.fallSilent();
    await session.untilShown('\u001b[7m[nsh: connection to web1 lost,\u001b[m');
    session.type('\u001cd');
    await session.ended();
  });

  it('is given back while nsh is stopped, and taken again', async () => {
    const session = await inFullScreen();
    session.signal('SIGTSTP');
    // bash sees the stop, has the terminal in its own mode, and continues the job.
    const stopped = await session.ended();
    expect(stopped.status).toBe(148);
    expect(stopped.after).toBe(stopped.before);
    await vi.waitFor(() => expect(session.server.resizes).toEqual(['80x23', '80x24']), { timeout: 5_000 });
    session.type('\u0003');
    await vi.waitFor(() => expect(session.server.input.toString()).toBe('\u0003'), { timeout: 5_000 });
    session.type('\u001cd');
    const ended = await session.ended('2');
    expect(ended.status).toBe(0);
    expect(ended.after).toBe(ended.before);
    await untilModesOff(session);
  });
});

function endProcess(session: TerminalSession, code: number): void {
  session.server.process.exit = exited(code);
  session.server.pump();
}

const record = {
  pid: 4711,
  start: 1,
  boot: 'boot',
  argv: ['vim'],
  cwd: '/',
  io: 'pty',
  starter: { gpid: 0, user: 'u', host: 'h' },
  startedAtMs: 0,
  onDisconnect: 'keep',
  keepBytes: 1,
  out: { base: 0, end: 0, closed: false },
  clients: 0,
  size: { cols: 80, rows: 24 },
};
const screen = (text: string, offset: number): string =>
  JSON.stringify({ offset, cols: 80, rows: 24, data: Buffer.from(text).toString('base64'), partial: false });

describe('attach', () => {
  it('shows the screen, goes on at its offset, and makes the program draw anew', async () => {
    const session = await start({
      args: ['attach', 'web1.4711'],
      process: { stdout: Buffer.from('0123456789') },
      env: { RECORD: JSON.stringify(record), SCREEN: screen('\u001b[?1049h\u001b[HSCREEN', 6) },
    });
    await session.untilShown('SCREEN6789');
    expect(session.server.opens[0]).toMatchObject({
      role: 'attach',
      from: { stdout: 6 },
      size: { cols: 80, rows: 24 },
    });
    await vi.waitFor(() => expect(session.server.resizes).toEqual(['80x23', '80x24']), { timeout: 15_000 });
    session.type('\u001cd');
    const result = await session.ended();
    expect(result.status).toBe(0);
    expect(result.after).toBe(result.before);
    await session.untilShown('\u001b[?1049l');
    expect(session.server.detaches).toEqual([false]);
  });

  it('only looks with --read-only', async () => {
    const session = await start({
      args: ['attach', '--read-only', '30004711'],
      env: { RECORD: JSON.stringify(record), SCREEN: screen('SCREEN', 0) },
    });
    await session.untilOpen();
    session.type('not for you');
    session.resize(100, 50);
    session.server.append(Buffer.from('more'));
    await session.untilShown('more');
    session.type('\u001cd');
    await session.ended();
    expect(session.server.input.length).toBe(0);
    expect(session.server.resizes).toEqual([]);
    expect(session.server.opens[0]).not.toHaveProperty('size');
  });

  it('shows the last screen of an ended process and how it ended, leaving its modes off', async () => {
    const ended = { ...record, exit: { code: null, signal: 'SIGKILL', atMs: 1 } };
    const session = await start({
      args: ['attach', '3.4711'],
      env: {
        RECORD: JSON.stringify(ended),
        SCREEN: screen('\u001b[2J\u001b[?1049h\u001b[HLAST WORDS\u001b[1;1H\u001b[?25l', 6),
      },
    });
    const result = await session.ended();
    await session.untilShown('was ended by SIGKILL');
    expect(result.status).toBe(137);
    expect(session.shown).toContain('LAST WORDS');
    expect(session.shown).not.toContain('\u001b');
  });

  it('draws the screen anew where it was too far behind', async () => {
    const session = await start({
      args: ['attach', '30004711'],
      process: { stdout: Buffer.from('0123456789') },
      env: { RECORD: JSON.stringify(record), SCREEN: screen('SCREEN', 10) },
    });
    await session.untilOpen();
    session.server.gap(10, 10);
    await vi.waitFor(() => expect(session.shown.split('SCREEN').length).toBe(3), { timeout: 5_000 });
    session.server.append(Buffer.from('live'));
    await session.untilShown('SCREENlive');
  });
});
