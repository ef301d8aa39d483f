import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BashJob, BashRunner } from '../../shell/session/runner.ts';
import { openSession, type TestSession } from './session-fixture.ts';
import { sessionReport, type ReportParts } from './session-report.ts';

let shell: TestSession;
/** What the node answers in place of its state. */
let answer: (job: BashJob) => string;

beforeEach(() => {
  const evil: BashRunner = {
    node: 'evil',
    start: async (job) =>
      await Promise.resolve({
        pid: 1,
        kill: () => undefined,
        ended: Promise.resolve({ status: 0, report: answer(job) }),
      }),
  };
  shell = openSession({ nodes: { resolve: async () => await Promise.resolve([evil]) } });
});

afterEach(() => {
  shell.dispose();
});

/** The node's own state first, then the hostile one. */
function answering(parts: ReportParts): void {
  answer = (job) => (job.reports === 2 ? sessionReport({}) : '') + sessionReport(parts);
}

const touch = 'touch OWNED';

describe('a node that returns hostile state', () => {
  it.each([
    ['an expansion as a value', { variables: `declare -- x=$(${touch})\n` }],
    ['an expansion in quotes', { variables: `declare -- x="$(${touch})"\n` }],
    ['backquotes', { variables: `declare -- x="\`${touch}\`"\n` }],
    ['a command behind a value', { variables: `declare -- x="1"; ${touch}\n` }],
    ['a quote that is not closed', { variables: `declare -- x="1\n${touch}\n` }],
    ['a command in place of a declaration', { variables: `${touch}\n` }],
    ['a command as a name', { variables: `declare -- x;${touch};="1"\n` }],
    ['an option in place of letters', { variables: `declare -F x="1"\n` }],
    ['an integer with a subscript that runs', { variables: `declare -i x="a[$(${touch})]"\n` }],
    ['an escaped one', { variables: `declare -i x="a[\\$(${touch})]"\n` }],
    ['a reference with a subscript that runs', { variables: `declare -n x="a[\\$(${touch})]"\n` }],
    ['an array with a subscript that runs', { variables: `declare -a x=([a[\\$(${touch})]]="1")\n` }],
    ['a function with a command behind it', { functions: `f () \n{ \n    :\n}\n${touch}\n`, names: 'declare -f f\n' }],
    ['a function with a command before it', { functions: `${touch}; f () \n{ \n    :\n}\n`, names: 'declare -f f\n' }],
    [
      'a function that is closed early',
      { functions: `f () \n{ \n    :; }; ${touch}; { :\n}\n`, names: 'declare -f f\n' },
    ],
    [
      'a function that redirects as it is defined',
      { functions: `f () \n{ \n    :\n} & ${touch}\n`, names: 'declare -f f\n' },
    ],
    ['a function that is not closed', { functions: `f () \n{ \n    echo "\n`, names: 'declare -f f\n' }],
    [
      'a name of a function that runs',
      { functions: `f;${touch};f () \n{ \n    :\n}\n`, names: `declare -f $(${touch})\n` },
    ],
    ['an alias with a command behind it', { aliases: `alias x='y'; ${touch}\n` }],
    ['an alias with an expansion', { aliases: `alias x="$(${touch})"\n` }],
    ['a trap with a command behind it', { traps: `trap -- 'x' EXIT; ${touch}\n` }],
    ['an option with a command behind it', { options: `set -o pipefail; ${touch}\n` }],
    ['a limit with a command behind it', { limits: `open files (-n) 1024; ${touch}\n` }],
    ['a switch with a command behind it', { shopts: `shopt -s nullglob; ${touch}\n` }],
  ] as const)('%s: nothing of it runs, the line is dropped and told once', async (_, parts) => {
    answering(parts);
    const { stdout } = await shell.run('x=mine', '@evil true', '@evil true', 'echo on; f 2>/dev/null; ls');
    expect(stdout.startsWith('on\n')).toBe(true);
    expect(stdout).not.toContain('OWNED');
    expect(shell.told.length).toBeGreaterThan(0);
    expect(new Set(shell.told).size).toBe(shell.told.length);
    expect(shell.told.every((line) => line.startsWith('evil: '))).toBe(true);
    expect(existsSync(join(shell.directory, 'OWNED'))).toBe(false);
  });

  it.each([
    ['a value', { variables: `declare -- x="\\$(${touch})"\n` }, 'echo "$x"', `$(${touch})\n`],
    ['an element', { variables: `declare -a x=([0]="\\$(${touch})")\n` }, 'echo "${x[0]}"', `$(${touch})\n`],
    ['a key', { variables: `declare -A x=(["\\$(${touch})"]="v")\n` }, 'echo "${!x[@]}"', `$(${touch})\n`],
    ['a directory', { directory: `/$(${touch})\n` }, 'echo no', ''],
    ['a quote', { variables: `declare -- x="';${touch};'"\n` }, 'echo "$x"', `';${touch};'\n`],
  ] as const)('%s that only looks like a command stays a text', async (_, parts, line, printed) => {
    answering(parts);
    const { stdout } = await shell.run('true', '@evil true', line);
    expect(stdout).toBe(printed);
    expect(existsSync(join(shell.directory, 'OWNED'))).toBe(false);
  });

  it.each([
    ['of another form', () => 'hello\0'],
    ['that breaks off', () => sessionReport({}).slice(0, 30)],
    ['with something behind', (job: BashJob) => `${sessionReport({}).repeat(job.reports)}more\0`],
    [
      'of 10 MB',
      (job: BashJob) =>
        sessionReport({}).repeat(job.reports - 1) + sessionReport({ variables: `declare -- x="${'x'.repeat(1e7)}"\n` }),
    ],
    ['with a count of a million', () => ['nsh-state-2', '0', '_', '', '', '1000000', 'a', ''].join('\0')],
    [
      'with a umask that is none',
      (job: BashJob) => sessionReport({}).repeat(job.reports - 1) + sessionReport({ umask: '$(id)\n' }),
    ],
  ])('a state %s is refused whole, and the session is as it was', async (_, text) => {
    answer = text;
    const { stdout } = await shell.run('x=mine', '@evil true', 'echo $x');
    expect(stdout).toBe('mine\n');
    expect(shell.told).toHaveLength(1);
    expect(shell.told[0]).toMatch(/^evil: the session's state was not taken back: /);
  });

  it('can set neither what loads nor what belongs to this machine', async () => {
    answering({
      variables: ['LD_PRELOAD', 'BASH_ENV', 'PROMPT_COMMAND', 'HOME', 'SSH_AUTH_SOCK', 'NSH_SOCKET', 'ok']
        .map((name) => `declare -x ${name}="/evil"\n`)
        .join(''),
    });
    const { stdout } = await shell.run(
      'true',
      '@evil true',
      'echo "[$LD_PRELOAD$BASH_ENV$PROMPT_COMMAND$SSH_AUTH_SOCK$NSH_SOCKET] $HOME $ok"',
    );
    expect(stdout).toBe('[] /root /evil\n');
  });
});

describe('what a node may give back', () => {
  it('is no function that the session’s own texts rely on', async () => {
    const functions = ['builtin', 'exec', 'command'].map((name) => `${name} () \n{ \n    ${touch}\n}\n`).join('');
    answering({ functions, names: 'declare -f builtin\ndeclare -f command\ndeclare -f exec\n' });
    expect((await shell.run('true', '@evil true', 'echo on', 'command ls; declare -F')).stdout).toBe('on\n');
    expect(shell.told).toHaveLength(3);
    expect(shell.told[0]).toContain("(nsh relies on bash's own builtin)");
  });

  it('is no trap and no prompt that is expanded here', async () => {
    answering({
      traps: `trap -- '${touch}' EXIT\ntrap -- '${touch}' USR1\n`,
      variables: `declare -- PS4="\\$(${touch})"\n`,
      options: 'set -o xtrace\n',
    });
    expect((await shell.run('true', '@evil true', 'kill -URG $BASHPID; echo on; set +x')).stdout).toBe('on\n');
    expect((await shell.run('ls; trap -p')).stdout).toBe('');
    await shell.session.close();
    expect(existsSync(join(shell.directory, 'OWNED'))).toBe(false);
  });

  it('may be read-only, and the session goes on', async () => {
    answering({
      variables: `declare -rx OLDPWD="/x"\ndeclare -r IFS="e"\ndeclare -r PATH="${process.env['PATH'] ?? ''}"\n`,
    });
    const { stdout, stderr } = await shell.run('cd /', '@evil true', 'pwd; echo on; cd /usr 2>/dev/null; pwd', 'pwd');
    expect([stdout, stderr]).toEqual([expect.stringMatching(/^\/\non\n/), '']);
  });

  it('has names and values with control characters only where bash has them, and nothing of them is told raw', async () => {
    answering({
      variables: 'declare -- \x1b[2Jx="1"\ndeclare -- y="\x1b]0;t\x07"\ndeclare -- \xffz="1"\n',
      functions: 'f\x1b () \n{ \n    :\n}\n',
      names: 'declare -f f\x1b\n',
      aliases: "alias a\x07='b'\n",
    });
    const { stdout } = await shell.run('true', '@evil true', 'printf %q "$y"');
    expect(stdout).toBe(String.raw`$'\E]0;t\a'`);
    expect(shell.told.length).toBeGreaterThan(0);
    expect(shell.told.join('')).not.toMatch(/[\x00-\x1f\x7f-\x9f]/);
  });
});

describe('a function that bash reads otherwise than the parser that let it pass', () => {
  it.each([
    [`f () \n{ \n    :\n}\n${touch}\n`],
    [`f () \n{ \n    :\n}; (${touch}) & wait\n`],
    [`f () \n{ \n    :\n}; for i in 1; do ${touch}; done; x=$(${touch})\n`],
    [`f () \n{ \n    :\n} > OWNED; : > OWNED; > OWNED; trap - DEBUG; ${touch}\n`],
    [
      `f () \n{ \n    :\n}; builtin trap - DEBUG; shopt -u extdebug; ${touch} | ${touch}; if ${touch}; then ${touch}; fi\n`,
    ],
  ])('runs nothing as it is defined: %j', async (text) => {
    const { session } = shell;
    await shell.run('true');
    session.state = { ...session.state, functions: new Map([['f', { text, attributes: '' }]]) };
    const { stdout } = await shell.run('ls; f; echo on');
    expect(stdout).toBe('on\n');
  });
});
