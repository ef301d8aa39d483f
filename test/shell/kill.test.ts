import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import { killCommand, parseKillArgs } from '../../shell/commands/kill.ts';
import { NshError } from '../../src/protocol/errors.ts';
import { programVersion } from '../../src/protocol/version.ts';
import { fakeCluster, runCommand, type FakeNode } from './ps/fake-cluster.ts';

/** Signals for real, as an agent does for processes that nsh does not run. */
const kills: FakeNode['kill'] = ({ targets, signal }) => ({
  errors: targets.map(({ pid, group }) => {
    try {
      process.kill(group === true ? -pid : pid, signal);
      return null;
    } catch (error) {
      const isGone = (error as NodeJS.ErrnoException).code === 'ESRCH';
      return isGone
        ? { code: 'noSuchProcess', message: 'No such process' }
        : { code: 'notPermitted', message: 'Operation not permitted' };
    }
  }),
});
const node = (id: number, name: string): FakeNode => ({ id, name, kill: kills });
const down: FakeNode = { id: 4, name: 'db1', failure: new NshError('unreachable', 'connection refused') };
const cluster = () => fakeCluster([node(1, 'web1'), node(2, 'web2'), down]);
const kill = (line: string, on = cluster()) => runCommand(killCommand, line.split(' '), on);

const children: ChildProcess[] = [];
function startSleep(): { pid: number; ended: Promise<string | null> } {
  const child = spawn('/bin/sleep', ['300'], { stdio: 'ignore', detached: true });
  if (child.pid === undefined) throw new Error('cannot start sleep');
  children.push(child);
  return { pid: child.pid, ended: new Promise((resolve) => child.once('exit', (_code, signal) => resolve(signal))) };
}
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

describe('kill', () => {
  it('signals processes of several nodes, one call for each node', async () => {
    const [a, b, c] = [startSleep(), startSleep(), startSleep()];
    const on = cluster();
    const result = await kill(`-USR1 ${10_000_000 + a.pid} 2.${b.pid} web1.${c.pid}`, on);
    expect(result).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(await Promise.all([a.ended, b.ended, c.ended])).toEqual(['SIGUSR1', 'SIGUSR1', 'SIGUSR1']);
    expect(on.calls.map(({ node: name }) => name).sort()).toEqual(['web1', 'web2']);
  });

  it('takes a number below 10^7 for a process of this machine, and sends TERM', async () => {
    const child = startSleep();
    const on = cluster();
    expect((await kill(String(child.pid), on)).status).toBe(0);
    expect(await child.ended).toBe('SIGTERM');
    expect(on.calls[0]?.node).toBe('web1');
  });

  it('signals process groups', async () => {
    const child = startSleep();
    const on = cluster();
    expect((await kill(`-s KILL -- -web2.${child.pid}`, on)).status).toBe(0);
    expect(await child.ended).toBe('SIGKILL');
    expect(on.calls[0]?.params).toEqual({ signal: 9, targets: [{ pid: child.pid, group: true }] });
  });

  it('-0 only checks', async () => {
    const child = startSleep();
    expect((await kill(`-0 ${child.pid}`)).status).toBe(0);
    expect(await kill('-0 10999999')).toMatchObject({ status: 1 });
  });

  it('goes on through its list, says what failed, and exits 1', async () => {
    const child = startSleep();
    const result = await kill(`-INT wbe1.5 14194304 db1.7 abc 0 ${child.pid}`);
    expect(await child.ended).toBe('SIGINT');
    expect(result.status).toBe(1);
    expect(result.stderr.split('\n')).toEqual([
      expect.stringMatching(/^nsh kill: .*no node 'wbe1'.*did you mean 'web1'/),
      expect.stringMatching(/^nsh kill: 'abc' is not a process/),
      expect.stringMatching(/^nsh kill: '0': PID 0/),
      'nsh kill: (14194304): No such process',
      'nsh kill: (40000007): db1: connection refused',
      '',
    ]);
  });

  it('passes --force on', async () => {
    const on = fakeCluster([{ id: 1, name: 'web1', kill: () => ({ errors: [null] }) }]);
    await kill('--force 4711', on);
    expect(on.calls[0]?.params).toEqual({ signal: 15, force: true, targets: [{ pid: 4711 }] });
  });

  it('shows nothing of a node unescaped', async () => {
    const on = fakeCluster([
      { id: 1, name: 'web1', kill: () => ({ errors: [{ code: 'recycledPid', message: 'was \x1b[2Jevil' }] }) },
    ]);
    expect((await kill('4711', on)).stderr).toBe('nsh kill: (10004711): was ?[2Jevil\n');
  });
});

describe('kill -l and its like', () => {
  it('tells what it knows, then what it does not know, as bash does', async () => {
    const { status, stdout, stderr } = await kill('-l 9 200 15 FOO');
    expect([status, stdout]).toEqual([1, 'KILL\nTERM\n']);
    expect(stderr).toMatch(/^nsh kill: 200 is neither a signal [^\n]*\nnsh kill: unknown signal 'FOO'[^\n]*\n$/);
    const bash = spawnSync('bash', ['-c', 'kill -l 9 200 15 FOO'], { encoding: 'utf8' });
    expect([bash.status, bash.stdout]).toEqual([status, stdout]);
  });

  it('has --version and -V', async () => {
    for (const word of ['--version', '-V'])
      expect(await kill(word)).toMatchObject({ status: 0, stdout: `nsh ${programVersion}\n`, stderr: '' });
  });

  it('asks for the help with -h and --help', () => {
    for (const word of ['-h', '--help'])
      expect(() => parseKillArgs([word])).toThrow(expect.objectContaining({ data: { help: true } }));
  });
});

describe('the line of kill', () => {
  it.each([
    ['5', 15, ['5']],
    ['-9 5 6', 9, ['5', '6']],
    ['-KILL 5', 9, ['5']],
    ['-SIGKILL 5', 9, ['5']],
    ['-kill 5', 9, ['5']],
    ['-s KILL 5', 9, ['5']],
    ['-s 9 5', 9, ['5']],
    ['-sKILL 5', 9, ['5']],
    ['-stop 5', 19, ['5']],
    ['-n 9 5', 9, ['5']],
    ['--signal=HUP 5', 1, ['5']],
    ['--signal HUP 5', 1, ['5']],
    ['5 -s HUP', 1, ['5']],
    ['-9 -5', 9, ['-5']],
    ['-9 -- -5', 9, ['-5']],
    ['-- -5', 15, ['-5']],
    ['-30004711', 15, ['-30004711']],
    ['-web1.5', 15, ['-web1.5']],
    ['-RTMIN+3 5', 37, ['5']],
    ['-0 5', 0, ['5']],
    ['-TERM -3.5 web1.6', 15, ['-3.5', 'web1.6']],
  ])('kill %s', (line, signal, targets) => {
    expect(parseKillArgs(line.split(' '))).toMatchObject({ signal, targets, listing: undefined });
  });

  it.each([
    ['-FOO 5', /^nsh kill: unknown signal 'FOO'; 'nsh kill -l' lists them\n/],
    ['-KLIL 5', /^nsh kill: unknown signal 'KLIL'; did you mean 'KILL'\?\n/],
    ['--foo 5', /^nsh kill: unrecognized option '--foo'\nTry 'nsh kill --help'/],
    ['-SIG99 5', /unknown signal/],
    ['-s', /requires an argument/],
    ['-s NOPE 5', /unknown signal 'NOPE'/],
    ['-n KILL 5', /not the number/],
    ['-9', /no process to signal/],
    ['-9 -s KILL 5', /a second signal/],
  ])('kill %s is refused with status 1', async (line, message) => {
    const result = await kill(line);
    expect(result.stderr).toMatch(message);
    expect(result.status).toBe(1);
  });

  it.each(['-l', '-L', '-l 9', '-l KILL', '-l SIGHUP', '-l 15'])('kill %s prints what procps prints', async (line) => {
    const theirs = execFileSync('/bin/kill', line.split(' '), { encoding: 'utf8' });
    expect((await kill(line)).stdout).toBe(theirs);
  });

  it('-l names the signal of an exit status', async () => {
    expect((await kill('-l 143')).stdout).toBe('TERM\n');
    expect((await kill('-l 137 2 HUP')).stdout).toBe('KILL\nINT\n1\n');
  });
});
