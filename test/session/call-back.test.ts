import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSession, testBuiltins, testNodes, type TestSession } from './session-fixture.ts';

/** In place of the nsh program: shows its words and the state it is given. */
const program = [
  'bash',
  '-c',
  'echo "nsh $*"; [ -n "$NSH_CALLED_BACK" ] && tr "\\0" "\\n" <&"$NSH_CALLED_BACK" | grep -aE "^(nsh-state-2|declare -- x=.*|f \\(\\) |nsh-state-end)$"; exit 4',
  'nsh',
] as const;

let shell: TestSession;

beforeEach(() => {
  shell = openSession({ nodes: testNodes(1), builtins: testBuiltins, callBack: program });
});

afterEach(() => {
  shell.dispose();
});

const whole = 'nsh-state-2\ndeclare -- x="5"\nf () \nnsh-state-end\n';

describe('bash calls nsh back', () => {
  it('for nodeset words inside loops, functions and substitutions, with its state', async () => {
    await shell.run('x=5; f() { :; }');
    expect((await shell.run('for i in "a b"; do @web1 ls "$i"; echo $?; done')).stdout).toBe(
      `nsh @web1 ls a b\n${whole}4\n`,
    );
    expect((await shell.run('v=$(@web1 id); echo "<$v>"; unset v')).stdout).toBe(
      `<nsh @web1 id\n${whole.trimEnd()}>\n`,
    );
    expect((await shell.run('f() { :; }; g() { @web1 "$@"; }', 'g uptime', 'unset -f g')).stdout).toBe(
      `nsh @web1 uptime\n${whole}`,
    );
  });

  it('for builtins inside them, unless a function has the name', async () => {
    expect((await shell.run('if true; then words a "b c"; fi', 'echo $?')).stdout).toBe('nsh words a b c\n4\n');
    expect((await shell.run('words() { echo mine; }', 'if true; then words; fi')).stdout).toBe('mine\n');
  });

  it('for kill and wait where an expansion gives a cluster PID, and for nothing else', async () => {
    expect((await shell.run('p=30004711; q=-$p; kill -9 $p; kill -- "$q"; wait `echo web1.7`')).stdout).toBe(
      'nsh kill -9 30004711\nnsh kill -- -30004711\nnsh wait web1.7\n',
    );
    expect((await shell.run('f() { kill "$@"; }', 'f -0 1 20000001', 'unset -f f')).stdout).toBe(
      'nsh kill -0 1 20000001\n',
    );
    const line =
      'sleep 100 & s=TERM; kill -s $s $!; wait $!; echo $?; kill -l $s; kill $(:) 2>&1; kill -0 $$ && echo $?; wait $(:)';
    const { stdout } = await shell.run(`(${line})`);
    expect(stdout.replaceAll(/line \d+: /g, '')).toBe(
      `143\n15\nkill: usage: kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]\n0\n`,
    );
    expect((await shell.run('kill() { echo mine $1; }; kill $p; unset -f kill', 'declare -F; echo end')).stdout).toBe(
      'mine 30004711\nend\n',
    );
  });

  it('and says of other commands what it always says', async () => {
    const { stderr, stdout } = await shell.run(
      '{ @web1 id; nosuchcommand a; } | tail -0; for i in 1; do nosuchcommand; echo $?; done',
    );
    expect(stdout).toBe('127\n');
    expect(stderr).toBe(
      'bash: line 1: nosuchcommand: command not found\nbash: line 1: nosuchcommand: command not found\n',
    );
  });

  it('and keeps none of this in the session', async () => {
    expect((await shell.run('for i in 1; do @web1 id; words; done >/dev/null', 'declare -F; echo end')).stdout).toBe(
      'end\n',
    );
  });

  it('for a builtin with redirections', async () => {
    expect((await shell.run('words a > out', 'cat out; x=1 words b | cat')).stdout).toBe('nsh words a\nnsh words b\n');
  });
});

describe('a session that was called', () => {
  it('begins as the bash that called', async () => {
    const caller = openSession({
      callBack: ['bash', '-c', 'cat <&"$NSH_CALLED_BACK"', 'nsh'],
      nodes: testNodes(1),
    });
    try {
      await caller.run('x=\'a b\'; f() { echo "f $x $1"; }; cd /usr; set -f');
      const { stdout } = await caller.run('for i in 1; do @web1 id; done');
      await shell.session.adopt(Buffer.from(stdout).toString('latin1'));
      expect((await shell.run('f 1; pwd; echo $- | grep -c f; @web1 f 2; declare -F')).stdout).toBe(
        'f a b 1\n/usr\n1\nf a b 2\ndeclare -f f\n',
      );
    } finally {
      caller.dispose();
    }
  });
});
