import { describe, expect, it } from 'vitest';
import { complete, type ListedName } from '../../shell/completion/index.ts';
import { completed, fakeSources, lines } from './fake-sources.ts';

const files: readonly ListedName[] = [
  { name: 'readme.md', type: 'file' },
  { name: 'README', type: 'file' },
  { name: 'run me', type: 'executable' },
  { name: 'src', type: 'directory' },
  { name: "it's", type: 'file' },
  { name: 'a\nb\u001b[31m', type: 'file' },
  { name: 'make', type: 'command' },
  { name: 'man', type: 'command' },
];
const withFiles = () => fakeSources(files);

async function displays(line: string): Promise<string[]> {
  return (await completed(line, withFiles())).items.map(({ display }) => display);
}

describe('the command position', () => {
  it.each([
    'ma',
    'ls; ma',
    'ls | ma',
    'ls && ma',
    '! ma',
    'time ma',
    'X=1 ma',
    'if ma',
    'while read x; do ma',
    'if a; then b; elif ma',
    'for f in *; do if x; then ma',
    'case $x in a) ma',
    'f() { ma',
    '(ma',
    '{ ma',
    'echo $(ma',
    'echo "$(ma',
    'echo `ma',
    'cat <(ma',
    'while true; do echo $(if x; then ma',
    'sudo ma',
    'sudo -E X=1 nohup ma',
    '@web1 ma',
    'run -n web1 -- ma',
    'run ma',
    'nsh run --on=web1 ma',
  ])('is found in %s', async (line) => {
    expect(await lines(line, withFiles())).toEqual([`${line}ke `, `${line}n `]);
  });

  it('offers builtins with their summaries, functions and aliases, and after a slash programs', async () => {
    const { items } = await completed('no');
    expect(items[0]).toMatchObject({ insert: 'nodes', description: 'show the nodes of the cluster and how they are' });
    expect(await lines('my_')).toEqual(['my_function ']);
    expect(await displays('./r')).toEqual(['run me']);
  });

  it('asks the node where the command will run', async () => {
    for (const [line, where] of [
      ['ma', undefined],
      ['@web[1-3] ma', 'web[1-3]'],
      ['ls | @db1 ma', 'db1'],
      ['run -n web2 -- ma', 'web2'],
      ['run --on=web2 cat s', 'web2'],
      ['@@gpu tail -f s', '@gpu'],
    ] as const) {
      const sources = withFiles();
      await completed(line, sources);
      expect(sources.asked.map((question) => question.where)).toEqual([where]);
    }
  });

  it('is nowhere in a comment, a here-document, the name of a function', async () => {
    for (const line of ['# ma', 'cat <<E\nma', 'function ma']) expect(await lines(line, withFiles())).toEqual([]);
  });
});

describe('paths', () => {
  it.each([
    ['cat s', 'cat src/'],
    ['cat < s', 'cat < src/'],
    ['echo x >>s', 'echo x >>src/'],
    ['x=s', 'x=src/'],
    ['for i in s', 'for i in src/'],
    ['for i in a s', 'for i in a src/'],
    ['[[ -f s', '[[ -f src/'],
    ['A=(a s', 'A=(a src/'],
    ['cd s', 'cd src/'],
    ['cat "s', 'cat "src/'],
    ['cat run', 'cat run\\ me '],
    ["cat 'run", "cat 'run me' "],
    ['cat "run', 'cat "run me" '],
    ['cat "dir x"/run', 'cat "dir x"/run\\ me '],
    ['cat "dir x/run', 'cat "dir x/run me" '],
    ['cat "dir x/ru"n', 'cat "dir x/"run\\ me '],
    ['cat a\\ b/run', 'cat a\\ b/run\\ me '],
    ['cat it', "cat it\\'s "],
    ["cat 'it", "cat 'it'\\''s' "],
    ["cat $'it", "cat $'it\\'s' "],
    ['cat ~/src', 'cat ~/src/'],
    ['cd ~', 'cd ~/'],
    ['dd if=s', 'dd if=src/'],
    ['tar --file="s', 'tar --file="src/'],
    ['PATH=/bin:s', 'PATH=/bin:src/'],
    ['cat $HOME/src', 'cat $HOME/src/'],
    ['cat "$dir/src', 'cat "$dir/src/'],
    ['cat a‸ more', "cat a$'\\n'b$'\\E'\\[31m more"],
    ['cat "a', 'cat "a"$\'\\n\'"b"$\'\\E\'"[31m" '],
  ])('%s becomes %s', async (before, after) => {
    expect(await lines(before, withFiles())).toEqual([after]);
  });

  it('asks for the directory as it is once unquoted, with the tilde apart', async () => {
    for (const [line, question] of [
      ['cat "$dir"/a\\ b/c', { directory: 'some dir/a b/', base: 'c', tilde: '' }],
      ['cat ~/x/y', { directory: 'x/', base: 'y', tilde: '~' }],
      ['cat ~bob/y', { directory: '', base: 'y', tilde: '~bob' }],
      ['cat "~/x/y', { directory: '~/x/', base: 'y', tilde: '' }],
      ['cat \\~/y', { directory: '~/', base: 'y', tilde: '' }],
      ['cat /', { directory: '/', base: '', tilde: '' }],
    ] as const) {
      const sources = withFiles();
      await completed(line, sources);
      expect(sources.asked).toEqual([{ where: undefined, kind: 'path', ...question }]);
    }
  });

  it('are not guessed where only running the word could tell', async () => {
    for (const line of ['cat $(pwd)/s', 'cat $list/s', 'cat $UNKNOWN/s']) {
      const sources = withFiles();
      expect((await completed(line, sources)).items).toEqual([]);
      expect(sources.asked).toEqual([]);
    }
  });

  it('fall back to the other case, and never show control characters', async () => {
    expect(await displays('cat rea')).toEqual(['readme.md']);
    expect(await displays('cat READM')).toEqual(['README']);
    expect(await displays('cat SR')).toEqual(['src/']);
    expect(await displays('cat a')).toEqual(['a?b?[31m']);
  });

  it('have in common what all begin with', async () => {
    const found = await completed('cat r', fakeSources([...files, { name: 'readme.txt', type: 'file' }]));
    expect(found).toMatchObject({ start: 4, common: undefined });
    expect(
      (
        await completed(
          'cat re',
          fakeSources([
            { name: 'read me.b', type: 'file' },
            { name: 'read me.a', type: 'file' },
          ]),
        )
      ).common,
    ).toBe('read\\ me.');
    expect(
      (
        await completed(
          'cat "re',
          fakeSources([
            { name: 'read me.b', type: 'file' },
            { name: 'read me.a', type: 'file' },
          ]),
        )
      ).common,
    ).toBe('"read me.');
  });

  it('are sorted as people count', async () => {
    const names = ['n10', 'n2', 'N1', 'n1'].map((name) => ({ name, type: 'file' as const }));
    const found = await completed('cat ', fakeSources(names));
    expect(found.items.map(({ display }) => display)).toEqual(['n1', 'N1', 'n2', 'n10']);
  });
});

describe('variables', () => {
  it.each([
    ['echo $HO', ['echo $HOME', 'echo $HOSTNAME']],
    ['echo ${HOM', ['echo ${HOME}']],
    ['echo "a $di', ['echo "a $dir']],
    ['echo "${di', ['echo "${dir}']],
    ['$HOM', ['$HOME']],
    ['unset di', ['unset dir ']],
    ['export HOM', ['export HOME ']],
    ['echo $((di', ['echo $((dir ']],
    ["echo '$HO", []],
    ['echo \\$HO', []],
  ])('%s', async (before, after) => {
    expect(await lines(before)).toEqual(after);
  });
});

describe('nodes', () => {
  it.each([
    ['@we', ['@web1 ', '@web2 ', '@web3 ', '@web10 ', '@web[1-3,10] ']],
    ['@web[1-', ['@web[1-2] ', '@web[1-3] ', '@web[1-10] ']],
    ['@web[1,', ['@web[1,2', '@web[1,3', '@web[1,10']],
    ['@web[', ['@web[1-3,10] ', '@web[1', '@web[2', '@web[3', '@web[10']],
    ['@a', ['@all ', '@any ']],
    ['@@g', ['@@gpu ']],
    ['@db1,w', ['@db1,web1 ', '@db1,web2 ', '@db1,web3 ', '@db1,web10 ', '@db1,web[1-3,10] ']],
    ['@all!@g', ['@all!@gpu ']],
    ['ls | @d', ['ls | @db1 ']],
    ['run -n d', ['run -n db1 ']],
    ['run --on=d', ['run --on=db1 ']],
    ['run -nd', ['run -ndb1 ']],
    ['nsh ps --on @a', ['nsh ps --on @all ']],
    ['run -n web[1-', ["run -n 'web[1-2]' ", "run -n 'web[1-3]' ", "run -n 'web[1-10]' "]],
    ["run -n 'web[1-3", ["run -n 'web[1-3]' "]],
    ['on d', ['on db1 ']],
    ['nodes db', ['nodes db1 ']],
    ['echo @d', []],
  ])('%s', async (before, after) => {
    expect(await lines(before)).toEqual(after);
  });

  it('come with their ids and labels, groups with their members', async () => {
    const { items } = await completed('@');
    expect(items.find(({ insert }) => insert === 'web1')?.description).toBe('node 1, gpu');
    expect(items.find(({ insert }) => insert === '@gpu')?.description).toBe('web[1-2]');
  });
});

describe('builtins', () => {
  it('offer their options with descriptions', async () => {
    const { items } = await completed('run --de');
    expect(items).toEqual([
      {
        insert: '--detach',
        append: ' ',
        display: '--detach',
        description: 'leave it running and print its cluster PID',
      },
      expect.objectContaining({ insert: '--detach-keys=', append: '' }),
    ]);
    expect((await completed('run -')).items.map(({ insert }) => insert)).toContain('-d');
  });

  it('do not offer them behind -- or for the command that is run', async () => {
    expect(await lines('run -d -- --de')).toEqual([]);
    expect(await lines('run -d make --de')).toEqual([]);
  });

  it.each([
    ['kill -TE', ['kill -TERM ']],
    ['kill -SIGTE', ['kill -SIGTERM ']],
    ['kill -s te', ['kill -s TERM ']],
    ['kill --signal=KI', ['kill --signal=KILL ']],
    ['kill -l KI', ['kill -l KILL ']],
    ['trap x KI', ['trap x KILL ']],
    ['kill 2', ['kill 200000815 ']],
    ['kill -9 postg', ['kill -9 200000815 ']],
    ['kill init', ['kill 10000001 ']],
    ['kill 3', []],
    ['kill web1.4', ['kill web1.4711 ']],
    ['kill 20.', ['kill 20.815 ']],
    ['attach py', ['attach 10004711 ']],
    ['attach init', []],
    ['logs -f py', ['logs -f 10004711 ']],
    ['wait 1000', ['wait 10004711 ']],
    ['fg %', ['fg %1 ', 'fg %2 ']],
    ['fg %ta', ['fg %2 ']],
    ['kill %ma', ['kill %1 ']],
    ['agent st', ['agent start ', 'agent stop ', 'agent status ']],
    ['run --on-disconnect=k', ['run --on-disconnect=keep ', 'run --on-disconnect=kill ']],
    ['nsh nodese', ['nsh nodeset ']],
    ['nsh --vers', ['nsh --version ']],
    ['nsh kill -s te', ['nsh kill -s TERM ']],
    ['help nodese', ['help nodeset ']],
    ['ps -p post', ['ps -p 200000815 ']],
  ])('%s', async (before, after) => {
    expect(await lines(before)).toEqual(after);
  });

  it('show processes with node and command line, and share no beginning with what was found by its command', async () => {
    const found = await completed('kill ');
    expect(found.items[0]).toMatchObject({ insert: '10004711', description: 'web1  python3 -i' });
    expect((await completed('kill s')).common).toBeUndefined();
  });
});

describe('slow nodes', () => {
  const never = fakeSources([], {
    names: () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined) }) }),
  });

  it('keep nothing back that is known already', async () => {
    const abort = new AbortController();
    const results = complete('no', 2, never, abort.signal);
    const { value } = await results.next();
    expect(value).toMatchObject({
      done: false,
      items: [expect.objectContaining({ insert: 'nodes' }), expect.anything()],
    });
    abort.abort();
    expect(await results.next()).toEqual({ done: true, value: undefined });
  });

  it('are given up after a while', async () => {
    const found = await completed('cat x', never);
    expect(found).toMatchObject({ items: [], done: true });
  });
});

describe('a strange line', () => {
  it.each([
    '',
    '   ',
    '\ue000',
    ')',
    'a`b',
    '$(',
    '${',
    "$'",
    '"',
    '@',
    '@[',
    '@web[',
    '|',
    '<',
    '((',
    '[[',
    '&&',
    'x'.repeat(100_000),
  ])('is no reason to fail: %j', async (line) => {
    for (let at = 0; at <= Math.min(line.length, 20); at++)
      expect(await completed(`${line.slice(0, at)}‸${line.slice(at)}`, withFiles())).toMatchObject({ done: true });
  });
});
