/** `nsh ps` of this machine, held against procps's ps: the same processes, the same options, the same bytes apart from NODE. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { psCommand } from '../../../shell/commands/ps.ts';
import { fakeCluster, runCommand, thisMachine } from './fake-cluster.ts';
import { askBoth, procps } from './procps.ts';
import { startSamples, type Samples } from './sample-processes.ts';

const cluster = fakeCluster([thisMachine()]);
let samples: Samples;
let list = '';

beforeAll(async () => {
  samples = await startSamples();
  list = samples.pids.join(',');
});
afterAll(async () => {
  await samples.close();
});

async function expectSame(args: readonly string[]): Promise<void> {
  const { ours, theirs } = await askBoth(cluster, args);
  expect(ours).toEqual(theirs);
}

const withList = (text: string): string[] => text.split(' ').map((word) => word.replaceAll('LIST', list));

describe('default formats, apart from NODE', () => {
  it.each([
    '-p LIST --cols 400',
    '-f -p LIST --cols 400',
    '-F -p LIST --cols 400',
    '-l -p LIST --cols 400',
    '-ly -p LIST --cols 400',
    '-fl -p LIST --cols 400',
    '-flc -p LIST --cols 400',
    '-j -p LIST --cols 400',
    '-jf -p LIST --cols 400',
    '-jl -p LIST --cols 300',
    '-c -p LIST --cols 400',
    '-P -p LIST --cols 400',
    '-M -p LIST --cols 400',
    '-FP -p LIST --cols 300',
    '-f --no-headers -p LIST --cols 400',
    'u p LIST --cols 400',
    'l p LIST --cols 400',
    'j p LIST --cols 400',
    's p LIST --cols 400',
    'v p LIST --cols 400',
    'p LIST --cols 400',
    'f p LIST --cols 400',
    'uf p LIST --cols 400',
    'lh p LIST --cols 400',
    'ln p LIST --cols 400',
    'un p LIST --cols 400',
    '-f --forest -p LIST --cols 400',
    '-H -p LIST --cols 400',
    '-fH -p LIST --cols 400',
    '-O ppid,ni -p LIST --cols 400',
    'O ppid,ni p LIST --cols 400',
    '-q LIST --cols 400',
    '--context -p LIST --cols 400',
  ])('ps %s', async (line) => {
    const { ours, theirs } = await askBoth(cluster, withList(line), { strip: true });
    expect(ours).toEqual(theirs);
  });
});

describe('formats that were spelled out, byte for byte', () => {
  it.each([
    '-o pid,ppid,pgid,sid,tpgid,args -p LIST',
    '-o pid= -p LIST',
    '-o pid=,comm= -p LIST',
    '-o pid=PROCESS,ucomm=NAME -p LIST',
    '-o pid,args:20,comm:8,pid -p LIST',
    '-o user,ruser,euser,suser,fuser,pid -p LIST --cols 300',
    '-o user:4,pid,group:3,pid -p LIST --cols 300',
    '-o user:20,group:20,pid -p LIST',
    '-o uid,euid,ruid,suid,fuid,gid,egid,rgid,sgid,fgid -p LIST',
    '-o supgid,pid -p LIST --cols 200',
    '-o pid,supgrp -p LIST --cols 200',
    '-o tty,tt,tname,tty4,longtname,pid -p LIST',
    '-o s,stat,state,f,flag,flags -p LIST',
    '-o pri,opri,intpri,priority,pri_api,pri_bar,pri_baz,pri_foo,ni,nice -p LIST',
    '-o cls,class,policy,sched,rtprio,nlwp,thcount -p LIST',
    '-o vsz,vsize,rss,rssize,rsz,sz,size,m_size -p LIST',
    '-o trs,trss,tsiz,drs,dsiz,lim -p LIST',
    '-o %cpu,pcpu,%mem,pmem,c,cp,cuu,cuc,util -p LIST',
    '-o time,cputime,cputimes,times,bsdtime,atime -p LIST',
    '-o etime,etimes -p LIST',
    '-o stime,start_time,start,lstart,bsdstart -p LIST',
    '-o min_flt,maj_flt,minflt,majflt,pagein -p LIST',
    '-o pending,sig,blocked,sigmask,ignored,sigignore,caught,sigcatch,tsig -p LIST --cols 1000',
    '-o pending,blocked,ignored,caught,pid,comm -p LIST --cols 40',
    '-o wchan,pid,wchan:20,pid,wname -p LIST --cols 300',
    '-o pid,cgroup -p LIST --cols 300',
    '-o pid,cgname -p LIST --cols 300',
    '-o pid,exe -p LIST --cols 300',
    '-o cgroupns,ipcns,mntns,netns,pidns,timens,userns,utsns -p LIST',
    '-o label,context,pid -p LIST',
    '-o oom,oomadj,luid,lxc,sess,session,pgrp,tgid -p LIST',
    '-o uss,pid -p LIST',
    '-o rbytes,rchars,rops,wbytes,wcbytes,wchars,wops -p LIST',
    '-o fname,pid,args -p LIST',
    '-o pid:3,comm:5 -p LIST',
    '-o pid:3,comm:5 -p LIST --cols 200',
    '-o comm:5,args:6 -p LIST',
    '-o pid,cgroup:4 -p LIST',
    '-o pid,wchan:2 -p LIST',
    '-o pid,user:2 -p LIST',
    '-o ucmd,cmd -p LIST --cols 120',
    '-o stackp,esp,eip,pid -p LIST',
    '-o addr,pid -p LIST',
    'o pid,args p LIST',
    'ho pid,args p LIST',
    '-o pid,args --cols 60 -p LIST',
    '-o args,pid --cols 60 -p LIST',
    '-o pid,user,comm,args w --cols 50 -p LIST',
    '-o pid,comm --sort=-pid -p LIST',
    '-o pid,comm --sort comm,-pid -p LIST',
    '-o pid,ni,comm --sort=-ni,+pid -p LIST',
    '-o pid,args --sort args -p LIST',
    '-o pid,comm k -vsz,pid p LIST',
    '-o pid,ppid,comm --forest -p LIST',
    '-o pid,ppid,args --forest -p LIST',
    '-o pid,comm -H -p LIST',
    '-o pid,comm -C a-name-of-more-than-fifteen',
    '-o pid,comm -C exactly-fifteen',
    '-o pid,comm --ppid 999999',
    '-o pid,comm r -p LIST',
  ])('ps %s', async (line) => {
    const { ours, theirs } = await askBoth(cluster, withList(line));
    expect(ours).toEqual(theirs);
  });

  it('shows %p and other descriptors of AIX with the text between them', async () => {
    for (const format of ['%p %c', '%p  %z %c']) {
      const ours = await runCommand(psCommand, ['-o', format, '-p', list], cluster);
      // procps sees an empty text after the last descriptor and pads up to it
      expect(ours.stdout).toBe(procps(['-o', format, '-p', list]).stdout.replaceAll(/ +$/gm, ''));
    }
  });
});

describe('selection', () => {
  it.each(['pgrp', 'sess'])('finds the same processes by group and session (%s)', async (column) => {
    const { tree = 0 } = samples.named;
    const args = column === 'sess' ? ['-s', String(tree)] : ['--no-headers', `-${tree}`];
    const theirs = procps(['-o', 'pid,args', ...args]);
    expect((await runCommand(psCommand, ['-o', 'pid,args', ...args], cluster)).stdout).toBe(theirs.stdout);
    expect(theirs.stdout.split('\n').length).toBeGreaterThan(4);
  });

  it('finds the same processes by terminal, user and parent', async () => {
    const { terminal = 0, tree = 0, daemon } = samples.named;
    const tty = procps(['-o', 'tty=', '--ppid', String(terminal)]).stdout.trim();
    expect(tty).toMatch(/^pts\//);
    await expectSame(['-o', 'pid,tty,args', '-t', tty]);
    await expectSame(['-o', 'pid,tty,args', '-t', tty.slice(4)]);
    await expectSame(['-o', 'pid,tty,args', '-t', `/dev/${tty}`]);
    await expectSame(['-o', 'pid,args', '--ppid', String(tree)]);
    if (daemon === undefined) return;
    for (const option of ['-u', '-U', '--user', '-G', '--group']) {
      await expectSame(['-o', 'pid,args', option, 'daemon']);
      await expectSame(['-o', 'pid,args', option, '1']);
      await expectSame(['-o', 'pid,args', option, '54321']);
    }
  });

  it('exits 1 with the heading alone where nothing is selected', async () => {
    const heading = await askBoth(cluster, ['-f', '-p', '32767'], { strip: true });
    expect(heading.ours).toEqual(heading.theirs);
    const nothing = await askBoth(cluster, ['-o', 'pid=', '-p', '32767']);
    expect(nothing.ours).toEqual(nothing.theirs);
  });

  it('uses $PS_FORMAT where no option says which columns', async () => {
    const env = { PS_FORMAT: 'pid,ppid=UP,comm' };
    const ours = await runCommand(psCommand, ['-p', list], cluster, { env });
    expect(ours.stdout).toBe(procps(['-p', list], env).stdout);
  });
});
