import { describe, expect, it } from 'vitest';
import { keyboardHolder, takesScreen, type Member } from '../../shell/interactive/keyboard-policy.ts';
import { programOf } from '../../shell/language/program-of.ts';

const member = (index: number, more: Partial<Member> = {}): Member => ({
  index,
  program: 'cat',
  readsTerminal: index === 0,
  isFullScreen: false,
  ...more,
});

describe('the keyboard of a pipeline', () => {
  it.each<[string, Member[], number | undefined]>([
    ['belongs to the stage that reads the terminal', [member(1), member(0)], 0],
    ['goes to the last one when that has ended', [member(1), member(2)], 2],
    ['belongs to a pager from the beginning', [member(0), member(1, { program: 'less' })], 1],
    [
      'goes to whoever draws on the whole screen',
      [member(0), member(1, { program: 'mine', isFullScreen: true }), member(2)],
      1,
    ],
    ['belongs to nobody where nobody is left', [], undefined],
  ])('%s', (_what, members, holder) => {
    expect(keyboardHolder(members, false)?.index).toBe(holder);
  });

  it('waits for the stage that will read the terminal, but in a pager', () => {
    expect(keyboardHolder([member(1)], true)).toBeUndefined();
    expect(keyboardHolder([member(1, { program: 'less' })], true)?.index).toBe(1);
  });
});

it.each([
  ['\u001b[?1049h', true],
  ['text\u001b[?1h\u001b=text', true],
  ['\u001b[?1049l', false],
  ['\u001b[31mred\u001b[m', false],
  ['plain', false],
])('%j takes the screen: %s', (text, takes) => {
  expect(takesScreen(Buffer.from(text))).toBe(takes);
});

it.each([
  ['less', 'less'],
  ['sort -u | less -R', 'less'],
  ['LESS=-R sudo /usr/bin/less -N f', 'less'],
  ['cd /tmp && { cat f; }', 'cat'],
  ['', ''],
])('the program of %j is %j', (text, program) => {
  expect(programOf(text)).toBe(program);
});
