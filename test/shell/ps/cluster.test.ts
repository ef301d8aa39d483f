import { describe, expect, it } from 'vitest';
import { psCommand } from '../../../shell/commands/ps.ts';
import { sessionKey } from '../../../src/cluster/starter.ts';
import { NshError } from '../../../src/protocol/errors.ts';
import { fakeCluster, runCommand, type FakeNode } from './fake-cluster.ts';
import { managedProcess, tableOf, type RawProcess } from './tables.ts';

const shell = { pid: 500, comm: 'bash', args: ['-bash'], ppid: 1, session: 500, tty: 'pts/0' } satisfies RawProcess;
const elsewhere = { gpid: 10_000_500, user: 'ann', host: 'web1', session: 'another' };
const gateway = { gpid: 0, user: 'ann', host: 'laptop', session: sessionKey() ?? '' };

const web1: FakeNode = {
  id: 1,
  name: 'web1',
  ps: tableOf([
    { pid: 1, comm: 'init', args: ['/sbin/init'], ppid: 0 },
    { pid: 2, comm: 'kthreadd', args: null, ppid: 0 },
    shell,
    { pid: 600, comm: 'nsh', args: ['nsh', 'run'], ppid: 500, start: 300 },
  ]),
};
const web2: FakeNode = {
  id: 2,
  name: 'web2',
  ps: tableOf(
    [
      { pid: 1, comm: 'init', args: ['/sbin/init'], ppid: 0 },
      { pid: 40, comm: 'nsh-shim', args: ['nsh-shim'], ppid: 1 },
      { pid: 50, comm: 'work', args: ['work', 'hard'], ppid: 40, start: 100 },
      { pid: 51, comm: 'child', args: ['child'], ppid: 50, start: 200 },
      { pid: 60, comm: 'other', args: ['other'], ppid: 40, start: 100, state: 'Z' },
    ],
    [
      managedProcess(50, { ...elsewhere, gpid: 10_000_600 }, { name: 'job1' }),
      managedProcess(60, gateway, { io: 'pipes', clients: 2 }),
      managedProcess(70, elsewhere, { argv: ['/usr/bin/done', 'x'], exit: { code: 3, signal: null, atMs: 1 } }),
      managedProcess(71, elsewhere, { argv: ['killed'], exit: { code: null, signal: 'SIGKILL', atMs: 1 } }),
    ],
  ),
};
const down: FakeNode = { id: 3, name: 'db1', failure: new NshError('unreachable', 'connection refused') };
const cluster = fakeCluster([web1, web2]);

const ps = (line: string, on = cluster) => runCommand(psCommand, line.split(' '), on);

describe('cluster PIDs', () => {
  it('shows pid, ppid, pgid, sid as cluster PIDs and lpid as the local one', async () => {
    const { stdout } = await ps('-o pid,node,lpid,ppid,sid,tpgid,comm -p web2.51,1.500');
    expect(stdout).toBe(
      [
        '     PID NODE  LPID     PPID      SID    TPGID COMMAND',
        '10000500 web1   500 10000001 10000500       -1 bash',
        '20000051 web2    51 20000050 20000001       -1 child',
        '',
      ].join('\n'),
    );
  });

  it('makes the starter on another node the parent, and 0 where that was a gateway', async () => {
    const { stdout } = await ps('-o pid=,ppid=,starter=,name=,io=,clients= -p 20000050,20000060');
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.trim().split(/\s+/)),
    ).toEqual([
      ['20000050', '10000600', 'ann@web1', 'job1', 'pty', '0'],
      ['20000060', '0', 'ann@laptop', '-', 'pipes', '2'],
    ]);
  });

  it('shows a managed process by its name, where no format was asked for', async () => {
    expect((await ps('-a')).stdout).toMatch(/^20000050 web2 .* job1\n20000060 web2 .* other$/m);
    expect((await ps('-ao pid,ucmd')).stdout).toMatch(/^20000050 work$/m);
  });

  it('draws one tree across nodes', async () => {
    const { stdout } = await ps('-e --forest -o pid,args');
    expect(stdout).toBe(
      [
        '     PID COMMAND',
        '10000002 [kthreadd]',
        '10000001 /sbin/init',
        '10000500  \\_ -bash',
        '10000600      \\_ nsh run',
        '20000050          \\_ work hard',
        '20000051              \\_ child',
        '20000060 other',
        '20000001 /sbin/init',
        '20000040  \\_ nsh-shim',
        '',
      ].join('\n'),
    );
  });

  it('draws every process once, though parents name each other', async () => {
    const loop = fakeCluster([
      {
        id: 1,
        name: 'a',
        ps: tableOf([
          { pid: 5, ppid: 6, comm: 'x' },
          { pid: 6, ppid: 5, comm: 'y' },
          { pid: 7, ppid: 7, comm: 'z' },
        ]),
      },
    ]);
    const { stdout } = await ps('-e --forest -o comm=', loop);
    expect(stdout.trim()).toBe('z');
  });
});

describe('selection', () => {
  it('without options shows what this session started', async () => {
    const { stdout, status } = await ps('-o pid=');
    expect([stdout.trim(), status]).toEqual(['20000060', 0]);
  });

  it('asks only for managed processes where only those can be shown', async () => {
    const asked = fakeCluster([web1, web2]);
    await ps('-a', asked);
    expect(asked.calls.map(({ params }) => (params as { select: string }).select)).toEqual(['managed', 'managed']);
  });

  it('-a shows what nsh runs, on every node, and --ended what has ended', async () => {
    expect((await ps('-a -o pid=')).stdout.trim().split(/\s+/)).toEqual(['20000050', '20000060']);
    const { stdout } = await ps('-a --ended -o pid,status,args,rss');
    expect(
      stdout
        .split('\n')
        .slice(3, 5)
        .map((line) => line.trim().split(/\s+/)),
    ).toEqual([
      ['20000070', '3', '/usr/bin/done', 'x', '-'],
      ['20000071', 'SIGKILL', 'killed', '-'],
    ]);
  });

  it('asks only the nodes of the PIDs for only those', async () => {
    const asked = fakeCluster([web1, web2]);
    const { stdout } = await ps('-o pid= -p 20000050,2.51', asked);
    expect(stdout.trim().split(/\s+/)).toEqual(['20000050', '20000051']);
    expect(asked.calls.map(({ node, params }) => [node, (params as { pids: number[] }).pids])).toEqual([
      ['web2', [50, 51]],
    ]);
  });

  it('-q keeps the order of its list', async () => {
    expect((await ps('-o pid= -q 20000051,10000500,20000050')).stdout.trim().split(/\s+/)).toEqual([
      '20000051',
      '10000500',
      '20000050',
    ]);
  });

  it('takes a number below 10^7 for a process of this machine', async () => {
    expect((await ps('-o pid= -p 500')).stdout.trim()).toBe('10000500');
  });

  it('searches all nodes for lists, and joins them', async () => {
    expect((await ps('-o pid= -C init -t pts/0')).stdout.trim().split(/\s+/)).toEqual([
      '10000001',
      '10000500',
      '20000001',
    ]);
    expect((await ps('-o pid= --ppid 10000600')).stdout.trim()).toBe('20000050');
    expect((await ps('-o pid= -N -C init,kthreadd')).stdout.trim().split(/\s+/)).toHaveLength(6);
  });

  it('--on chooses nodes', async () => {
    expect((await ps('-e --on web1 -o node=')).stdout.trim().split(/\s+/)).toEqual(Array(4).fill('web1'));
  });

  it('names near matches for an unknown node', async () => {
    const { stderr, status } = await ps('-p wbe1.5');
    expect(stderr).toMatch(/no node 'wbe1'.*web1/s);
    expect(status).toBe(2);
  });
});

describe('nodes that do not answer', () => {
  it('are named, the others are shown, the status is 3', async () => {
    const { stdout, stderr, status } = await ps('-e -o pid=', fakeCluster([web1, down]));
    expect(stdout.trim().split('\n')).toHaveLength(4);
    expect(stderr).toBe('nsh ps: db1: connection refused\n');
    expect(status).toBe(3);
  });

  it('cannot reach the terminal with what they say', async () => {
    const evil: FakeNode = { id: 3, name: 'db1', failure: new NshError('internal', 'db1: \x1b]0;owned\x07') };
    const { stderr } = await ps('-e', fakeCluster([web1, evil]));
    expect(stderr).toBe('nsh ps: db1: ?]0;owned?\n');
  });
});

describe('the table', () => {
  it('sorts by several keys, stably, across nodes', async () => {
    const { stdout } = await ps('-e -o pid= --sort=comm,-pid');
    expect(stdout.trim().split(/\s+/).map(Number)).toEqual([
      10000500, 20000051, 20000001, 10000001, 10000002, 10000600, 20000040, 20000060, 20000050,
    ]);
  });

  it('cuts at the width of the terminal, counting wide characters, and nowhere else', async () => {
    const wide = fakeCluster([
      { id: 1, name: 'a', ps: tableOf([{ pid: 5, comm: 'x', args: ['日本語日本語日本語日本語'] }]) },
    ]);
    const cut = await runCommand(psCommand, ['-e', '-o', 'pid,args'], wide, { terminal: { columns: 20 } });
    expect(cut.stdout).toBe('     PID COMMAND\n10000005 日本語日本\n');
    const whole = await runCommand(psCommand, ['-e', '-o', 'args,pid'], wide);
    expect(whole.stdout.split('\n')[1]).toBe('日本語日本語日本語日本語    10000005');
  });

  it('shows 0 where it may not read how much a process read and wrote, as procps does', async () => {
    const unreadable = fakeCluster([
      { id: 1, name: 'a', ps: tableOf([{ pid: 5, comm: 'x', ioReadBytes: 7 }, { pid: 6 }]) },
    ]);
    const names = ['rbytes', 'rchars', 'rops', 'wbytes', 'wchars', 'wops', 'wcbytes'];
    const { stdout } = await runCommand(psCommand, ['-e', '-o', names.map((name) => `${name}=`).join(',')], unreadable);
    expect(stdout.trim().split(/\s+/)).toEqual(['7', ...Array.from({ length: 13 }, () => '0')]);
    const json = await runCommand(psCommand, ['-e', '--json', '-o', 'rbytes'], unreadable);
    expect(JSON.parse(json.stdout)).toEqual([{ rbytes: 7 }, { rbytes: null }]);
  });

  it('shows no control character, escape sequence or direction override of a title', async () => {
    const title = 'a\x1b[2J\u009b31m\u202egpj\u2066\ud800b\u0000\tc\r\u007f';
    const evil = fakeCluster([
      {
        id: 1,
        name: 'a',
        ps: tableOf([{ pid: 5, comm: title, args: [title], euser: title, tty: title, wchan: title }]),
      },
    ]);
    for (const line of ['-e -o comm,args,user,tty,wchan', '-ef', '-e --json -o comm,args,user,tty']) {
      const { stdout } = await ps(line, evil);
      expect(stdout.replaceAll('\n', '')).toMatch(/^[\x20-\x7e]*$/);
    }
    const [row] = JSON.parse((await ps('-e --json -o args', evil)).stdout) as { args: string }[];
    expect(row?.args).toBe(title);
  });

  it('uses colour only where it may', async () => {
    const plain = await ps('-e');
    expect(plain.stdout).not.toContain('\x1b');
    const coloured = await runCommand(psCommand, ['-e', '-o', 'node,s'], cluster, {
      terminal: { columns: 80, colour: true },
    });
    expect(coloured.stdout).toContain('\x1b[2mweb2\x1b[22m \x1b[31mZ\x1b[39m');
  });

  it('repeats the heading on every screen with --headers', async () => {
    const { stdout } = await runCommand(psCommand, ['-e', '-o', 'pid', '--headers', '--rows', '4'], cluster);
    expect(stdout.split('\n').filter((line) => line.trim() === 'PID')).toHaveLength(3);
  });

  it('gives numbers, texts and lists as JSON', async () => {
    const { stdout } = await ps('-a --ended --json -o pid,node,args,rss,time,etime,lstart,status,name,%mem');
    const rows = JSON.parse(stdout) as Record<string, unknown>[];
    expect(rows[0]).toEqual({
      pid: 20000050,
      node: 'web2',
      args: 'work hard',
      rss: 1024,
      time: 0,
      etime: 86_399,
      lstart: '2026-01-01T12:00:01.000Z',
      status: null,
      name: 'job1',
      '%mem': 0,
    });
    expect(rows[2]).toMatchObject({ pid: 20000070, status: { code: 3, signal: null }, rss: null });
    expect(JSON.parse((await ps('-C nothing --json')).stdout)).toEqual([]);
  });

  it('lists its columns', async () => {
    const { stdout } = await ps('L');
    expect(stdout).toMatch(/^args +COMMAND$/m);
    expect(stdout.split('\n').length).toBeGreaterThan(170);
  });

  it('says what is wrong with the line and exits 1 as procps does', async () => {
    const { stderr, status } = await ps('-o nosuch');
    expect(stderr).toMatch(/^nsh ps: error: unknown user-defined format specifier "nosuch"/);
    expect(status).toBe(1);
  });

  it('renders 10,000 rows in well under a second', async () => {
    const processes = Array.from({ length: 10_000 }, (_, i) => ({
      pid: i + 1,
      comm: `process-${i}`,
      args: [`/usr/bin/process-${i}`, '--with', 'arguments', String(i)],
    }));
    const many = fakeCluster([{ id: 1, name: 'web1', ps: tableOf(processes) }]);
    await ps('-ef', many);
    const begin = performance.now();
    const { stdout } = await ps('-ef', many);
    expect(stdout.split('\n')).toHaveLength(10_002);
    expect(performance.now() - begin).toBeLessThan(1000);
  });
});
