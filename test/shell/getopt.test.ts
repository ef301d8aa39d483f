import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { Command, OptionSpec } from '../../shell/command.ts';
import { parseOptions, renderHelp, type OptionOrder } from '../../shell/getopt.ts';
import { NshError } from '../../src/protocol/errors.ts';

const specs: readonly OptionSpec[] = [
  { short: 'a', long: 'all', summary: 'everything' },
  { short: 'n', long: 'on', argument: 'NODESET', summary: 'the nodes' },
  { short: 'v', summary: 'say more' },
  { long: 'name', argument: 'NAME', summary: 'a name' },
  { long: 'nameless', summary: 'no name' },
  { long: 'keep', argument: 'SIZE', summary: 'kept output' },
  { long: 'keys', summary: 'keys' },
  { short: 'c', long: 'colour', argument: '[WHEN]', summary: 'colours' },
];

/**
 * What getopt_long(3) makes of each line of words, through getopt(1) of util-linux: options and operands as it sorts them, or
 * its message.
 */
function askGetopt(lines: readonly string[], order: OptionOrder): (string[] | string)[] {
  const short = `${order === 'posix' ? '+' : ''}an:vc::`;
  const long = 'all,on:,name:,nameless,keep:,keys,colour::';
  const script = `set -f; s=$1 l=$2; while IFS= read -r line; do
    if words=$(getopt -n x -o "$s" -l "$l" -- $line 2>&1); then eval "set -- $words"; printf ok; printf '\\037%s' "$@"; echo
    else printf 'no\\037%s\\n' "$(echo "$words" | head -n 1)"; fi; done`;
  const { stdout } = spawnSync('/bin/sh', ['-c', script, 'sh', short, long], {
    input: lines.map((line) => `${line}\n`).join(''),
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8' },
  });
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [verdict, ...words] = line.split('\u001f');
      return verdict === 'ok' ? words : (words[0] ?? '').replace(/^x: /, '');
    });
}

/** The same for ours. */
function ask(args: readonly string[], order: OptionOrder): string[] | string {
  try {
    const { options, operands } = parseOptions(specs, args, order);
    const words = options.flatMap(({ option, value }) => {
      const name = option.long === undefined ? `-${option.short}` : `--${option.long}`;
      if (option.argument === undefined) return [name];
      return [name, value ?? ''];
    });
    return [...words, '--', ...operands];
  } catch (error) {
    if (error instanceof NshError && error.code === 'usage') return error.message;
    throw error;
  }
}

/** getopt(1) answers with the name that was typed; ours with the option: long names here, arguments as they are. */
function withLongNames(answer: string[] | string): string[] | string {
  if (typeof answer === 'string') return answer;
  const words: string[] = [];
  for (let at = 0; at < answer.length; at += 1) {
    const word = answer[at] ?? '';
    if (word === '--') return [...words, ...answer.slice(at)];
    const option = specs.find(({ short, long }) => word === `-${short}` || word === `--${long}`);
    words.push(option?.long === undefined ? word : `--${option.long}`);
    if (option?.argument !== undefined) words.push(answer[++at] ?? '');
  }
  return words;
}

describe('options are read as getopt_long reads them', () => {
  const lines = [
    [
      '',
      '-a',
      '-av',
      '-va op',
      '-nweb1',
      '-n web1',
      '-avnweb1',
      '-avn web1 op',
      '-n -a',
      '-n --',
      '--on web1',
      '--on=web1',
      '--on=',
      '--on=a=b',
    ],
    [
      '--all',
      '--al',
      '--o web1',
      '--o=web1',
      '--name x',
      '--name=x',
      '--nameless',
      '--namel',
      '--nam x',
      '--ke',
      '--keep=1',
      '--k',
      '--c',
      '--colour=always op',
    ],
    [
      '-c op',
      '-calways op',
      '-ac',
      '--colour op',
      'op -a',
      'op1 -n web1 op2 -v',
      '-- -a',
      'op -- -a',
      '- -a',
      '-a -',
      '-a - -v',
      '-v -v -v',
      '-n a -n b',
    ],
    [
      '-x',
      '-ax',
      '--foo',
      '--foo=bar',
      '--fo',
      '-n',
      '-an',
      '--on',
      '--all=yes',
      '--al=yes',
      '--=x',
      '---',
      '--name',
      'op --name',
      '--nameless=x',
    ],
    ['-a --on x y --name=z -- -v w', '--on -- --', 'run -n x', '-v run -n x -- -a', '-v -- run -n x', 'run --foo'],
  ].flat();
  const cases = (['permute', 'posix'] as const).flatMap((order) => {
    const answers = askGetopt(lines, order);
    return lines.map((line, index) => [line, order, withLongNames(answers[index] ?? 'no answer')] as const);
  });
  it.each(cases)('%j, %s', (line, order, answer) => {
    expect(ask(line === '' ? [] : line.split(' '), order)).toEqual(answer);
  });
});

describe('options', () => {
  it('keep their order among the operands', () => {
    const { items } = parseOptions(specs, ['a', '-v', 'b', '-nx', 'c']);
    expect(
      items.map((item) => (item.option === undefined ? item.operand : `-${item.option.short}${item.value ?? ''}`)),
    ).toEqual(['a', '-v', 'b', '-nx', 'c']);
  });

  it.each([
    ['-é', "invalid option -- 'é'"],
    ['-\u001b[2J', String.raw`invalid option -- '\x1b'`],
    ['--x\u0007', String.raw`unrecognized option '--x\x07'`],
  ])('of any letter are named in the message, but never raw: %j', (word, message) => {
    expect(ask([word], 'permute')).toBe(message);
  });

  it('are the objects of the table, so that a command can compare them', () => {
    expect(parseOptions(specs, ['-a']).options[0]?.option).toBe(specs[0]);
  });
});

describe('the help text', () => {
  const command: Command = {
    name: 'run',
    synopsis: ['[-n NODESET] COMMAND [ARGUMENT…]', '--all COMMAND'],
    summary: 'run a command on a node, or on many',
    options: [
      {
        short: 'n',
        long: 'on',
        argument: 'NODESET',
        summary: 'where; without it the least loaded node of the cluster is taken',
      },
      { short: 'd', summary: 'print the cluster PID only' },
      { long: 'on-disconnect', argument: 'keep|hup|kill|whatever', summary: 'what happens when the link is lost' },
      { short: 'e', argument: 'VAR=VALUE', summary: 'set a variable' },
      { short: 'c', long: 'colour', argument: '[WHEN]', summary: 'colours' },
    ],
    run: () => Promise.resolve(0),
  };

  it('aligns what the options do, and keeps to the width', () => {
    expect(renderHelp(command, 60)).toBe(
      [
        'Usage: nsh run [-n NODESET] COMMAND [ARGUMENT…]',
        '       nsh run --all COMMAND',
        '',
        'Run a command on a node, or on many.',
        '',
        'Options:',
        '  -n, --on=NODESET     where; without it the least loaded',
        '                       node of the cluster is taken',
        '  -d                   print the cluster PID only',
        '      --on-disconnect=keep|hup|kill|whatever',
        '                       what happens when the link is lost',
        '  -e VAR=VALUE         set a variable',
        '  -c, --colour[=WHEN]  colours',
        '',
      ].join('\n'),
    );
  });

  it('of a builtin does not name nsh', () => {
    expect(renderHelp(command, 80, '')).toMatch(/^Usage: run \[/);
  });

  it('fits narrow terminals', () => {
    const widest = Math.max(
      ...renderHelp(command, 40)
        .split('\n')
        .map((line) => line.length),
    );
    expect(widest).toBeLessThanOrEqual(47);
  });
});
