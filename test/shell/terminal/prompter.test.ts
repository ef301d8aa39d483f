import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { LineEditor } from '../../../shell/terminal/line-editor.ts';
import { Progress } from '../../../shell/terminal/progress.ts';
import { PtySession, removeTemporaryDirectories, temporaryDirectory } from './pty-session.ts';

let program: string;
const sessions: PtySession[] = [];
beforeAll(async () => {
  program = join(temporaryDirectory(), 'prompter.mjs');
  const entryPoints = [join(import.meta.dirname, 'prompter-program.ts')];
  await build({ entryPoints, bundle: true, platform: 'node', format: 'esm', outfile: program, logLevel: 'error' });
});
afterEach(async () => {
  for (const session of sessions.splice(0)) await session.stop();
});
afterAll(removeTemporaryDirectories);

function ask(env: Record<string, string>): PtySession {
  const session = new PtySession();
  sessions.push(session);
  session.start([process.execPath, program], env);
  return session;
}

describe('a question on the terminal', () => {
  it('does not show a password, asks the next when the first is answered, and leaves the terminal as it was', async () => {
    const session = ask({ TEXT: 'Password: ' });
    await session.untilShown('Password: ');
    session.type('secrex\u007ft\u00fc\r');
    await session.untilShown('second? ');
    session.type('other\r');
    await session.untilShown('ANSWER "other"');
    // A PTY of node-pty sends text as UTF-8.
    expect(session.shown).toContain('ANSWER "secret\u00c3\u00bc"');
    expect(session.shown.split('ANSWER')[0]).not.toContain('secre');
    const { before, after } = await session.ended();
    expect(after).toBe(before);
  });

  it('shows what is typed where it may, and what a host said without its escape sequences', async () => {
    const session = ask({ ECHO: 'yes', TEXT: 'line one\nkey \u001b[2Jevil\u0007 (yes/no)? ' });
    await session.untilShown('(yes/no)? ');
    expect(session.shown).toContain('line one\r\nkey ?[2Jevil? (yes/no)? ');
    session.type('no\u0015yes\r');
    await session.untilShown('second? ');
    session.type('\r');
    await session.untilShown('ANSWER ""');
    expect(session.shown).toContain('ANSWER "yes"');
  });

  it('is declined with Ctrl-C', async () => {
    const session = ask({ TEXT: 'Password: ' });
    await session.untilShown('Password: ');
    session.type('abc\u0003');
    await session.untilShown('second? ');
    session.type('\u0004');
    await session.untilShown(/DECLINED.*no answer was given[^]*DECLINED/);
    const { before, after } = await session.ended();
    expect(after).toBe(before);
  });

  it('cannot be put where there is no terminal', () => {
    const said = execFileSync('setsid', ['-w', process.execPath, program], { stdio: ['ignore', 'pipe', 'pipe'] });
    expect(said.toString()).toBe('NOBODY\n');
  });
});

describe('the line editor', () => {
  it.each([
    ['abc\r', 'abc'],
    ['abd\u007fc\n', 'abc'],
    ['x\u0015abc\r', 'abc'],
    ['\u007f\u007fabc\r', 'abc'],
    ['a\u0004bc\r', 'abc'],
    ['\u65e5\u672c\u007f\r', '\u65e5'],
  ])('reads %j as %s', (typed, expected) => {
    const editor = new LineEditor(true);
    let done: string | undefined;
    for (const byte of Buffer.from(typed)) done = editor.feed(Buffer.from([byte])).done ?? done;
    expect(done).toBe('entered');
    expect(editor.text).toBe(expected);
  });

  it('erases as many cells as a character took', () => {
    const editor = new LineEditor(true);
    expect(editor.feed(Buffer.from('\u65e5\u007f')).show).toBe('\u65e5\b \b\b \b');
  });
});

describe('the progress line', () => {
  const terminal = (): PassThrough & { isTTY: boolean; columns: number } =>
    Object.assign(new PassThrough(), { isTTY: true, columns: 20 });
  const read = (stream: PassThrough): string => (stream.read() as Buffer | null)?.toString() ?? '';

  it('appears after its time, is cut to the width, and goes before anything else is written', async () => {
    const [stderr, stdout] = [terminal(), terminal()];
    const progress = new Progress({ stderr, stdout }, 5);
    progress.say('connecting to a node with a long name\u001b[2J');
    expect(read(stderr)).toBe('');
    await vi.waitFor(() => expect(stderr.readableLength).toBeGreaterThan(0), { timeout: 15_000 });
    expect(read(stderr)).toBe('\rconnecting to a nod\u001b[K');
    stdout.write('data');
    expect(read(stderr)).toBe('\r\u001b[K');
    expect(read(stdout)).toBe('data');
    stderr.write('more');
    expect(read(stderr)).toBe('more');
  });

  it('never appears where what it waits for comes in time, or where stderr is no terminal', async () => {
    const [stderr, stdout] = [terminal(), terminal()];
    const progress = new Progress({ stderr, stdout }, 5);
    progress.say('connecting');
    progress.clear();
    const pipe = new PassThrough();
    new Progress({ stderr: pipe, stdout }, 0).say('connecting');
    // A timer that was set later has come: the earlier ones would have, too.
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(read(stderr) + read(pipe)).toBe('');
  });
});
