/** Threads, held against procps's ps on this machine, and as a cluster shows them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { psCommand } from '../../../shell/commands/ps.ts';
import { allColumns } from '../../../shell/ps/columns/index.ts';
import type { Params } from '../../../src/protocol/control.ts';
import { fakeCluster, runCommand, thisMachine, type FakeNode } from './fake-cluster.ts';
import { askBoth, procps } from './procps.ts';
import { tableOf } from './tables.ts';
import { startThreadedProcess, type ThreadedProcess } from './threaded-process.ts';

const cluster = fakeCluster([thisMachine()]);
let first: ThreadedProcess;
let second: ThreadedProcess;
let list = '';

beforeAll(async () => {
  [first, second] = await Promise.all([startThreadedProcess(), startThreadedProcess()]);
  list = `${first.pid},${second.pid}`;
});
afterAll(async () => {
  await Promise.all([first.close(), second.close()]);
});

const withList = (line: string): string[] => line.split(' ').map((word) => word.replaceAll('LIST', list));
const ps = (args: readonly string[]) => runCommand(psCommand, args, cluster);

describe('formats with threads, apart from NODE', () => {
  it.each([
    '-L -p LIST',
    '-T -p LIST',
    '-Lf -p LIST',
    '-Tf -p LIST',
    '-Llf -p LIST',
    '-Tlf -p LIST',
    '-LF -p LIST',
    '-Lj -p LIST',
    '-Ljf -p LIST',
    '-LP -p LIST',
    '-Ll -p LIST',
    '-Lly -p LIST',
    '-Lc -p LIST',
    '-LM -p LIST',
    '-L u p LIST',
    '-T u p LIST',
    '-L l p LIST',
    '-L j p LIST',
    '-T j p LIST',
    '-L s p LIST',
    '-L v p LIST',
    '-L X p LIST',
    '-L -q LIST',
    'H p LIST',
    'uH p LIST',
    'lH p LIST',
    'H -L p LIST',
    'H -T p LIST',
    'uH -L p LIST',
    '-m -p LIST',
    'm p LIST',
    'M p LIST',
    'um p LIST',
    'jm p LIST',
    'sm p LIST',
    'vm p LIST',
    '-fm -p LIST',
    '-jfm -p LIST',
    '-Lm -p LIST',
    '-Tm -p LIST',
    '-Lmj -p LIST',
    '-Tmj -p LIST',
    '-Lmf -p LIST',
    '--context -m -p LIST',
    '-L -O ni -p LIST',
    'm --no-headers p LIST',
    '-L --no-headers -p LIST',
  ])('ps %s', async (line) => {
    const { ours, theirs } = await askBoth(cluster, [...withList(line), '--cols', '400'], { strip: true });
    expect(ours).toEqual(theirs);
    expect(ours.stdout.split('\n').length).toBeGreaterThan(first.tids.length);
  });
});

describe('columns and selection with threads, byte for byte', () => {
  it.each([
    '-L -o pid,lwp,tid,spid,nlwp,thcount,comm,args -p LIST',
    'H -o pid=,lwp=,comm= -p LIST',
    'H -o lwp,s,stat,pri,ni,cls,psr,f,min_flt,start -p LIST',
    'H -o lwp,comm --sort=-lwp -p LIST',
    'H -o lwp,comm --sort comm -p LIST',
    'H -o lwp,blocked,sig,tsig,caught -p LIST --cols 300',
    'H -o lwp,rss,vsz,cgroup,exe,user,tty,ppid,pgid,sess -p LIST --cols 300',
    'H -o lwp,unit,uunit,slice,lsession,machine,ouid -p LIST',
    '-m -o pid,lwp,nlwp,comm,stat,ppid,user,args -p LIST --cols 300',
    '-o pid,lwp,tid,spid -p LIST',
    '-L -o pid,lwp,comm -C node',
    '-L -o pid,lwp -p 999999',
    '-m -o pid,lwp -p 999999',
  ])('ps %s', async (line) => {
    const { ours, theirs } = await askBoth(cluster, withList(line));
    expect(ours).toEqual(theirs);
  });

  it('selects a thread by its own name, and by the number of its process only', async () => {
    const tid = first.tids.at(-1) ?? 0;
    expect((await ps(['H', '-o', 'pid=,lwp=', '-C', `thread-${tid}`])).stdout.trim().split(/\s+/)).toEqual([
      String(first.pid),
      String(tid),
    ]);
    for (const args of [['-p'], ['-q'], ['H', '-p'], ['-m', '-p']]) {
      const { ours, theirs } = await askBoth(cluster, [...args, String(tid), '-o', 'pid,lwp']);
      expect(ours).toEqual(theirs);
      expect(ours.status).toBe(1);
    }
  });

  it('has a value on the lines of -m where procps has one', async () => {
    const known = new Set(procps(['L']).stdout.split(/\s+/));
    const unlike: string[] = [];
    for (const { name } of allColumns.filter((column) => known.has(column.name))) {
      const args = ['-m', '-o', `${name}=`, '-p', String(first.pid)];
      const [ours, theirs] = [dashes((await ps(args)).stdout), dashes(procps(args).stdout)];
      if (ours !== theirs) unlike.push(`${name}: ${ours}, procps ${theirs}`);
    }
    expect(unlike).toEqual([]);
  });
});

/** Whether the lines of the process and of its first thread have a value. */
function dashes(stdout: string): string {
  const [process_, thread] = stdout.split('\n').map((line) => (line.trim() === '-' ? '-' : 'value'));
  return `${process_} ${thread}`;
}

describe('where procps 4.0.2 loses threads, shows what lies in memory, or crashes', () => {
  it('-m shows of each thread what -L shows', async () => {
    const columns = 'lwp=,f=,s=,pri=,ni=,psr=,wchan:20=,cls=,blocked=,caught=,min_flt=';
    const [, ...below] = (await ps(['-m', '-o', columns, '-p', String(first.pid)])).stdout.split('\n');
    expect(below).toEqual(procps(['-L', '-o', columns, '-p', String(first.pid)]).stdout.split('\n'));
  });

  it('-L and -T with --sort show every thread in that order', async () => {
    const { stdout } = await ps(['-L', '--sort=-lwp', '-o', 'lwp=', '-p', String(first.pid)]);
    expect(stdout.trim().split(/\s+/).map(Number)).toEqual([...first.tids].reverse());
  });

  it('m with --sort sorts the processes and keeps their threads below them', async () => {
    const { stdout } = await ps(['m', '--sort=-pid', '-o', 'pid=,lwp=', '-p', list]);
    const expected = [first, second]
      .sort((a, b) => b.pid - a.pid)
      .flatMap(({ pid, tids }) => [`${pid} -`, ...tids.map((tid) => `- ${tid}`)]);
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.trim().replace(/ +/, ' ')),
    ).toEqual(expected);
  });
});

describe('threads of a cluster', () => {
  const program = (id: number, name: string): FakeNode => ({
    id,
    name,
    ps: tableOf([
      { pid: 10, tid: 10, comm: 'db', args: ['db', '-x'], numThreads: 2 },
      { pid: 10, tid: 13, comm: 'writer', args: ['db', '-x'], numThreads: 2 },
      { pid: 20, tid: 20, comm: 'other', args: ['other'] },
    ]),
  });
  const both = () => fakeCluster([program(1, 'web1'), program(2, 'web2')]);
  const show = async (line: string) => (await runCommand(psCommand, line.split(' '), both())).stdout;

  it('have numbers that are spelled as cluster PIDs, local ones in llwp', async () => {
    expect(await show('-C writer -L -o pid,lwp,lpid,llwp,comm')).toBe(
      '     PID      LWP  LPID  LLWP COMMAND\n' +
        '10000010 10000013    10    13 writer\n' +
        '20000010 20000013    10    13 writer\n',
    );
  });

  it('of every node stand below their process, NODE on each line', async () => {
    expect(await show('-C db -Lm')).toBe(
      [
        '      PID NODE      LWP TTY          TIME CMD',
        ' 10000010 web1        - ?        00:00:00 db',
        '        - web1 10000010 -        00:00:00 -',
        '        - web1 10000013 -        00:00:00 -',
        ' 20000010 web2        - ?        00:00:00 db',
        '        - web2 20000010 -        00:00:00 -',
        '        - web2 20000013 -        00:00:00 -',
        '',
      ]
        .map((line) => line.replace(/^ /, ''))
        .join('\n'),
    );
  });

  it('are null in JSON where a line tells nothing of them', async () => {
    const rows = JSON.parse(await show('-C db --on web1 -m -o pid,lwp,comm,s --json')) as unknown;
    expect(rows).toEqual([
      { pid: 10000010, lwp: null, comm: 'db', s: null },
      { pid: null, lwp: 10000010, comm: null, s: 'S' },
      { pid: null, lwp: 10000013, comm: null, s: 'S' },
    ]);
  });

  it('are asked for only where they are shown', async () => {
    const cluster_ = both();
    await runCommand(psCommand, ['-e', '-o', 'pid,lwp'], cluster_);
    await runCommand(psCommand, ['-eL'], cluster_);
    const asked = cluster_.calls.map(({ params }) => params as Params<'ps'>);
    expect(asked.map(({ threads, columns }) => [threads === true, columns.includes('tid')])).toEqual([
      [false, false],
      [false, false],
      [true, true],
      [true, true],
    ]);
  });
});
