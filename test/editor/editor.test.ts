import { describe, expect, it } from 'vitest';
import { cpuMsOf } from './cpu-time.ts';
import { historyOf, TypingPerson } from './typing.ts';

const isOpenQuote = (text: string): boolean => (text.match(/"/g) ?? []).length % 2 === 1;

describe('a line of several lines', () => {
  it('grows by Enter while it is unfinished, and is accepted when it is whole', () => {
    const person = new TypingPerson({ isUnfinished: isOpenQuote }).type('echo "a<Enter>b"');
    expect(person.seen).toBe('echo "a\nb"|');
    expect(person.requests).toEqual([]);
    expect(person.type('<Enter>').requests).toEqual([{ type: 'accept', text: 'echo "a\nb"' }]);
  });

  it('grows by Alt-Enter at any time', () => {
    expect(new TypingPerson().type('a<M-Enter>b').seen).toBe('a\nb|');
  });

  it.each([
    ['<C-a>', 'one\n|two'],
    ['<C-a><C-a>', 'one\n|two'],
    ['<C-k>', 'one\ntwo|'],
    ['<C-a><C-k>', 'one\n|'],
    ['<C-u>', 'one\n|'],
    ['<C-u><C-u>', 'one|'],
    ['<Up>', 'one|\ntwo'],
    ['<Up><C-k>', 'one|two'],
    ['<Up><C-a><C-e>', 'one|\ntwo'],
    ['<Left><Up>', 'on|e\ntwo'],
    ['<M-b><M-b>', '|one\ntwo'],
    ['<C-w><C-w>', '|'],
  ])('takes %s as a matter of its lines', (keys, seen) => {
    expect(new TypingPerson().type(`one<M-Enter>two${keys}`).seen).toBe(seen);
  });

  it('keeps to the column over shorter lines, by width', () => {
    const person = new TypingPerson().type('日本語x<M-Enter>a<M-Enter>abcdefgh<Left><Left>');
    expect(person.type('<Up>').seen).toBe('日本語x\na|\nabcdefgh');
    expect(person.type('<Up>').seen).toBe('日本語|x\na\nabcdefgh');
    expect(person.type('<Down><Down>').seen).toBe('日本語x\na\nabcdef|gh');
  });

  it('goes to the history only from its first and last line', () => {
    const person = new TypingPerson({ history: historyOf('older', 'newer') }).type('a<M-Enter>b<Up>');
    expect(person.seen).toBe('a|\nb');
    expect(person.type('<Up>').seen).toBe('newer|');
    expect(person.type('<Down>').seen).toBe('a\nb|');
  });

  it('has whole lines for vi’s dd, 0, $ and k', () => {
    const typed = new TypingPerson({ mode: 'vi' }).type('one<M-Enter>two<M-Enter>three<Esc>');
    expect(typed.type('k').seen).toBe('one\ntw|o\nthree');
    expect(typed.type('0').seen).toBe('one\n|two\nthree');
    expect(typed.type('$').seen).toBe('one\ntw|o\nthree');
    expect(typed.type('dd').seen).toBe('one\n|three');
  });
});

describe('undo and redo', () => {
  it('takes back what was typed at a time, and does it again', () => {
    const person = new TypingPerson().type('one<C-a><C-k>two<C-_>');
    expect(person.seen).toBe('|');
    expect(person.type('<C-_>').seen).toBe('|one');
    expect(person.type('<M-C-_>').seen).toBe('|');
    expect(person.type('<M-C-_>').seen).toBe('two|');
    expect(person.type('<M-C-_>').requests.at(-1)).toEqual({ type: 'bell' });
  });

  it('takes back a completion on its own', () => {
    const person = new TypingPerson().type('cat fi');
    person.editor.replaceRange(4, 6, 'file.txt ');
    expect(person.seen).toBe('cat file.txt |');
    expect(person.type('x<C-_><C-_>').seen).toBe('cat fi|');
  });

  it('takes back in one step what an external editor gave', () => {
    const person = new TypingPerson().type('short');
    person.editor.setText('a longer\ntext');
    expect(person.type('<C-_>').seen).toBe('short|');
  });

  it('undoes a vi change and what was typed for it together', () => {
    const person = new TypingPerson({ mode: 'vi' }).type('one two three<Esc>bcwmany new words<Esc>');
    expect(person.type('u').seen).toBe('one two |three');
  });

  it('gives every text back, whatever was done to it', () => {
    const person = new TypingPerson().type('one two three');
    const keys = [
      '<C-w>',
      '<M-t>',
      '<C-t>',
      '<C-y>',
      '<M-u>',
      '<C-a><C-k>',
      'xyz',
      '<C-y><M-y>',
      '<M-b><M-c>',
      '<C-u>',
    ];
    const texts: string[] = [];
    for (const key of keys) {
      texts.push(person.editor.text);
      person.type(key);
    }
    for (let count = 0; count < 40; count++) person.type('<C-_>');
    expect(person.seen).toBe('|');
    expect(person.type('<C-_>').requests.at(-1)).toEqual({ type: 'bell' });
    const again: string[] = [];
    for (let count = 0; count < 40; count++) again.push(person.type('<M-C-_>').editor.text);
    for (const text of texts) expect(again).toContain(text);
  });
});

describe('a paste', () => {
  it('is inserted as it is and undone at once', () => {
    const person = new TypingPerson().type('a');
    person.editor.handle({ type: 'paste', text: 'one\ntwo\t' });
    expect(person.seen).toBe('aone\ntwo\t|');
    expect(person.type('b<C-_><C-_>').seen).toBe('a|');
  });

  it('goes into the search that is under way', () => {
    const person = new TypingPerson({ history: historyOf('git push', 'ls') }).type('<C-r>');
    person.editor.handle({ type: 'paste', text: 'push' });
    expect(person.editor.view).toMatchObject({ text: 'git push', prompt: "(reverse-i-search)`push': " });
  });

  it('ends what waits for one key', () => {
    const person = new TypingPerson().type('a<C-v>');
    person.editor.handle({ type: 'paste', text: 'x' });
    expect(person.type('y').seen).toBe('axy|');
  });

  it('of 1 MB takes less than a second, as do the keys after it', () => {
    const person = new TypingPerson({ history: historyOf('older') });
    const costs = cpuMsOf(() => {
      person.editor.handle({ type: 'paste', text: 'x'.repeat(1 << 20) });
      person.type('a<C-a>b<C-e><C-w><C-_><M-b><M-f><Up><Down>');
    });
    expect(costs).toBeLessThan(1000);
    expect(person.editor.text.length).toBe((1 << 20) + 2);
  });
});

describe('what is asked of the owner', () => {
  it.each([
    ['<C-d>', [{ type: 'end' }]],
    ['a<C-d>', [{ type: 'bell' }]],
    ['a<BS><C-d>', [{ type: 'end' }]],
    ['a<C-a><C-d><C-d>', [{ type: 'bell' }]],
    ['abc<C-c>', [{ type: 'interrupt' }]],
    ['<C-r>x<C-c>', [{ type: 'bell' }, { type: 'bell' }, { type: 'interrupt' }]],
    ['<C-l>', [{ type: 'clear-screen' }]],
    ['ls <Tab>', [{ type: 'complete', how: 'menu', backward: false }]],
    ['ls <M-?>', [{ type: 'complete', how: 'list', backward: false }]],
    ['ls <M-*>', [{ type: 'complete', how: 'insert-all', backward: false }]],
    ['abc<C-x><C-e>', [{ type: 'edit-externally', text: 'abc' }]],
    ['abc<M-#>', [{ type: 'accept', text: '#abc' }]],
    ['a<M-Enter>b<M-#>', [{ type: 'accept', text: '#a\n#b' }]],
    ['<C-p><C-p><C-o>', [{ type: 'accept', text: 'one', nextHistory: 1 }]],
  ])('after %s is %j', (keys, requests) => {
    expect(new TypingPerson({ history: historyOf('one', 'two') }).type(keys).requests).toEqual(requests);
  });

  it('in vi mode is an editor for v and the end for C-d', () => {
    expect(new TypingPerson({ mode: 'vi' }).type('ab<Esc>v').requests).toEqual([
      { type: 'edit-externally', text: 'ab' },
    ]);
    expect(new TypingPerson({ mode: 'vi' }).type('<C-d>').requests).toEqual([{ type: 'end' }]);
    expect(new TypingPerson({ mode: 'vi' }).type('<Esc><C-d>').requests.at(-1)).toEqual({ type: 'end' });
  });

  it('begins the next line with the entry after the one run by C-o', () => {
    const person = new TypingPerson({ history: historyOf('one', 'two') }).type('<C-p><C-p><C-o>');
    person.editor.reset({ history: historyOf('one', 'two', 'one'), entry: 1 });
    expect(person.seen).toBe('two|');
  });
});

describe('what stands in place of the prompt', () => {
  it.each([
    ['<M-4>', '(arg: 4) '],
    ['<M-4>2', '(arg: 42) '],
    ['<M-->', '(arg: -1) '],
    ['<C-r>', "(reverse-i-search)`': "],
    ['<C-s>ab', "(failed i-search)`ab': "],
    ['<C-r>on', "(reverse-i-search)`on': "],
    ['<C-r>onx', "(failed reverse-i-search)`onx': "],
    ['<C-r>onx<BS>', "(reverse-i-search)`on': "],
    ['<C-r>on<C-s>', "(i-search)`on': "],
    ['<C-r>on<Esc>', undefined],
    ['<C-v>', '(quoted) '],
  ])('after %s is %j', (keys, prompt) => {
    expect(new TypingPerson({ history: historyOf('one', 'two') }).type(keys).editor.view.prompt).toBe(prompt);
  });

  it('is vi’s / with the pattern typed', () => {
    const { view } = new TypingPerson({ mode: 'vi' }).type('abc<Esc>/pat').editor;
    expect(view).toMatchObject({ prompt: '/', text: 'pat', cursor: 3, isPattern: true });
  });
});

describe('a suggestion', () => {
  const history = historyOf('git push origin', 'git pull', 'make', 'git push other');

  it('is how the newest entry with this beginning goes on', () => {
    const person = new TypingPerson({ history }).type('git p');
    expect(person.editor.suggestion).toBe('ush other');
    expect(person.type('ul').editor.suggestion).toBe('l');
    expect(person.type('x').editor.suggestion).toBe('');
    expect(person.type('<BS><BS><BS>').editor.suggestion).toBe('ush other');
  });

  it.each([
    ['<Right>', 'git push other|'],
    ['<C-f>', 'git push other|'],
    ['<C-e>', 'git push other|'],
    ['<End>', 'git push other|'],
    ['<M-f>', 'git push|'],
    ['<M-2><M-f>', 'git push other|'],
    ['<Left><C-e>', 'git pu|'],
  ])('is taken by %s', (keys, seen) => {
    expect(new TypingPerson({ history }).type(`git pu${keys}`).seen).toBe(seen);
  });

  it.each(['', '<C-r>git p', 'git p<Left>', '<Up><BS>'])('is none after %j', (keys) => {
    expect(new TypingPerson({ history }).type(keys).editor.suggestion).toBe('');
  });

  it('is none in vi’s command mode', () => {
    expect(new TypingPerson({ mode: 'vi', history }).type('git p<Esc>').editor.suggestion).toBe('');
  });
});

describe('entries with the same beginning', () => {
  const history = historyOf('git push', 'ls', 'git pull', 'git pull', 'make');

  it('are walked with M-p and M-n, each text once, back to what was typed', () => {
    const person = new TypingPerson({ history }).type('git');
    expect(person.type('<M-p>').seen).toBe('git| pull');
    expect(person.type('<M-p>').seen).toBe('git| push');
    expect(person.type('<M-p>').requests).toEqual([{ type: 'bell' }]);
    expect(person.type('<M-n><M-n>').seen).toBe('git|');
  });
});

describe('a history that is read while a line is typed', () => {
  const whole = historyOf('make all', 'make clean', 'ls');

  it('is there from then on, and what is typed stays', () => {
    const person = new TypingPerson({ history: historyOf('ls') }).type('make');
    person.editor.takeHistory(whole);
    expect(person.editor.suggestion).toBe(' clean');
    expect(person.seen).toBe('make|');
    expect(person.type('<Up><Up><Up>').seen).toBe('make all|');
  });

  it('waits for the next line while an older entry is on the screen', () => {
    const person = new TypingPerson({ history: historyOf('ls') }).type('x<Up>');
    person.editor.takeHistory(whole);
    expect(person.type('<Up>').seen).toBe('ls|');
    expect(person.type('<Down>').seen).toBe('x|');
  });
});

describe('clusters', () => {
  it.each([
    ['👨‍👩‍👧', '<BS>', '|'],
    ['a👍🏽b', '<Left><Left>', 'a|👍🏽b'],
    ['e\u{301}x', '<C-a><Right>', 'e\u{301}|x'],
    ['🇩🇪🇫🇷', '<Left>', '🇩🇪|🇫🇷'],
    ['🇩🇪🇫🇷', '<BS>', '🇩🇪|'],
    ['a👍🏽', '<C-t>', '👍🏽a|'],
    ['각', '<C-b>', '|각'],
  ])('%s stay whole under %s', (text, keys, seen) => {
    expect(new TypingPerson().type(`${text}${keys}`).seen).toBe(seen);
  });
});

describe('entries that have gone from the history', () => {
  const entries = ['one', undefined, 'three'];
  const history = { length: 3, at: (index: number) => entries[index] };

  it('are passed by', () => {
    const person = new TypingPerson({ history }).type('<Up><Up>');
    expect(person.seen).toBe('one|');
    expect(person.type('<Down>').seen).toBe('three|');
    expect(person.type('<C-r>one<C-e>').seen).toBe('one|');
  });
});

describe('Enter in vi’s command mode', () => {
  it('goes on typing behind an unfinished text', () => {
    const person = new TypingPerson({ mode: 'vi', isUnfinished: isOpenQuote }).type('echo "a<Esc>b<Enter>b"');
    expect(person.seen).toBe('echo "a\nb"|');
  });
});

describe('vi’s .', () => {
  it('does again what succeeded last', () => {
    expect(new TypingPerson({ mode: 'vi' }).type('one two three<Esc>0dwfz.').seen).toBe('|three');
    expect(new TypingPerson({ mode: 'vi' }).type('one two three<Esc>0dwdfz.').seen).toBe('|three');
  });
});

describe('changed entries', () => {
  it('keep their changes while the line is edited and lose them after it', () => {
    const history = historyOf('one', 'two');
    const person = new TypingPerson({ history }).type('<Up>X<Up>Y<Down>');
    expect(person.seen).toBe('twoX|');
    person.editor.reset();
    expect(person.type('<Up>').seen).toBe('two|');
  });

  it('are what C-r searches', () => {
    const person = new TypingPerson({ history: historyOf('one', 'two') }).type('<Up>X<Down><C-r>X<C-e>');
    expect(person.seen).toBe('twoX|');
  });
});

describe('insert key', () => {
  it('types over what stands there', () => {
    expect(new TypingPerson().type('abc<C-a>').type('\u{1b}[2~XY').seen).toBe('XY|c');
  });
});

it('never throws and keeps the cursor on a boundary, whatever keys come', () => {
  const signs =
    'a b " . ( ) é 日 👨‍👩‍👧 \u{301} <Enter> <Tab> <Esc> <BS> <Up> <Down> <Left> <Right> <Home> <End> <Del>';
  const keys = [
    ...signs.split(' '),
    ...'<M-3> <M--> <C-x> <C-v> <C-r> <C-s> <C-g> <C-]>'.split(' '),
    ' ',
    ...'abdefhklnoprtuwy_@'.split('').map((letter) => `<C-${letter}>`),
    ...'bcdflpnrtuy.<>#\\_'.split('').map((letter) => `<M-${letter === '<' ? 'lt' : letter}>`),
    ...'hjklwbeWBE0^$fFtT;,%|dcyxXDCYSspPrR~u.GIAioma`_/?nN123'.split(''),
  ];
  let seed = 11;
  const random = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((seed / 2_147_483_648) * below);
  };
  for (const mode of ['emacs', 'vi'] as const) {
    const person = new TypingPerson({
      mode,
      history: historyOf('one', 'two\nthree', '日本語 text'),
      isUnfinished: isOpenQuote,
    });
    for (let count = 0; count < 6000; count++) {
      person.type(keys[random(keys.length)] ?? 'x');
      const { text, cursor } = person.editor.view;
      expect(cursor).toBeGreaterThanOrEqual(0);
      expect(cursor).toBeLessThanOrEqual(text.length);
      if (text.length > 400) person.editor.reset();
    }
  }
});
