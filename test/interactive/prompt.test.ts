/** NSH_PROMPT, the status line, and a frame that never fills the terminal. */
import { describe, expect, it } from 'vitest';
import { LineLayout } from '../../shell/editor/layout.ts';
import { composeFrame } from '../../shell/interactive/frame.ts';
import { defaultTemplate, renderPrompt, shortenPath, tilde, type PromptFacts } from '../../shell/interactive/prompt.ts';
import { statusLine, type StatusFacts } from '../../shell/interactive/status-line.ts';

const facts: PromptFacts = {
  user: 'ada',
  isRoot: false,
  host: 'gate.example.org',
  cluster: 'lab',
  node: 'web1',
  cwd: '/home/ada/src',
  home: '/home/ada',
  status: 0,
  jobs: 0,
  nodesUp: 3,
  nodesAll: 3,
  line: 7,
  now: new Date(2026, 0, 2, 8, 5, 9),
};

function text(template: string, given: Partial<PromptFacts> = {}, colour = false): string {
  const runs = renderPrompt(template, { ...facts, ...given }, { colour, columns: 80 });
  return runs.map((run) => (run.style === '' ? run.text : `<${run.style}|${run.text}>`)).join('');
}

describe('the prompt', () => {
  it.each([
    [{}, 'web1 ~/src 3/3 $ '],
    [{ status: 130, jobs: 2, isRoot: true }, 'web1 ~/src 3/3 2& 130 # '],
    [{ nodesUp: 2 }, 'web1 ~/src 2/3 $ '],
    [{ nodesAll: 1, nodesUp: 1, node: 'localhost', cwd: '/' }, 'localhost / $ '],
  ])('of %j is %j', (given, expected) => {
    expect(text(defaultTemplate, given)).toBe(expected);
  });

  it.each([
    [String.raw`\u@\h \H \C`, 'ada@gate gate.example.org lab'],
    [String.raw`\W|\w|\A|\t|\#`, 'src|~/src|08:05|08:05:09|7'],
    [String.raw`a\nb`, 'a\nb'],
    [String.raw`\\ \q \[\]\a`, String.raw`\ \q `],
    [String.raw`\{j jobs\}\{? bad\}\{n of \M\}`, ' of 3'],
    [String.raw`\{? never \{n nor this\}\}after`, 'after'],
    [String.raw`\}\{`, ''],
    ['\\', '\\'],
    ['\u001b[2Jü\u0007', '?[2Jü?'],
  ])('%j is %j', (template, expected) => {
    expect(text(template)).toBe(expected);
  });

  it.each([
    [String.raw`\<bold red>a\<>b`, '<sgr:1;31|a>b'],
    [String.raw`\[\e[1;32m\]a\[\e[0m\]b\e[mc`, '<sgr:1;32|a>bc'],
    [String.raw`\e[2Ja\<nonsense>b`, 'ab'],
  ])('%j is %j in colour', (template, expected) => {
    expect(text(template, {}, true)).toBe(expected);
    expect(text(template)).not.toContain('sgr');
  });

  it('shows nothing of a name that could act on the terminal', () => {
    expect(text(String.raw`\w \N`, { cwd: '/tmp/\u001b]0;x\u0007', node: 'a\nb' })).not.toMatch(/[\u001b\u0007\n]/);
  });

  it.each([
    ['/home/ada', '~'],
    ['/home/ada/x', '~/x'],
    ['/home/adam', '/home/adam'],
  ])('%s is %s from home', (path, expected) => expect(tilde(path, '/home/ada')).toBe(expected));

  it.each([
    ['~/src/nsh/shell/interactive', 30, '~/src/nsh/shell/interactive'],
    ['~/src/nsh/shell/interactive', 22, '~/…/shell/interactive'],
    ['~/src/nsh/shell/interactive', 16, '~/…/interactive'],
    ['/a-very-long-name-of-a-directory', 12, '…/a-very-lo…'],
  ])('%s in %i cells is %s', (path, cells, expected) => expect(shortenPath(path, cells)).toBe(expected));
});

describe('the status line', () => {
  const all: StatusFacts = { cluster: 'lab', nodesUp: 3, nodesAll: 3, down: [], connecting: 0, jobs: 0, isNew: false };
  it.each([
    [{}, 'lab · 3 nodes up'],
    [{ nodesUp: 1, nodesAll: 1, jobs: 1 }, 'lab · 1 node up · 1 job'],
    [{ nodesUp: 2, down: ['web\u001b1'] }, 'lab · 2 of 3 nodes up · web?1 down'],
    [{ nodesUp: 1, connecting: 2 }, 'lab · 1 of 3 nodes up, connecting to 2'],
  ])('of %j is %j', (given, expected) => {
    expect(statusLine({ ...all, ...given }, 80, false)).toBe(expected);
  });

  it('tells a newcomer what can be typed, where there is room', () => {
    expect(statusLine({ ...all, isNew: true }, 100, false)).toContain('Tab completes');
    expect(statusLine({ ...all, isNew: true }, 45, false)).toBe('lab · 3 nodes up · help · @NODE runs there');
    expect(statusLine({ ...all, isNew: true }, 20, false)).toBe('lab · 3 nodes up');
    expect(statusLine(all, 10, false)).toHaveLength(9);
  });
});

describe('the frame', () => {
  const typed = (lines: number, cursor: number) => ({
    prompt: [{ text: '$ ', style: '' }],
    continuation: [{ text: '> ', style: '' }],
    text: Array.from({ length: lines }, (_, i) => `line ${i}`).join('\n'),
    cursor,
    spans: [],
    suggestion: '',
  });

  it.each([
    [1, 0, 24],
    [100, 50, 24],
    [100, 3, 5],
    [3, 0, 2],
    [1, 9, 1],
  ])('of %i lines of text and %i below is lower than %i rows', (lines, below, rows) => {
    const parts = { typed: typed(lines, 0), below: Array.from({ length: below }, () => 'choice'), status: 'status' };
    const { lines: drawn, cursor } = composeFrame(new LineLayout(), parts, { columns: 20, rows }, false);
    expect(drawn.length).toBeLessThanOrEqual(Math.max(1, rows - 1));
    expect(cursor?.y).toBeLessThan(drawn.length);
  });

  it('shows the line of a long text in which the cursor is', () => {
    const parts = { typed: typed(100, 0), below: [], status: '' };
    const end = { ...parts, typed: typed(100, typed(100, 0).text.length) };
    expect(composeFrame(new LineLayout(), parts, { columns: 20, rows: 6 }, false).lines[0]).toBe('$ line 0');
    expect(composeFrame(new LineLayout(), end, { columns: 20, rows: 6 }, false).lines.at(-1)).toBe('> line 99');
  });
});
