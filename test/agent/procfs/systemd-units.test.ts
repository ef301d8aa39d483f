/** What systemd's columns are read from: paths of control groups, and procps's answers for the same paths where they can be made. */
import { execFileSync, spawn } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { ProcessScanner } from '../../../agent/procfs/index.ts';
import { rootPath, systemdPath, unitNames, withoutRoot } from '../../../agent/procfs/systemd-units.ts';

type Expected = readonly [unit: string, userUnit: string, slice: string, session: string, owner: string];

const paths: readonly (readonly [path: string, ...Expected])[] = [
  ['/', '-', '-', '-.slice', '-', '-'],
  ['/init.scope', 'init.scope', '-', '-.slice', '-', '-'],
  ['/system.slice/nginx.service', 'nginx.service', '-', 'system.slice', '-', '-'],
  ['/system.slice/nginx.service/worker', 'nginx.service', '-', 'system.slice', '-', '-'],
  ['/system.slice/system-getty.slice/getty@tty1.service', 'getty@tty1.service', '-', 'system-getty.slice', '-', '-'],
  ['/user.slice/user-1000.slice/session-3.scope', 'session-3.scope', '-', 'user-1000.slice', '3', '1000'],
  ['/user.slice/user-1000.slice/session-c2.scope', 'session-c2.scope', '-', 'user-1000.slice', 'c2', '1000'],
  ['/user.slice/user-0.slice/user@0.service/init.scope', 'user@0.service', 'init.scope', 'user-0.slice', '-', '0'],
  [
    '/user.slice/user-1000.slice/user@1000.service/app.slice/app-org.slice/app-x@1.service/y',
    'user@1000.service',
    'app-x@1.service',
    'user-1000.slice',
    '-',
    '1000',
  ],
  ['/user.slice/user-1000.slice/user@1000.service', 'user@1000.service', '-', 'user-1000.slice', '-', '1000'],
  ['/user.slice/user-1000.slice', '-', '-', 'user-1000.slice', '-', '1000'],
  ['/system.slice/_cgroup.service', 'cgroup.service', '-', 'system.slice', '-', '-'],
  ['/machine.slice/machine-web.scope/payload', 'machine-web.scope', '-', 'machine.slice', '-', '-'],
  ['/docker/0123456789abcdef', '-', '-', '-.slice', '-', '-'],
  ['/system.slice/a@.service', '-', '-', 'system.slice', '-', '-'],
  ['/system.slice/with space.service', '-', '-', 'system.slice', '-', '-'],
  ['/user-1000.slice/user@x.service/a.service', 'user@x.service', '-', 'user-1000.slice', '-', '1000'],
];

const shown = (path: string): Expected => {
  const { unit, userUnit, slice, loginSession, sessionOwner } = unitNames(path);
  return [unit, userUnit, slice, loginSession, sessionOwner];
};

describe('the path of a control group', () => {
  it.each(paths)('%s', (path, ...expected) => {
    expect(shown(path)).toEqual(expected);
  });

  it('that is not known has no names at all', () => {
    expect(shown('')).toEqual(['-', '-', '-', '-', '-']);
  });

  it('is the one of version 2, or of the hierarchy that is named systemd', () => {
    const text = '9:name=systemd:/one\n4:memory:/two\n0::/three\n';
    expect(systemdPath(text, true)).toBe('/three');
    expect(systemdPath(text, false)).toBe('/one');
    expect(systemdPath('1:net_cls,name=systemd:/a:b (deleted)\n', false)).toBe('/a:b');
    expect(systemdPath('4:memory:/two\n', true)).toBe('');
  });

  it('begins below that of PID 1 in a container', () => {
    expect(rootPath('/machine.slice/m.scope/init.scope')).toBe('/machine.slice/m.scope');
    expect(withoutRoot('/machine.slice/m.scope/system.slice/x.service', '/machine.slice/m.scope')).toBe(
      '/system.slice/x.service',
    );
    expect(withoutRoot('/elsewhere', '/machine.slice/m.scope')).toBe('/elsewhere');
    expect(withoutRoot('/system.slice', rootPath('/init.scope'))).toBe('/system.slice');
  });
});

/** Where version 2 is mounted and this user may make groups. */
const mount = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'].find((directory) => {
  try {
    accessSync(join(directory, 'cgroup.procs'), constants.W_OK);
    return existsSync(join(directory, 'cgroup.controllers'));
  } catch {
    return false;
  }
});

describe.skipIf(mount === undefined)('columns of real control groups', () => {
  const made: string[] = [];
  afterEach(() => {
    for (const directory of made.splice(0).reverse()) rmdirSync(directory);
  });

  function make(directory: string): void {
    if (existsSync(directory)) return;
    make(dirname(directory));
    mkdirSync(directory);
    made.push(directory);
  }

  it.each(paths)('%s reads as procps has it', async (path) => {
    const directory = join(mount ?? '', path);
    make(directory);
    const child = spawn('sleep', ['300'], { stdio: 'ignore' });
    const gone = new Promise((resolve) => child.once('exit', resolve));
    const scanner = new ProcessScanner();
    try {
      writeFileSync(join(directory, 'cgroup.procs'), String(child.pid));
      const columns = ['unit', 'userUnit', 'slice', 'loginSession', 'sessionOwner', 'machine'] as const;
      const theirs = execFileSync('ps', ['-o', 'unit=,uunit=,slice=,lsession=,ouid=,machine=', String(child.pid)], {
        encoding: 'utf8',
      });
      const { rows } = scanner.scan({ columns, pids: [child.pid ?? 0] });
      expect(rows[0]?.map(String)).toEqual(theirs.trim().split(/\s+/));
    } finally {
      scanner.close();
      child.kill('SIGKILL');
      await gone;
    }
  });
});
