import { mkdirSync, rmdirSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { cleanEnv, openSession, testBuiltins, testNodes, type TestSession } from './session-fixture.ts';

const open: TestSession[] = [];

function start(...options: Parameters<typeof openSession>): TestSession {
  const shell = openSession(...options);
  open.push(shell);
  return shell;
}

afterEach(() => {
  for (const shell of open.splice(0)) shell.dispose();
});

describe('a session of a person', () => {
  it('outlives a fatal error and keeps what was set before it', async () => {
    const shell = start({ isInteractive: true });
    const { stdout, isOver } = await shell.run(
      'x=1; echo ${nothing:?}',
      'echo $? $x',
      'set -u',
      'y=2; echo $unset',
      'echo $y',
    );
    expect([stdout, isOver]).toEqual(['127 1\n2\n', false]);
  });

  it('outlives a program that takes the place of bash, and a bash that is killed', async () => {
    const shell = start({ isInteractive: true });
    const { stdout } = await shell.run('x=1', 'exec true', 'echo $? $x', 'kill -9 $BASHPID', 'echo $? $x');
    expect(stdout).toBe('0 1\n137 1\n');
  });

  it('is ended by exit, also inside a function or a condition, and by set -e', async () => {
    expect(await start({ isInteractive: true }).run('f() { exit 7; }', 'if true; then f; fi', 'echo no')).toMatchObject(
      {
        status: 7,
        isOver: true,
        stdout: '',
      },
    );
    expect(await start({ isInteractive: true }).run('set -e', 'false')).toMatchObject({ status: 1, isOver: true });
  });

  it('runs its EXIT trap once, at its end', async () => {
    const shell = start({ isInteractive: true });
    await shell.run("trap 'echo bye $x' EXIT", 'x=5', 'true');
    expect((await shell.run('exit 3')).stdout).toBe('bye 5\n');
    expect(await shell.session.close()).toBe(3);
    expect((await shell.run()).stdout).toBe('');
  });

  it('expands aliases', async () => {
    expect((await start({ isInteractive: true }).run("alias hi='echo hello'", 'hi you')).stdout).toBe('hello you\n');
  });
});

describe('a session that moves', () => {
  it('takes its state along and comes back', async () => {
    const shell = start({ nodes: testNodes(2) });
    const { stdout } = await shell.run(
      'x=5',
      'on web2',
      'echo $x $NODE_NAME; cd /usr; x=6',
      'on',
      'on localhost',
      'echo "$x [$NODE_NAME]"; pwd',
      'on',
    );
    expect(stdout).toBe('5 web2\nweb2\n6 []\n/usr\nlocalhost\n');
  });

  it('leaves HOME and its like where they were set', async () => {
    const shell = start({ nodes: testNodes(2, { HOME: '/home/node' }) });
    const { stdout } = await shell.run(
      'HOME=/mine; TERM=vt100',
      'echo $HOME',
      '@web1 printenv HOME',
      'on web2',
      'echo $HOME',
    );
    expect(stdout).toBe('/mine\n/home/node\n/home/node\n');
  });

  it('sets PATH only where the session did', async () => {
    const shell = start({ nodes: testNodes(1, { PATH: '/bin:/usr/bin:/node' }) });
    const { stdout } = await shell.run(
      'true',
      '@web1 eval "echo \\$PATH"',
      'PATH=$PATH:/session',
      '@web1 eval "echo \\${PATH##*:}"',
    );
    expect(stdout).toBe('/bin:/usr/bin:/node\n/session\n');
  });
});

describe('a directory that is not there', () => {
  it('on a node: nothing is run, and the session stays where it is', async () => {
    const shell = start({ nodes: { resolve: async (where) => await testNodes(1).resolve(where) } });
    mkdirSync(join(shell.directory, 'here'));
    await shell.run('cd here');
    rmdirSync(join(shell.directory, 'here'));
    const { stdout, status } = await shell.run('@web1 echo no');
    expect([stdout, status]).toEqual(['', 126]);
    expect(shell.told).toEqual([`web1: ${shell.directory}/here: no such directory; cd to another one`]);
  });

  it('on the session’s own machine: the next line starts anew', async () => {
    const shell = start();
    mkdirSync(join(shell.directory, 'here'));
    await shell.run('cd here');
    rmdirSync(join(shell.directory, 'here'));
    expect(await shell.run('echo no')).toMatchObject({ stdout: '', status: 126 });
    expect((await shell.run('cd /; pwd')).stdout).toBe('/\n');
  });
});

describe('from line to line', () => {
  it('the shell keeps its number, and a trap knows it', async () => {
    const shell = start({ isInteractive: true });
    const { stdout } = await shell.run(
      'a=$$; echo $$ > $$.tmp',
      "trap 'rm -f $$.tmp; echo gone' EXIT",
      '[ $a = $$ ] && [ "$(cat $$.tmp)" = $a ] && echo same; ls',
      '(echo $$) | cat',
      '[ $BASHPID != $$ ] && kill -0 $BASHPID && echo own',
      'exit',
    );
    expect(stdout).toBe(`same\n${process.pid}.tmp\n${process.pid}\nown\ngone\n`);
  });

  it('kill $$ is for the bash that runs', async () => {
    const { stdout } = await start().run("trap 'echo caught' USR1", 'kill -USR1 $$; echo after');
    expect(stdout).toBe('caught\nafter\n');
  });

  it('SECONDS goes on, and from where it was set', async () => {
    const shell = start();
    await shell.run('a=$SECONDS; sleep 1.1');
    expect(
      (await shell.run('[ $((SECONDS - a)) -ge 1 ] && [ $SECONDS -lt 60 ] && echo on', 'SECONDS=1000')).stdout,
    ).toBe('on\n');
    expect((await shell.run('true', '[ $SECONDS -ge 1000 ] && [ $SECONDS -lt 1060 ] && echo on')).stdout).toBe('on\n');
  });

  it('ulimit stays, on the machine where the session is', async () => {
    const shell = start({ nodes: testNodes(1) });
    const { stdout } = await shell.run(
      'ulimit -S -c 0; ulimit -S -n 600; ulimit -n 500',
      'ulimit -Sc; ulimit -Sn; ulimit -Hn',
      'ulimit -n 501 2>/dev/null || echo no; ulimit -Sn 400',
      '@web1 ulimit -Sn 300; ulimit -Sn',
    );
    expect(stdout).toBe('0\n500\n500\nno\n400\n');
  });
});

describe('what a session leaves in the bash', () => {
  it('is no variable, function or descriptor of nsh’s', async () => {
    const shell = start();
    const look =
      'compgen -v NSH; compgen -A function; ls /proc/self/fd; (echo a >&3) 2>/dev/null; echo $?; env | grep -c NSH';
    const { stdout } = await shell.run('x=1', look);
    const plain = spawnSync('bash', ['--norc', '-c', look], {
      stdio: ['ignore', 'pipe', 'pipe'],
      encoding: 'utf8',
      env: cleanEnv,
    });
    expect(stdout).toBe(plain.stdout);
  });

  it('holds nobody up through a background command that lives on', async () => {
    const shell = start({ jobsAre: 'bash' });
    const before = performance.now();
    const { stdout } = await shell.run('(sleep 3; true) >/dev/null 2>&1 & echo on', 'kill -- $! 2>/dev/null; true');
    expect(stdout).toBe('on\n');
    expect(performance.now() - before).toBeLessThan(2000);
  });
});

describe('a Ctrl-C between two steps', () => {
  it.each([
    ['echo a; words b; echo c', 'a\n'],
    ['echo a && words b || words c', 'a\n'],
  ])('calls off what is left of %j', async (line, stdout) => {
    const asked = openSession({
      builtins: testBuiltins,
      isInteractive: true,
      takeInterrupt: () => Promise.resolve(true),
    });
    try {
      expect(await asked.run(line)).toMatchObject({ stdout, status: 130, isOver: false });
      expect(asked.session.state.pipeStatus).toEqual([130]);
    } finally {
      asked.dispose();
    }
  });

  it('is heard where nothing runs that could end by it, and is forgotten with the line', async () => {
    const asked = openSession({
      builtins: testBuiltins,
      isInteractive: true,
      takeInterrupt: () => {
        asked.session.interrupt('INT');
        return Promise.resolve(false);
      },
    });
    try {
      expect(await asked.run('words a; words b; words c')).toMatchObject({ stdout: '["a"]\n["b"]\n', status: 130 });
      expect(await asked.run('words d')).toMatchObject({ stdout: '["d"]\n', status: 0 });
    } finally {
      asked.dispose();
    }
  });
});
