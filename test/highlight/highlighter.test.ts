import { describe, expect, it } from 'vitest';
import type { HighlightLookup } from '../../shell/highlight/highlight-style.ts';
import { Highlighter, highlight, maxHighlighted } from '../../shell/highlight/highlighter.ts';
import { cpuMsOf } from '../editor/cpu-time.ts';

const commands = new Set(['ls', 'cat', 'echo', 'grep', 'tail', 'true', '[', 'make']);

const lookup: HighlightLookup = {
  version: 1,
  around: {
    builtins: new Set(['ps', 'kill', 'run', 'nodes']),
    isDefined: (name) => name === 'myfunction',
    hasJobs: false,
    jobsAre: 'nsh',
  },
  command: (name, nodeset) => {
    if (nodeset === 'web2') return 'unsure';
    return commands.has(name) || name === 'myfunction' ? 'known' : 'missing';
  },
  nodeset: (nodeset) => (/^(web\d|all|web\[.*\]|@gpu)$/.test(nodeset) ? 'known' : 'missing'),
};

/** `word:style` for each span. */
function styled(text: string): string[] {
  return highlight(text, lookup).map(({ start, end, style }) => `${text.slice(start, end)}:${style}`);
}

describe('highlighting', () => {
  it.each([
    ['ls -l', ['ls:command']],
    ['lss -l', ['lss:command-missing']],
    ['ps -a', ['ps:builtin']],
    ['kill %1', ['kill:command-missing']],
    ['kill 30004711', ['kill:builtin']],
    ['myfunction x', ['myfunction:command']],
    ['@web1 tail -f x', ['@web1:node', 'tail:command']],
    ['@web1 tial', ['@web1:node', 'tial:command-missing']],
    ['@web2 tial', ['@web2:node', 'tial:command-unsure']],
    ['@wob1 ls', ['@wob1:node-missing', 'ls:command']],
    ['@web[1-8] ls', ['@web[1-8]:node', 'ls:command']],
    ['@@gpu ls', ['@@gpu:node', 'ls:command']],
    ['@$x ls', ['@$x:node-unsure', 'ls:command']],
    ['@all', ['@all:node']],
    ['@web1 { ls; }', ['@web1:node', '{:keyword', 'ls:command', ';:operator', '}:keyword']],
    ['@wob1 if ls; then', ['@wob1:node-missing', 'if:keyword', 'ls:command', ';:operator', 'then:keyword']],
    ['ls | @web1 grep x', ['ls:command', '|:operator', '@web1:node', 'grep:command']],
    ['echo "a $x" \'b\'', ['echo:command', '"a :string', '$x:expansion', '":string', "'b':string"]],
    ['echo ${x:-y} $((1+2))', ['echo:command', '${x:-y}:expansion', '$((1+2)):expansion']],
    ['x=5 y+=6 ls', ['x=:assignment', 'y+=:assignment', 'ls:command']],
    ['ls >out 2>&1', ['ls:command', '>:redirection', '2>&:redirection']],
    ['ls && make || ls &', ['ls:command', '&&:operator', 'make:command', '||:operator', 'ls:command', '&:operator']],
    ['ls # a comment', ['ls:command', '# a comment:comment']],
    ['echo a#b', ['echo:command']],
    ['if ls; then', ['if:keyword', 'ls:command', ';:operator', 'then:keyword']],
    [
      'for x in a b; do ls; done',
      ['for:keyword', 'in:keyword', ';:operator', 'do:keyword', 'ls:command', ';:operator', 'done:keyword'],
    ],
    ['! ls', ['!:keyword', 'ls:command']],
    ['[ -f x ]', ['[:command']],
    [
      'f() { ls; }; f',
      ['f:function', '():operator', '{:keyword', 'ls:command', ';:operator', '}:keyword', ';:operator', 'f:command'],
    ],
    [
      'echo $(ls | grep x)',
      ['echo:command', '$(:expansion', 'ls:command', '|:operator', 'grep:command', '):expansion'],
    ],
    ['echo "$(lss)"', ['echo:command', '":string', '$(:expansion', 'lss:command-missing', '):expansion', '":string']],
    ['cat <(ls)', ['cat:command', '<(:expansion', 'ls:command', '):expansion']],
    ['echo `ls`', ['echo:command', '`:expansion', 'ls:command', '`:expansion']],
    [
      'cat <<E\nfoo $x\nE\n',
      ['cat:command', '<<E:redirection', 'foo :string', '$x:expansion', '\n:string', 'E:redirection'],
    ],
    ['$x', ['$x:expansion']],
    ['"ls"', ['"ls":string']],
  ])('of %j is %j', (text, spans) => {
    expect(styled(text)).toEqual(spans);
  });

  it.each([
    'echo "abc',
    "echo 'abc",
    'if true; then ls',
    'echo $(',
    'ls |',
    'ls &&',
    'for x in',
    'cat <<E\nabc',
    '{ ls',
  ])('finds no error in %j, which is only unfinished', (text) => {
    expect(styled(text).filter((span) => span.endsWith(':error'))).toEqual([]);
  });

  it.each([
    ['ls | | ls', '|'],
    ['ls; ) ls', ')'],
    ['fi; ls', 'fi'],
    [';; ls', ';;'],
  ])('of %j shows the error at %j', (text, wrong) => {
    expect(styled(text)).toContain(`${wrong}:error`);
  });

  it('is kept until the text or what is known changes', () => {
    let asked = 0;
    let version = 1;
    const highlighter = new Highlighter({
      ...lookup,
      get version() {
        return version;
      },
      command: () => {
        asked++;
        return 'unsure';
      },
    });
    const first = highlighter.spansOf('ls -l');
    expect(highlighter.spansOf('ls -l')).toBe(first);
    expect(asked).toBe(1);
    version++;
    highlighter.spansOf('ls -l');
    expect(asked).toBe(2);
  });

  it('leaves a very long text plain', () => {
    expect(highlight(`ls ${'x'.repeat(maxHighlighted)}`, lookup)).toEqual([]);
  });
});

describe('any input', () => {
  const script = [
    '#!/bin/bash',
    'set -e; x=(1 2 3); declare -A m=([a]=1 ["b c"]=2)',
    'f() { local y="${1:-$(date +%s)}"; echo "$y" >&2; }',
    'while read -r line; do case "$line" in a*|b?) f "$line";; *) ((x++)) ;; esac; done < <(ls | sort -u)',
    'if [[ $x =~ ^[0-9]+$ && -f "$y" ]]; then @web[1-8] tail -f "/var/log/$x" | grep -v `hostname` &; fi',
    "cat <<-'EOF' > out 2>&1",
    '\tliteral $x',
    '\tEOF',
    "for ((i=0;i<10;i++)); do echo ${x[@]:1:2} ${y//a/b} $((1<<2)) $'\\n' @(a|b) {1..3}; done # end",
  ].join('\n');

  it('has spans in order within the text, for every prefix of a script and every cut in it', () => {
    for (let end = 0; end <= script.length; end++) {
      expectSound(script.slice(0, end));
      expectSound(script.slice(end));
    }
  });

  it('has spans in order within the text, for characters by chance', () => {
    let seed = 5;
    const random = (below: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return Math.floor((seed / 2_147_483_648) * below);
    };
    const signs = '()[]{}$`"\'\\|&;<>#!@*?=~ \n\tabcif-0\u{0}\u{1b}é日\u{d83d}'.split('');
    for (let round = 0; round < 3000; round++) {
      const text = Array.from({ length: random(60) }, () =>
        random(12) === 0 ? String.fromCharCode(random(65_536)) : (signs[random(signs.length)] ?? ''),
      ).join('');
      expectSound(text);
    }
  });

  it.each(['(', '$(', '{ ', '"$(', '`', '[[ ', '((', 'if ', '${a:-', '<(', '!', '$((', "$'", 'a|'])(
    'survives %j nested thousands of times',
    (opening) => {
      expectSound(opening.repeat(5000));
    },
  );

  function expectSound(text: string): void {
    let at = 0;
    for (const { start, end } of highlight(text, lookup)) {
      expect(start).toBeGreaterThanOrEqual(at);
      expect(end).toBeGreaterThan(start);
      at = end;
    }
    expect(at).toBeLessThanOrEqual(text.length);
  }
});

it('takes a usual line in less than 2 ms', () => {
  const lines = [
    'for x in a b c; do echo "$x" | grep -v "$(cat file)" > out; done',
    '@web[1-8] tail -f /var/log/syslog | grep error | sort | uniq -c',
    'if [[ -f $HOME/.bashrc ]]; then source "$HOME/.bashrc"; else echo none >&2; fi',
  ];
  const prefixes = lines.flatMap((line) => Array.from(line, (_, index) => line.slice(0, index + 1)));
  for (const prefix of prefixes) highlight(prefix, lookup);
  const costs = cpuMsOf(() => {
    for (const prefix of prefixes) highlight(prefix, lookup);
  });
  expect(costs / prefixes.length).toBeLessThan(2);
});
