import { Transform, type Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSession, testBuiltins, testNodes, type TestSession } from './session-fixture.ts';

let shell: TestSession;

beforeEach(() => {
  shell = openSession({ nodes: testNodes(3), builtins: testBuiltins });
});

afterEach(() => {
  shell.dispose();
});

describe('a command on a node', () => {
  it('sees the variables and functions of the session', async () => {
    const { stdout } = await shell.run('x=5; f() { echo "$x $1 $NODE_NAME"; }', '@web2 f hi');
    expect(stdout).toBe('5 hi web2\n');
  });

  it('gives back what it changed', async () => {
    const { stdout } = await shell.run(
      '@web1 x=from-web1',
      '@web1 cd /usr',
      'echo $x; pwd',
      '@web2 pwd; echo $NODE_NAME',
    );
    expect(stdout).toBe('from-web1\n/usr\n/usr\n\n');
  });

  it('does not expand its words here', async () => {
    expect((await shell.run('NODE_NAME=mine; true', '@web1 eval "echo \\$NODE_NAME"')).stdout).toBe('mine\n');
    expect((await shell.run('unset NODE_NAME', '@web1 echo "[${NODE_NAME-gone}]"')).stdout).toBe('[gone]\n');
  });

  it('has a status that ends nothing', async () => {
    const { stdout } = await shell.run('@web1 exit 3', 'echo $?', '@web1 nosuchcommand 2>/dev/null', 'echo $?');
    expect(stdout).toBe('3\n127\n');
  });

  it('is stopped by set -e, and by a condition not', async () => {
    expect((await shell.run('set -e', '@web1 false || echo caught', '! @web1 true', 'echo on')).stdout).toBe(
      'caught\non\n',
    );
    const end = await shell.run('@web1 false', 'echo no');
    expect(end).toMatchObject({ isOver: true, status: 1, stdout: '' });
  });

  it('can be named by a variable', async () => {
    expect((await shell.run('n=web3', '@$n echo \'$NODE_NAME\'; @"$n" printenv NODE_NAME')).stdout).toBe(
      '$NODE_NAME\nweb3\n',
    );
  });

  it('takes its here-document along', async () => {
    const { stdout } = await shell.run('x=here', '@web1 cat <<A; cat <<B\n$x $NODE_NAME\nA\nlocal\nB\necho end');
    expect(stdout).toBe('here web1\nlocal\nend\n');
  });

  it('that names nobody says so and runs nothing', async () => {
    const { status } = await shell.run('@nobody rm -rf /nothing');
    expect(status).toBe(2);
    expect(shell.told).toEqual(['no node nobody']);
  });

  it('runs on each of several nodes, and the largest status counts', async () => {
    const { stdout } = await shell.run('@all printenv NODE_NAME');
    expect(stdout.split('\n').sort()).toEqual(['', 'web1', 'web2', 'web3']);
    expect((await shell.run("@all bash -c 'exit ${NODE_NAME#web}'")).status).toBe(3);
  });
});

describe('a pipeline over nodes', () => {
  it('streams from stage to stage', async () => {
    const { stdout } = await shell.run('@web1 seq 5 | @web2 sed "s/^/$NODE_NAME /" | tail -2', 'echo ${PIPESTATUS[@]}');
    expect(stdout).toBe('web2 4\nweb2 5\n0 0 0\n');
  });

  it('has the status of its last stage, with pipefail that of the last that failed', async () => {
    const { stdout } = await shell.run(
      '@web1 exit 3 | @web2 true',
      'echo $? ${PIPESTATUS[@]}',
      'set -o pipefail; @web1 exit 3 | @web2 true',
      'echo $? ${PIPESTATUS[@]}',
      '! @web1 exit 3 | @web2 true',
      'echo $?',
    );
    expect(stdout).toBe('0 3 0\n3 3 0\n0\n');
  });

  it('ends the writer by SIGPIPE when the reader has gone', async () => {
    const { stdout } = await shell.run('@web1 yes | @web2 head -1', 'echo ${PIPESTATUS[@]}');
    expect(stdout).toBe('y\n141 0\n');
  });

  it('passes on everything, and only stdout', async () => {
    const { stdout, stderr } = await shell.run('@web1 eval "head -c 3000000 /dev/zero; echo e >&2" | @web2 wc -c');
    expect([stdout, stderr]).toEqual(['3000000\n', 'e\n']);
  });

  it('passes stderr on with |&', async () => {
    expect((await shell.run('@web1 ls /nonexistent |& @web2 grep -c nonexistent')).stdout).toBe('1\n');
  });

  it('copies its input to each of several nodes', async () => {
    const { stdout } = await shell.run('echo data | @all cat | sort | uniq -c | sed "s/^ *//"');
    expect(stdout).toBe('3 data\n');
  });

  it('changes nothing in the session', async () => {
    expect((await shell.run('x=1', '@web1 x=2 | @web2 cat; echo $x')).stdout).toBe('1\n');
  });

  it('runs neighbours on one node in one bash', async () => {
    const { stdout } = await shell.run('@web1 echo a | @web1 cat; echo ${PIPESTATUS[@]}');
    expect(stdout).toBe('a\n0 0\n');
  });

  it('has the status of each stage, also of those that were one bash', async () => {
    const { stdout } = await shell.run(
      '@web1 exit 3 | @web1 true | @web1 exit 4 | cat; echo $? ${PIPESTATUS[@]}',
      'cat /dev/null | @web2 exit 5 | @web2 exit 6; echo $? ${PIPESTATUS[@]}',
      'lines 1 | exit 2 | exit 3 | count; echo ${PIPESTATUS[@]}',
      'set -o pipefail; @web1 exit 3 | @web1 true | count; echo $?; set +o pipefail',
      '@web1 yes | @web1 cat | head -1; echo ${PIPESTATUS[@]}',
      '@web1 cat <<E | @web1 { wc >/dev/null; exit 7; } | cat\nx\nE\necho ${PIPESTATUS[@]}',
    );
    expect(stdout).toBe('0 3 0 4 0\n6 0 5 6\n0\n0 2 3 0\n0\n3\ny\n141 141 0\n0 7 0\n');
  });

  it('has them under set -e and set -x too', async () => {
    const { stdout, stderr } = await shell.run(
      'set -e; @web1 exit 3 | @web1 false | cat; echo ${PIPESTATUS[@]}',
      '@web1 (false; echo no) | @web1 cat | cat; echo ${PIPESTATUS[@]}; set +e',
      'set -x; @web1 true | @web1 exit 2 | cat; { echo ${PIPESTATUS[@]}; set +x; } 2>/dev/null',
    );
    expect(stdout).toBe('3 1 0\n1 0 0\n0 2 0\n');
    expect(stderr.replaceAll(/^\++ /gm, '').trim().split('\n').sort()).toEqual(['cat', 'exit 2', 'true']);
  });

  it('can be timed, with the CPU time of what ran on nodes and here', async () => {
    const burn = 'for ((i = 0; i < 60000; i++)); do :; done';
    const { stderr } = await shell.run(
      `TIMEFORMAT='%U %S'; time @web1 { ${burn}; }`,
      `time @web1 { ${burn}; } | cat`,
      `time lines 1 | { ${burn}; }`,
    );
    const found = stderr
      .trim()
      .split('\n')
      .map((line) => Number(line.split(' ')[0]));
    expect(found).toHaveLength(3);
    for (const user of found) expect(user).toBeGreaterThan(0.02);
  });

  it('can be timed', async () => {
    const { stderr, stdout } = await shell.run('time -p @web1 true', 'TIMEFORMAT="%%"; time @web1 echo x');
    expect(stderr.replaceAll(/\d/g, '0')).toBe('real 0.00\nuser 0.00\nsys 0.00\n%\n');
    expect(stdout).toBe('x\n');
  });
});

describe('a node that writes in pieces', () => {
  it('is labelled to its last line before the stage ends', async () => {
    const labelled = (target: Writable, { node }: { readonly node: string }): Writable => {
      const through = new Transform({
        transform(chunk: Buffer, _encoding, done) {
          setImmediate(() => done(null, `${node}: ${chunk.toString()}`));
        },
      });
      through.pipe(target, { end: false });
      return through;
    };
    const own = openSession({ nodes: { ...testNodes(2), labelled } });
    try {
      const { stdout } = await own.run('@web1,web2 echo x | sort | cat', 'echo ${PIPESTATUS[@]}');
      expect(stdout).toBe('web1: x\nweb2: x\n0 0 0\n');
    } finally {
      own.dispose();
    }
  });
});

describe('a builtin', () => {
  it('takes part in pipelines', async () => {
    expect((await shell.run('lines 3 | tail -1; seq 4 | count')).stdout).toBe('line 3\n4\n');
    expect((await shell.run('seq 7 | grep -v 3 | count | cat -n | tr -d " \\t"')).stdout).toBe('16\n');
  });

  it('gets its words as bash expands them', async () => {
    const { stdout } = await shell.run(
      'a=(1 "two words"); touch b1 b2',
      'words "${a[@]}" b* $((1+1)) {x,y} \'q q\' ""',
    );
    expect(stdout).toBe('["1","two words","b1","b2","2","x","y","q q",""]\n');
  });

  it('does not run when its words cannot be expanded', async () => {
    const { stdout, status } = await shell.run('words ${x:?is unset}');
    expect([stdout, status]).toEqual(['', 127]);
  });

  it('sets the status, also between && and ||', async () => {
    const { stdout } = await shell.run('fail 4', 'echo $?', 'fail 1 && echo no || echo yes; fail 0 && echo zero');
    expect(stdout).toBe('4\nyes\nzero\n');
  });

  it('yields to a function or an alias of its name', async () => {
    expect((await shell.run('words() { echo mine; }', 'words a', 'unset -f words', 'words a')).stdout).toBe(
      'mine\n["a"]\n',
    );
  });

  it('that bash has too is nsh’s for processes of the cluster alone', async () => {
    const { stdout } = await shell.run('kill -0 $BASHPID; echo $?', 'kill 30004711', 'wait web1.4711', 'wait; echo $?');
    expect(stdout).toBe('0\nnsh kill 30004711\nnsh wait web1.4711\n0\n');
  });
});

describe('a syntax error', () => {
  it('near what is nsh’s points at its place and runs nothing', async () => {
    const { stdout, status } = await shell.run('echo a', 'echo b; @web1 ls |');
    expect([stdout, status]).toEqual(['a\n', 2]);
    expect(shell.told).toEqual([
      "line 2, column 19: syntax error: expected command after '|'\n  echo b; @web1 ls |\n                    ^",
    ]);
  });

  it('in what is bash’s alone is bash’s to explain', async () => {
    const { stderr, status } = await shell.run('echo )');
    expect(status).toBe(2);
    expect(stderr).toContain("syntax error near unexpected token `)'");
  });
});
