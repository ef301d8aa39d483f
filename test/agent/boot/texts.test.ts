/** The texts that start an agent at boot: crontab line, unit, script. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bootScriptText } from '../../../agent/boot/boot-script.ts';
import { bootLine, hasBootLine, meansEmpty, withBootLine, withoutBootLine } from '../../../agent/boot/crontab-text.ts';
import { unitText } from '../../../agent/boot/systemd-unit.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'nsh-boot-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** All that shells, crontabs and units treat in some way of their own. */
const odd = `a b%h$HOME"q'\\x;#&`;

describe('a crontab', () => {
  const mark = 'nsh-agent demo 3';
  const line = bootLine('/s/boot.sh', '/s/agent.log', mark);

  it('gets a line that runs the script at boot', () => {
    expect(line).toBe(`@reboot /bin/sh '/s/boot.sh' start >>'/s/agent.log' 2>&1 # ${mark}`);
    expect(withBootLine('', line, mark)).toBe(`${line}\n`);
    expect(withBootLine('A=1\n@daily x\n', line, mark)).toBe(`A=1\n@daily x\n${line}\n`);
    expect(withBootLine('@daily no line feed', line, mark)).toBe(`@daily no line feed\n${line}\n`);
  });

  it('has it once, at its place, however often it is put in, in its newest form', () => {
    const before = `A=1\n@reboot /bin/sh 'old' start # ${mark}\n# a remark\n\n@reboot /bin/sh 'older' start # ${mark}\n`;
    expect(withBootLine(before, line, mark)).toBe(`A=1\n${line}\n# a remark\n\n`);
    const once = withBootLine(before, line, mark);
    expect(withBootLine(once, line, mark)).toBe(once);
  });

  it.each(['', 'A=1\n', '@daily x\n# a remark\n\n\n', '# nsh-agent demo 3\n', '@reboot own # nsh-agent demo 33\n'])(
    'is as it was when the line is gone: %j',
    (text) => {
      expect(hasBootLine(text, mark)).toBe(false);
      expect(hasBootLine(withBootLine(text, line, mark), mark)).toBe(true);
      expect(withoutBootLine(withBootLine(text, line, mark), mark)).toBe(text);
    },
  );

  it('keeps the lines of other nodes and clusters', () => {
    const both = withBootLine(
      withBootLine('', line, mark),
      bootLine('/t', '/u', 'nsh-agent demo 4'),
      'nsh-agent demo 4',
    );
    expect(withoutBootLine(both, mark)).toBe(`${bootLine('/t', '/u', 'nsh-agent demo 4')}\n`);
  });

  it.each([
    ['no crontab for root', true],
    ["crontab: can't open 'root': No such file or directory", true],
    ['You (x) are not allowed to use this program (crontab)', false],
    ['/var/spool/cron/: mkstemp: Permission denied', false],
  ])('that says %j is empty: %j', (said, isEmpty) => expect(meansEmpty(`${said}\n`)).toBe(isEmpty));

  it('runs the very script, however it is called', () => {
    const script = join(directory, `${odd}.sh`);
    const log = join(directory, `${odd}.log`);
    writeFileSync(script, 'echo "$1 and $#"\n');
    // What cron(8) makes of the line: the command up to the first bare %, \% being one.
    const command = bootLine(script, log, mark).replace('@reboot ', '').replaceAll(String.raw`\%`, '%');
    execFileSync('/bin/sh', ['-c', command]);
    expect(execFileSync('cat', [log], { encoding: 'utf8' })).toBe('start and 1\n');
  });
});

describe('the script', () => {
  it('runs the program with its options, the verb and the identity, in the environment of the agent that wrote it', () => {
    const program = join(directory, `${odd}.js`);
    writeFileSync(program, 'console.log(JSON.stringify([process.argv.slice(2), process.env, process.cwd()]));');
    const env = { HOME: odd, PATH: `/bin:${odd}\n`, NSH_CLUSTER: '/c.yaml', SSH_AUTH_SOCK: '/s', LANG: undefined };
    const facts = {
      cluster: 'demo',
      node: 3,
      name: 'n3',
      interpreter: process.execPath,
      options: ['--keep-age', '7'],
      program,
      env,
    };
    const script = join(directory, 'boot.sh');
    writeFileSync(script, bootScriptText(facts));
    const text = execFileSync('/bin/sh', [script, 'serve', '--wait'], { env: { PATH: '/nowhere' }, encoding: 'utf8' });
    const [argv, variables, cwd] = JSON.parse(text) as [string[], Record<string, string>, string];
    expect(argv).toEqual([
      '--idle',
      '0',
      '--keep-age',
      '7',
      'serve',
      '--wait',
      '--cluster',
      'demo',
      '--node',
      '3',
      '--name',
      'n3',
    ]);
    expect(variables).toMatchObject({ HOME: odd, PATH: `/bin:${odd}\n`, NSH_CLUSTER: '/c.yaml' });
    expect(variables).not.toHaveProperty('SSH_AUTH_SOCK');
    expect(cwd).toBe('/');
  });
});

const canVerify = spawnSync('systemd-analyze', ['--version']).error === undefined;
if (!canVerify && process.env['CI'] === 'true') throw new Error('systemd-analyze is missing: apt-get install systemd');

describe.skipIf(!canVerify)('the unit, as systemd-analyze reads it', () => {
  const verify = (text: string): string => {
    const runtime = join(directory, 'run');
    mkdirSync(runtime, { recursive: true });
    const path = join(directory, 'nsh-agent-demo-3.service');
    writeFileSync(path, text);
    const env = { ...process.env, XDG_RUNTIME_DIR: runtime, HOME: directory };
    const { status, stdout, stderr } = spawnSync('systemd-analyze', ['--user', '--man=no', 'verify', path], {
      env,
      encoding: 'utf8',
    });
    return `${stdout}${stderr}${status === 0 ? '' : `status ${status}`}`;
  };
  const facts = { cluster: 'demo', name: 'n3', machine: '0123456789abcdef0123456789abcdef' };

  it('has no fault, however the script is called', () => {
    expect(verify(unitText({ ...facts, script: '/s/boot.sh' }))).toBe('');
    expect(verify(unitText({ ...facts, script: `/s/${odd}/boot.sh` }))).toBe('');
  });

  it('would be told if it had one', () => {
    expect(verify(`${unitText({ ...facts, script: '/s/boot.sh' })}\n[Service]\nBogus=1\n`)).toContain(
      "Unknown key 'Bogus'",
    );
  });
});
