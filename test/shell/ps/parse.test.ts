import { describe, expect, it } from 'vitest';
import { parsePsArgs, type PsEnvironment } from '../../../shell/ps/parse/index.ts';

const words = (line: string): string[] => (line === '' ? [] : line.split(' '));
const parse = (line: string, environment?: PsEnvironment) => parsePsArgs(words(line), environment);
const names = (line: string): string =>
  parse(line)
    .format.map(({ column }) => column.name)
    .join(',');

describe('formats', () => {
  it.each([
    ['', 'pid,node,tname,time,ucmd'],
    ['-e', 'pid,node,tname,time,ucmd'],
    ['-f', 'uid_hack,pid,node,ppid,c,stime,tname,time,cmd'],
    ['-F', 'uid_hack,pid,node,ppid,c,sz,rss,psr,stime,tname,time,cmd'],
    ['-l', 'f,s,uid,pid,node,ppid,c,opri,ni,addr_1,sz,wchan,tname,time,ucmd'],
    ['-ly', 's,uid,pid,node,ppid,c,opri,ni,rss,sz,wchan,tname,time,ucmd'],
    ['-j', 'pid,node,pgid,sid,tname,time,ucmd'],
    ['aux', 'user,pid,node,pcpu,pmem,vsz,rss,tname,stat,start_time,bsdtime,args'],
    ['-aux', 'user,pid,node,pcpu,pmem,vsz,rss,tname,stat,start_time,bsdtime,args'],
    ['ax', 'pid,node,tname,stat,bsdtime,args'],
    ['axl', 'flags,uid,pid,node,ppid,priority,nice,vsz,rss,wchan,stat,tname,bsdtime,args'],
    ['axj', 'ppid,pid,node,pgid,sid,tname,tpgid,stat,uid,bsdtime,args'],
    ['-O ni', 'pid,node,ni,state,tname,time,command'],
    ['O ni', 'pid,node,ni,state,tname,cputime,comm'],
    ['-o pid,args', 'pid,args'],
    ['o pid', 'pid'],
    ['-opid -o args', 'pid,args'],
    ['--format=pid,args', 'pid,args'],
    ['--format:pid', 'pid'],
    ['--ended', 'pid,node,status,tname,time,ucmd'],
    ['--ended -o pid', 'pid'],
    ['-L', 'pid,node,lwp,tname,time,ucmd'],
    ['-T', 'pid,node,spid,tname,time,ucmd'],
    ['-eLf', 'uid_hack,pid,node,ppid,lwp,c,nlwp,stime,tname,time,cmd'],
    ['-eTf', 'uid_hack,pid,node,spid,ppid,c,stime,tname,time,cmd'],
    ['axH', 'pid,node,tname,stat,bsdtime,args'],
    ['axm', 'pid,node,tname,stat,bsdtime,args'],
    ['-axm', 'pid,node,tname,majflt,minflt,m_trs,m_drs,m_size,m_swap,rss,m_share,vm_lib,m_dt,args'],
    ['X', 'pid,node,start_stack,esp,eip,timeout,alarm,stat,tname,bsdtime,args'],
    ['-o DefSysV,ni', 'pid,tname,time,cmd,ni'],
  ])('ps %s shows %s', (line, expected) => {
    expect(names(line)).toBe(expected);
  });

  it('keeps headings and widths that were typed', () => {
    const { format } = parse('-o pid=,args=WHAT,user:20,comm:5=NAME');
    expect(format.map(({ header, width, fixed }) => [header, width, fixed])).toEqual([
      ['', 5, false],
      ['WHAT', 27, false],
      ['USER', 20, true],
      ['NAME', 5, true],
    ]);
  });
});

describe('selection', () => {
  it.each([
    ['', ['session']],
    ['-f', ['session']],
    ['u', ['session']],
    ['-e', ['all']],
    ['-A', ['all']],
    ['ax', ['all']],
    ['aux', ['all']],
    ['-aux', ['all']],
    ['-auxww', ['all']],
    ['-a', ['managed']],
    ['a', ['managed']],
    ['-d', ['notLeaders']],
    ['-ad', ['managed', 'notLeaders']],
    ['x', ['own']],
    ['-p 1', []],
    ['-ap 1', ['managed']],
  ])('ps %s: %j', (line, scopes) => {
    expect([...parse(line).selection.scopes].sort()).toEqual(scopes);
  });

  it.each([
    ['-p 1,30004711,3.5,web1.6', [{ kind: 'pid', items: ['1', '30004711', '3.5', 'web1.6'] }]],
    ['p 1', [{ kind: 'pid', items: ['1'] }]],
    [
      '1 2',
      [
        { kind: 'pid', items: ['1'] },
        { kind: 'pid', items: ['2'] },
      ],
    ],
    [
      '-12 +13',
      [
        { kind: 'pgrp', items: ['12'] },
        { kind: 'session', items: ['13'] },
      ],
    ],
    [
      '-uroot -Cbash',
      [
        { kind: 'effectiveUser', items: ['root'] },
        { kind: 'command', items: ['bash'] },
      ],
    ],
    ['-g 12', [{ kind: 'session', items: ['12'] }]],
    ['-g daemon', [{ kind: 'effectiveGroup', items: ['daemon'] }]],
    [
      '--ppid 1 --tty=pts/1',
      [
        { kind: 'ppid', items: ['1'] },
        { kind: 'tty', items: ['pts/1'] },
      ],
    ],
    ['T', [{ kind: 'ownTty' }]],
    ['t', [{ kind: 'ownTty' }]],
  ])('ps %s lists %j', (line, lists) => {
    expect(parse(line).selection.lists).toEqual(lists);
  });

  it('takes -aux for a user called x where there is one', () => {
    const { selection } = parse('-aux', { knowsUser: (name) => name === 'x' });
    expect(selection.lists).toEqual([{ kind: 'effectiveUser', items: ['x'] }]);
  });
});

describe('sorting', () => {
  it.each([
    [
      '--sort=-rss,+pid',
      [
        ['rss', true],
        ['pid', false],
      ],
    ],
    ['--sort vsz', [['vsz', false]]],
    ['k -pcpu', [['pcpu', true]]],
    [
      'O-r+p',
      [
        ['rss', true],
        ['pid', false],
      ],
    ],
    ['Ou', [['user', false]]],
  ])('ps %s', (line, keys) => {
    expect(parse(line).sort.map(({ cell, descending }) => ['name' in cell ? cell.name : '', descending])).toEqual(keys);
  });
});

describe('what is wrong is said', () => {
  it.each([
    ['-o nosuch', /unknown user-defined format specifier "nosuch"/],
    ['-o usr', /near: .*user/],
    ['-o seat', /logind's, not in \/proc/],
    ['-o xstat', /\/proc does not give it/],
    ['--sort nosuch', /unknown sort specifier "nosuch"/],
    ['-L --forest', /thread display conflicts with forest display/],
    ['-LT', /can't use both -L and -T/],
    ['H -m', /can't use H with m or -m/],
    ['m -m', /can't use both m and -m/],
    ['-Lm -o pid', /-L\/-T with H\/m\/-m and -o\/-O\/o\/O is nonsense/],
    ['-HL -p 1', /thread display conflicts with forest display/],
    ['L -e', /the option is exclusive: L/],
    ['aL', /the option is exclusive: L/],
    ['-o DefBSD:3', /can not set width/],
    ['-z', /unsupported option '-z'/],
    ['--nosuch', /unknown option '--nosuch'/],
    ['--fromat pid', /did you mean '--format'\?/],
    ['--formt pid', /did you mean '--format'\?/],
    ['--foo', /^unknown option '--foo'$/],
    ['--info', /how procps was built/],
    ['-o foo', /'nsh ps L' lists them all/],
    ['-p', /must follow -p/],
    ['-p x', /syntax error/],
    ['-p 0', /out of range/],
    ['-p 1,', /improper list/],
    ['-o pid,,args', /improper format list/],
    ['-o pid:x', /column widths/],
    ['-F -o pid', /conflicting format options/],
    ['-j -o pid', /output modifiers/],
    ['-y', /without format -l/],
    ['-f u', /conflicting format options/],
    ['ul', /conflicting format options/],
    ['-a x', /selection options conflict/],
    ['--sort pid --sort rss', /multiple sort/],
    ['-q 1 -p 2', /cannot be combined/],
    ['-q 1 --forest', /forest/],
    ['--headers --no-headers', /only one heading/],
    ['--cols x', /number of columns/],
    ['--forest=x', /does not take an argument/],
    ['--on', /needs an argument/],
    ['%', /garbage option/],
  ])('ps %s', (line, message) => {
    expect(() => parse(line)).toThrow(message);
  });
});

describe('threads', () => {
  it.each([
    ['-e', 'none'],
    ['-eL', 'flat'],
    ['-eT', 'flat'],
    ['axH', 'flat'],
    ['-em', 'below'],
    ['axm', 'below'],
    ['axM', 'below'],
    ['-eLm', 'below'],
    ['-axm', 'none'],
  ])('ps %s: %s', (line, expected) => {
    expect(parse(line).threads).toBe(expected);
  });
});

describe('$PS_FORMAT', () => {
  it('may name the default formats', () => {
    const { format } = parse('-e', { psFormat: 'DefBSD' });
    expect(format.map(({ column }) => column.name).join()).toBe('pid,tname,stat,bsdtime,args');
  });

  it('that makes no sense is left aside with a warning', () => {
    const { format, warnings } = parse('-e', { psFormat: 'nosuch' });
    expect(format.map(({ column }) => column.name).join()).toBe('pid,node,tname,time,ucmd');
    expect(warnings).toEqual([expect.stringMatching(/^\$PS_FORMAT ignored\. \(unknown .* "nosuch"/)]);
  });

  it('does not hide the column of -L beside m', () => {
    expect(() => parse('-Lm', { psFormat: 'pid' })).toThrow('$PS_FORMAT');
  });
});
