import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { programPath } from '../../src/cluster/programs.ts';
import { readCorpus } from '../language/corpus-files.ts';
import { runInBash, runInProgram } from '../language/oracle.ts';
import { cleanEnv } from './session-fixture.ts';

const nsh = [process.execPath, programPath('nsh')] as const;
let root = '';

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'nsh-program-'));
});

afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(program: readonly string[], args: readonly string[], input = ''): Run {
  const [command = '', ...first] = program;
  const { status, stdout, stderr } = spawnSync(command, [...first, ...args], {
    cwd: root,
    env: cleanEnv,
    input,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

describe('nsh -c LINE', () => {
  const sample = readCorpus().filter((_, i) => i % 16 === 0);

  it.each(sample)('is bash -c: $title', { timeout: 60_000 }, async ({ text }) => {
    expect(await runInProgram(root, nsh, text)).toEqual(await runInBash(root, text));
  });

  it('gives its arguments to the line, and $0', () => {
    expect(run(nsh, ['-c', 'echo "$0|$1|$#"', 'name', 'a b'])).toMatchObject({ status: 0, stdout: 'name|a b|1\n' });
    expect(run(nsh, ['-c', 'nodeset -e n[1-2]; echo "$0|$1|$#"', 'name', 'a b']).stdout).toBe('n1 n2\nname|a b|1\n');
  });

  it('runs builtins in pipelines, in loops and in substitutions', () => {
    const line =
      'nodeset -e n[1-3] | tr a-z A-Z; for i in 1 2; do nodeset -c n[1-$i]; done; echo "<$(nodeset -f a1 a2)>"';
    expect(run(nsh, ['-c', line])).toEqual({ status: 0, stdout: 'N1 N2 N3\n1\n2\n<a[1-2]>\n', stderr: '' });
  });

  it('redirects a builtin as bash does', () => {
    expect(
      run(nsh, ['-c', 'nodeset -e a[1-2] > out; cat out; nodeset --nonsense 2> err; echo $?; wc -l < err']),
    ).toMatchObject({
      stdout: 'a1 a2\n2\n2\n',
      stderr: '',
    });
  });

  it('points at a syntax error and runs nothing', () => {
    const { status, stdout, stderr } = run(nsh, ['-c', 'echo a; @web1 ls | | wc']);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toBe(
      "nsh: line 1, column 19: syntax error: expected command after '|'\n  echo a; @web1 ls | | wc\n                    ^\n",
    );
  });

  it('passes the status and the death of what it runs on', () => {
    expect(run(nsh, ['-c', 'exit 42']).status).toBe(42);
    expect(run(nsh, ['-c', 'kill -TERM $$']).status).toBe(143);
    expect(run(nsh, ['-c', 'nodeset -c a; exit 42']).status).toBe(42);
    expect(run(nsh, ['-c', 'nodeset -c a; kill -TERM $$']).status).toBe(143);
  });

  it('passes SIGTERM on, and the trap of the script runs', async () => {
    for (const first of ['', 'nodeset -c a >/dev/null; ']) {
      const child = spawn(nsh[0], [
        nsh[1],
        '-c',
        `${first}trap 'echo caught; exit 5' TERM; echo ready; while :; do sleep 0.05; done`,
      ]);
      const chunks: string[] = [];
      const status = await new Promise<number | null>((resolve) => {
        child.stdout.on('data', (chunk: Buffer) => {
          chunks.push(chunk.toString());
          if (chunk.toString().includes('ready')) child.kill('SIGTERM');
        });
        child.once('close', resolve);
      });
      expect([status, chunks.join('')]).toEqual([5, 'ready\ncaught\n']);
    }
  });
});

describe('$BASH_ENV', () => {
  it.each([
    ['a script of bash alone', 'echo "$x $BASH_ENV $LINENO $? $#"\nf\nbash -c \'echo in "$x"\'\n'],
    ['a session', 'nodeset -c a >/dev/null\necho "$x $BASH_ENV $LINENO $? $#"\nf\nbash -c \'echo in "$x"\'\n'],
  ])('is read once, before %s', (_, text) => {
    const env = { ...cleanEnv, START: join(root, 'start'), BASH_ENV: '$START', PATH: `${root}:${cleanEnv.PATH ?? ''}` };
    writeFileSync(env.START, 'x=set-$1; f() { echo f; }; echo read >&2; false\n');
    writeFileSync(join(root, 'withenv'), text);
    // What bash does with a command that is nsh's.
    writeFileSync(join(root, 'nodeset'), '#!/bin/sh\n', { mode: 0o755 });
    const start = (command: string, args: readonly string[], input = ''): Run => {
      // On a socket, which a pipe of node's is, bash takes itself for a remote shell and reads ~/.bashrc in its place.
      writeFileSync(join(root, 'commands'), input);
      const stdio = [openSync(join(root, 'commands'), 'r'), 'pipe', 'pipe'] as const;
      const { status, stdout, stderr } = spawnSync(command, args, {
        cwd: root,
        env,
        encoding: 'utf8',
        stdio: [...stdio],
      });
      closeSync(stdio[0]);
      return { status, stdout, stderr };
    };
    expect(start(nsh[0], [nsh[1], 'withenv', 'a', 'b'])).toEqual(start('bash', ['withenv', 'a', 'b']));
    expect(start(nsh[0], [nsh[1], '-c', text, 'name', 'a'])).toEqual(start('bash', ['-c', text, 'name', 'a']));
    expect(start(nsh[0], [nsh[1], '-s', 'a'], text)).toEqual(start('bash', ['-s', 'a'], text));
  });

  it('that ends the shell ends it', () => {
    writeFileSync(join(root, 'ends'), 'exit 9\n');
    const env = { ...cleanEnv, BASH_ENV: join(root, 'ends') };
    const { status, stdout } = spawnSync(nsh[0], [nsh[1], '-c', 'nodeset -c a; echo no'], { env, encoding: 'utf8' });
    expect([status, stdout]).toEqual([9, '']);
  });
});

describe('a long script', () => {
  it('starts as fast as its parsing lets it, also where something in it is nsh’s', () => {
    const text = Array.from({ length: 30_000 }, (_, i) => `x=${i}; : $x`).join('\n');
    for (const last of ['echo $x', 'nodeset -c a >/dev/null; echo $x']) {
      writeFileSync(join(root, 'long'), `${text}\n${last}\n`);
      const before = performance.now();
      expect(run(nsh, ['long']).stdout).toBe('29999\n');
      expect(performance.now() - before).toBeLessThan(15_000);
    }
  });
});

describe('nsh -s', () => {
  it('reads commands from its input and has arguments', () => {
    for (const args of [['-s', 'a b', 'c'], ['-s', '--', '-x'], ['-s']]) {
      const text = 'echo "$0|$#|$1"\n';
      expect(run(nsh, args, text)).toEqual(run(['bash'], args, text));
      expect(run(nsh, args, `nodeset -c a >/dev/null\n${text}`)).toEqual(run(['bash'], args, text));
    }
  });
});

describe('nsh FILE', () => {
  it('runs a script with its arguments, as bash does', () => {
    const text =
      'echo "${0##*/} $# $1"\nread x; echo "read $x"\necho $LINENO ${BASH_SOURCE[0]##*/}\nnosuchcommand\nexit 7\n';
    writeFileSync(join(root, 'script'), text);
    const expected = run(['bash'], ['script', 'a b'], 'in\nmore\n');
    expect(run(nsh, ['script', 'a b'], 'in\nmore\n')).toEqual(expected);
    expect(run(nsh, ['./script', 'a b'], 'in\nmore\n').stdout).toBe(expected.stdout);
  });

  it('is an interpreter for #!', () => {
    const path = join(root, 'hashbang');
    writeFileSync(path, `#!${nsh.join(' ')}\necho "$1"\nnodeset -c a[1-5]\n`);
    chmodSync(path, 0o755);
    expect(run([path], ['arg']).stdout).toBe('arg\n5\n');
  });

  it('is found by #!/usr/bin/env nsh, and reads its input in pieces as bash does', () => {
    const bin = join(root, 'bin');
    mkdirSync(bin);
    symlinkSync(nsh[1], join(bin, 'nsh'));
    const path = join(root, 'by-env');
    const env = { ...cleanEnv, PATH: `${bin}:${join(process.execPath, '..')}:${cleanEnv.PATH ?? ''}` };
    for (const first of [':', 'nodeset -c a >/dev/null']) {
      writeFileSync(path, `#!/usr/bin/env nsh\n${first}\nread a; cat; echo "$a $# $2 \${0##*/}"; exit 4\n`);
      chmodSync(path, 0o755);
      const { status, stdout } = spawnSync(path, ['1', 'b c'], { env, encoding: 'utf8', input: 'one\ntwo\n' });
      expect([status, stdout]).toEqual([4, 'two\none 2 b c by-env\n']);
    }
  });

  it('that is not there is told like a command that is not', () => {
    const { status, stderr } = run(nsh, ['nosuchfile']);
    expect(status).toBe(2);
    expect(stderr).toContain('no such command');
  });
});

describe('… | nsh', () => {
  it.each([
    ['read a\nfirst\necho "a is $a"\ncat\nrest\nof it\n'],
    ['x=1\nif true; then\n  echo "$x"\nfi\ncat <<E\nhere\nE\nexit 3\necho no\n'],
    ['echo no newline at the end'],
    ['f() {\n  echo in f\n}\nf\nfalse\n'],
    ['exec 3>&1\necho three >&3\n{ sleep 0.1; echo bg; } &\nwait $!\na=$$\n[ $a = $$ ] && echo same\n'],
    ['trap "echo bye" EXIT\nx=1\nset -u\n(echo $y)\nexit 5\necho no\n'],
    ['set -e\ntrap "echo bye \\$?" EXIT\necho a b\necho $_ $LINENO\nfalse | true\necho ${PIPESTATUS[@]}\n(exit 3)\n'],
    ['run() { echo "mine $*"; }\nrun a\nsleep 5 &\nkill %1\nwait $!\necho $?\n'],
    ['set -- a b\nshift\necho $1 $#\nreadonly r=1\nr=2\necho on $?\nexec echo replaced\necho no\n'],
    [''],
  ])('reads commands as bash does: %j', (text) => {
    expect(run(nsh, [], text)).toEqual(run(['bash', '--norc'], [], text));
  });

  it('hands the state over where something is nsh’s, and goes on in another bash', () => {
    const text =
      'x=1; f() { echo "f $x"; }\nnodeset -e a[1-2]\nf; x=2\nfalse\nnodeset -c a; echo $?\nf; trap "echo bye" EXIT\n';
    expect(run(nsh, [], text)).toEqual({ status: 0, stdout: 'a1 a2\nf 1\n1\n0\nf 2\nbye\n', stderr: '' });
  });

  it('reads them from a file, too, and leaves to commands what follows', () => {
    for (const first of ['', 'nodeset -c a\n']) {
      const path = join(root, 'input');
      writeFileSync(path, `${first}read a\nfirst\necho "a is $a"\nhead -1\nsecond\necho end\n`);
      const { stdout } = spawnSync(nsh[0], [nsh[1]], {
        stdio: [openSync(path, 'r'), 'pipe', 'pipe'],
        encoding: 'utf8',
        env: cleanEnv,
      });
      expect(stdout.replace(/^1\n/, '')).toBe('a is first\nsecond\nend\n');
    }
  });

  it('runs each command as soon as it is whole', async () => {
    const child = spawn(nsh[0], [nsh[1]], { env: cleanEnv });
    const output = child.stdout[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    child.stdin.write('echo one\n');
    expect(String((await output.next()).value)).toBe('one\n');
    child.stdin.write('for i in 2; do\n');
    child.stdin.write('echo $i; done\n');
    expect(String((await output.next()).value)).toBe('2\n');
    child.stdin.end();
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(0);
  });
});
