import { describe, expect, it } from 'vitest';
import { writeOutCompounds } from '../../shell/language/compounds.ts';
import { isUnfinished, readScript } from '../../shell/language/script-tree.ts';

const write = (text: string): string => writeOutCompounds(text).text;

describe('a compound command behind a nodeset word', () => {
  it.each([
    ['@web1 { echo a; echo b; } >f | wc', "@web1 eval '{ echo a; echo b; }' >f | wc"],
    ['! @web1 (a) && b', "! @web1 eval '(a)' && b"],
    ['@web1 if a; then b; fi', "@web1 eval 'if a; then b; fi'"],
    ["@web1 for i in 1; do echo 'x'; done", "@web1 eval 'for i in 1; do echo '\\''x'\\''; done'"],
    ['@web1 while a; do b; done <in', "@web1 eval 'while a; do b; done' <in"],
    ['@web1 case x in x) a;; esac', "@web1 eval 'case x in x) a;; esac'"],
    ['@web1 ((1 > 0))', "@web1 eval '((1 > 0))'"],
    ['@$n [[ a = b ]]', "@$n eval '[[ a = b ]]'"],
    ['@web[1-2] { a; } 2>&1 &', "@web[1-2] eval '{ a; }' 2>&1 &"],
    ['f() { @web1 { a; }; }', "f() { @web1 eval '{ a; }'; }"],
    ['echo $(@web1 { a; }) "$(@web2 (b))"', "echo $(@web1 eval '{ a; }') \"$(@web2 eval '(b)')\""],
    ['@web1 { @web2 { a; }; }', "@web1 eval '{ @web2 eval '\\''{ a; }'\\''; }'"],
    ['@web1 {\n a\n}\necho x', "@web1 eval '{\n a\n}'\necho x"],
    ['@web1 { cat <<E; }; @web2 cat <<F\na\nE\nb\nF\nend', "@web1 eval '{ cat <<E; }\na\nE'; @web2 cat <<F\nb\nF\nend"],
    ['@web1 { cat <<E\nabc\nE\n} | wc', "@web1 eval '{ cat <<E\nabc\nE\n}' | wc"],
  ])('is written out line for line: %j', (text, written) => {
    expect(write(text)).toBe(written);
    expect(written.split('\n').length).toBe(text.split('\n').length);
    expect(write(written)).toBe(written);
    expect(readScript(text).fault).toBeUndefined();
  });

  it('is none where the word or what follows is none', () => {
    for (const text of [
      'echo @web1 { a',
      "'@web1 { a; }'",
      '@web1 {a,b}',
      '@web1 ls {a,b} if',
      '@web1 forge',
      '"@web1" if',
      'x=1 @web1 if',
      'cat <<E\n@web1 { a; }\nE',
      '@(a|b) { a',
    ]) {
      expect(write(text)).toBe(text);
    }
  });

  it('is finished where the command is', () => {
    expect(isUnfinished('@web1 {\n')).toBe(true);
    expect(isUnfinished('@web1 (a\n')).toBe(true);
    expect(isUnfinished('@web1 if a; then\n')).toBe(true);
    expect(isUnfinished('@web1 for i in 1; do\n b\n')).toBe(true);
    expect(isUnfinished('@web1 { cat <<E\nx\n')).toBe(true);
    expect(isUnfinished('@web1 {\n a\n}\n')).toBe(false);
  });

  it('has its faults at their own place', () => {
    const { fault, text } = readScript('@web1 { a; } }');
    expect([fault?.position, text]).toEqual([13, '@web1 { a; } }']);
    expect(readScript('@web1 if a; then fi').fault?.position).toBe(17);
  });
});
