import { describe, expect, it } from 'vitest';
import { toByteText } from '../../shell/language/byte-text.ts';
import { findCallBacks } from '../../shell/language/call-back.ts';
import { cutScript } from '../../shell/language/cut.ts';
import { replaceLastJob } from '../../shell/language/last-job.ts';
import type { Surroundings } from '../../shell/language/nsh-words.ts';
import { faultOf, isUnfinished, parseScript } from '../../shell/language/script-tree.ts';
import type { Stage, Step } from '../../shell/language/steps.ts';
import { describeFault } from '../../shell/language/syntax-error.ts';

const around: Surroundings = {
  builtins: new Set(['ps', 'kill', 'wait', 'jobs', 'nodes', 'run']),
  isDefined: () => false,
  hasJobs: false,
  jobsAre: 'nsh',
};

/** `bash{…}` a text of bash's, `web1:…` a stage on nodes, `ps(…)` a builtin, `&` a job. */
function show(step: Step): string {
  if (step.kind === 'bash') return `bash{${step.text}}`;
  if (step.kind === 'job') return `job[${show(step.body)}]`;
  if (step.kind === 'list')
    return step.items.map(({ operator, step: each }) => `${operator ?? ''}${show(each)}`).join(' ');
  const stages = step.stages.map(showStage).join(' | ');
  return `${step.isNegated ? '!' : ''}${step.timed === undefined ? '' : 'time '}<${stages}>`;
}

function showStage(stage: Stage): string {
  if (stage.kind === 'bash') return `{${stage.text}}`;
  if (stage.kind === 'node') return `${stage.where}:${stage.text}`;
  return `${stage.name}(${stage.literalArgs?.join(',') ?? `expand ${stage.words}`})`;
}

const cut = (text: string, options: Partial<Surroundings> = {}): string[] =>
  cutScript(text, { ...around, ...options }).map(show);

describe('a script is cut', () => {
  it.each([
    ['echo a; echo b\n# c\necho d', ['bash{echo a; echo b\n# c\necho d}']],
    ['a; b; @web1 c d; e; f', ['bash{a; b}', '<web1:c d>', 'bash{e; f}']],
    ['@web[1-8] uptime | sort', ['<web[1-8]:uptime | {sort}>']],
    ['a | @web1 b |& ps -e | d', ['<{a} | web1:b | ps(-e) | {d}>']],
    ['a && @web1 b || c', ['bash{a} &&<web1:b> ||bash{c}']],
    ['! time @web1 b', ['!time <web1:b>']],
    ['a & b', ['job[bash{a}]', 'bash{b}']],
    ['a | b && c &', ['job[bash{a | b && c}]']],
    ['@web1 a | b &', ['job[<web1:a | {b}>]']],
    ['x=1 @web1 a >f', ['<web1:x=1 a >f>']],
    ['if a; then @web1 b; fi', ['bash{if a; then @web1 b; fi}']],
    ['(@web1 b); { ps; }', ['bash{(@web1 b); { ps; }}']],
    ['ps $x "a b" *', ['<ps(expand $x "a b" *)>']],
    ['@$n a; @"$n" b', ['<$n:a>', '<"$n":b>']],
    ['', []],
    ['# only', []],
  ])('%j', (text, steps) => {
    expect(cut(text)).toEqual(steps);
  });

  it('with each here-document at its command', () => {
    expect(cut('cat <<A; @web1 cat <<B; wc <<C\n1\nA\n2\nB\n3\nC\necho end')).toEqual([
      'bash{cat <<A\n1\nA\n}',
      '<web1:cat <<B\n2\nB\n>',
      'bash{wc <<C\n3\nC\necho end}',
    ]);
  });

  it('with the line each step begins at', () => {
    expect(cutScript('a\nb\n@web1 c\n\nd', around).map(({ line }) => line)).toEqual([0, 2, 4]);
  });

  it('nowhere for what is quoted, an argument, or no nodeset', () => {
    for (const text of [
      '"@web1" ls',
      '\\@web1 ls',
      'echo @web1',
      "'ps'",
      '\\ps',
      'command ps',
      '/bin/ps',
      '@',
      '@(a|b)',
    ]) {
      expect(cut(text)).toEqual([`bash{${text}}`]);
    }
  });

  it('nowhere for a builtin that the script or the session defines itself', () => {
    expect(cut('run() { :; }; run x')).toEqual(['bash{run() { :; }; run x}']);
    expect(cut("alias ps='echo'\nps")).toHaveLength(1);
    expect(cut('run x', { isDefined: (name) => name === 'run' })).toEqual(['bash{run x}']);
  });

  it('for kill, wait and jobs only where bash cannot mean it', () => {
    for (const text of ['kill 123', 'kill %1', 'kill -9 $pid', 'wait', 'wait $!', 'jobs -l', 'kill -l']) {
      expect(cut(text)).toEqual([`bash{${text}}`]);
    }
    expect(cut('kill -9 30004711')).toEqual(['<kill(-9,30004711)>']);
    expect(cut('wait web1.4711')).toEqual(['<wait(web1.4711)>']);
    expect(cut('kill --force 12')).toEqual(['<kill(--force,12)>']);
    const hasJobs = true;
    expect(cut('kill %1; wait; jobs; wait $p; kill -l', { hasJobs })).toEqual([
      '<kill(%1)>',
      '<wait()>',
      '<jobs()>',
      '<wait(expand $p)>',
      'bash{kill -l}',
    ]);
    expect(cut('a & wait')).toEqual(['job[bash{a}]', '<wait()>']);
  });

  it("continues a job that stands in a command's place, where a person is at it", () => {
    const typed = { isInteractive: true, builtins: new Set([...around.builtins, 'fg', 'bg']) };
    expect(cut('%1', typed)).toEqual(['<fg(%1)>']);
    expect(cut('%?make; echo', typed)).toEqual(['<fg(expand %?make)>', 'bash{echo}']);
    expect(cut('%1 &', typed)).toEqual(['<bg(%1)>']);
    expect(cut('%1')).toEqual(['bash{%1}']);
  });

  it('not at & where bash keeps the jobs', () => {
    expect(cut('a & b; wait', { jobsAre: 'bash' })).toEqual(['bash{a & b; wait}']);
    expect(cut('a & @web1 b', { jobsAre: 'bash' })).toEqual(['bash{a &}', '<web1:b>']);
  });
});

describe('what bash calls back for', () => {
  it('is found at any depth, and only as a command', () => {
    const found = (text: string) => {
      const { nodesets, builtins } = findCallBacks(text, around);
      return { nodesets, builtins };
    };
    expect(found('for i in 1; do @web1 a; done')).toEqual({ nodesets: true, builtins: [] });
    expect(found('x=$(ps -e | wc -l); f() { nodes; }')).toEqual({ nodesets: false, builtins: ['ps', 'nodes'] });
    expect(found('cat <<E\n$(@web1 a)\nE')).toEqual({ nodesets: true, builtins: [] });
    expect(found("echo ps @web1 '$(ps)'; cat <<E\nps\n@web1 a\nE")).toEqual({ nodesets: false, builtins: [] });
  });
});

describe('$!', () => {
  it('is written out, unless the text starts a job of its own', () => {
    expect(replaceLastJob('kill $! "${!}" \'$!\' ${!x} $!y', 42)).toBe('kill 42 "42" \'$!\' ${!x} 42y');
    expect(replaceLastJob('{ a & }; echo $!', 42)).toBe('{ a & }; echo $!');
  });
});

describe('input', () => {
  it.each([
    ['echo "a', true],
    ["echo 'a", true],
    ['a |', true],
    ['a &&\n', true],
    ['a \\\n', true],
    ['if a\n', true],
    ['f() {\n', true],
    ['cat <<E\nx\n', true],
    ['echo $(a', true],
    ['case x in\n', true],
    ['{ a; b; } |\n', true],
    ['', false],
    ['a', false],
    ['cat <<E\nx\nE\n', false],
    ['fi', false],
    ['a ; ;', false],
    ['echo )', false],
    ['a \\\\\n', false],
  ])('%j can be finished: %s', (text, unfinished) => {
    expect(isUnfinished(text)).toBe(unfinished);
  });

  it('with a fault is shown with a caret under it', () => {
    const text = toByteText('echo a\n\tä漢 @web1 )');
    const fault = faultOf(parseScript(text));
    expect(fault === undefined ? '' : describeFault(text, fault, 4)).toBe(
      "line 6, column 11: syntax error: unexpected token ')'\n  \tä漢 @web1 )\n  \t          ^",
    );
  });
});
