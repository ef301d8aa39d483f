/** Names as a real bash lists them, and what becomes of nodes that are slow, wrong or hostile. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  NodeNames,
  runHere,
  type ListedName,
  type NamesQuestion,
  type NodeRunner,
} from '../../shell/completion/index.ts';
import { maxListingBytes, maxNames } from '../../shell/completion/listing-script.ts';
import { nodeId } from '../../src/ids/gpid.ts';
import type { NodeSpec } from '../../src/cluster/node-spec.ts';

const nodes: readonly NodeSpec[] = ['web1', 'web2'].map((name, i) => ({ id: nodeId(i + 1), name, labels: [] }));
const [web1, web2] = nodes;
let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'nsh-names-'));
  for (const name of [
    'plain',
    'Plain2',
    'two words',
    'line\nfeed',
    '-dash',
    '*star*',
    'q"\'$x',
    '.hidden',
    'é日本🙂',
    '\u001b[31m',
  ])
    writeFileSync(join(directory, name), '');
  mkdirSync(join(directory, 'pdir'));
  writeFileSync(join(directory, 'pdir/inner'), '');
  writeFileSync(join(directory, 'prun'), '');
  chmodSync(join(directory, 'prun'), 0o755);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function listing(
  run: NodeRunner = (_node, argv, signal) => runHere(argv, signal),
  changes: { now?: () => number; deadlineMs?: number; cwd?: string } = {},
): NodeNames {
  const { cwd = directory, ...options } = changes;
  return new NodeNames({
    run,
    resolve: (where) => {
      if (where === 'nowhere') throw new Error('unknown node');
      return where === 'both' ? nodes : nodes.slice(0, 1);
    },
    cwd: () => cwd,
    ...options,
  });
}

const never = new AbortController().signal;

async function ask(names: NodeNames, question: Partial<NamesQuestion>, signal = never): Promise<readonly ListedName[]> {
  let last: readonly ListedName[] = [];
  for await (const found of names.names(
    { where: undefined, kind: 'path', tilde: '', directory: '', base: '', ...question },
    signal,
  ))
    last = found;
  return last;
}

const named = (found: readonly ListedName[]): string[] => found.map(({ name }) => name).sort();

describe('paths on a node', () => {
  it('are listed byte for byte, with what they are, hidden ones only where a dot is typed', async () => {
    const found = await ask(listing(), {});
    expect(named(found)).toEqual(
      [
        'plain',
        'Plain2',
        'two words',
        'line\nfeed',
        '-dash',
        '*star*',
        'q"\'$x',
        'é日本🙂',
        '\u001b[31m',
        'pdir',
        'prun',
      ].sort(),
    );
    expect(await ask(listing(), { base: 'p' })).toEqual([
      { name: 'pdir', type: 'directory' },
      { name: 'plain', type: 'file' },
      { name: 'prun', type: 'executable' },
    ]);
    expect(named(await ask(listing(), { base: '.' }))).toEqual(['.hidden']);
    expect(named(await ask(listing(), { base: 'é' }))).toEqual(['é日本🙂']);
  });

  it('take nothing typed for a pattern or a command', async () => {
    for (const base of ['*', '?', '[a-z]', '$(touch evil)', '`touch evil`', "'", '"', ';', '-', '\\'])
      expect(named(await ask(listing(), { base })).every((name) => name.startsWith(base))).toBe(true);
    expect(named(await ask(listing(), { base: 'evil' }))).toEqual([]);
  });

  it('are found in another case where there is none in this', async () => {
    expect(named(await ask(listing(), { base: 'PLAIN' }))).toEqual(['Plain2', 'plain'].sort());
    expect(named(await ask(listing(), { base: 'Plain' }))).toEqual(['Plain2']);
  });

  it('are found below directories, from the root, and below a home', async () => {
    expect(named(await ask(listing(), { directory: 'pdir/' }))).toEqual(['inner']);
    expect(named(await ask(listing(), { directory: `${directory}/pdir/` }))).toEqual(['inner']);
    expect(named(await ask(listing(), { directory: '/', base: 'et' }))).toEqual(['etc']);
    expect(named(await ask(listing(), { directory: '', tilde: `~${userInfo().username}` }))).toEqual(
      named(await ask(listing(), { directory: `${homedir()}/` })),
    );
    expect(await ask(listing(), { tilde: '~nobody-of-this-name' })).toEqual([]);
  });

  it('are not those of another directory where the working directory is not there', async () => {
    const names = listing(undefined, { cwd: '/no/such/directory' });
    expect(await ask(names, { base: '' })).toEqual([]);
    expect(named(await ask(names, { directory: '/', base: 'et' }))).toEqual(['etc']);
    expect(named(await ask(names, { kind: 'command', base: 'mkfif' }))).toEqual(['mkfifo']);
  });

  it('are bounded', async () => {
    const many = join(directory, 'pdir/many');
    mkdirSync(many);
    for (let i = 0; i < maxNames + 50; i++) writeFileSync(join(many, `f${i}`), '');
    expect(await ask(listing(), { directory: 'pdir/many/' })).toHaveLength(maxNames);
    rmSync(many, { recursive: true });
  });
});

describe('commands on a node', () => {
  it('are programs, builtins and keywords of bash there', async () => {
    expect(named(await ask(listing(), { kind: 'command', base: 'whi' }))).toEqual(
      expect.arrayContaining(['while', 'which']),
    );
    expect(named(await ask(listing(), { kind: 'command', base: 'expor' }))).toEqual(['export']);
  });
});

describe('nodes', () => {
  it('are asked together, and what each knows is told as it comes', async () => {
    let answer = (_text: string): void => undefined;
    const slow = new Promise<string>((resolve) => {
      answer = resolve;
    });
    const results = listing(async (node) => (node === web1 ? 'ffast\0' : await slow)).names(
      { where: 'both', kind: 'path', tilde: '', directory: '', base: '' },
      never,
    );
    expect((await results.next()).value).toEqual([{ name: 'fast', type: 'file' }]);
    answer('ffast\0dslow\0');
    expect((await results.next()).value).toEqual([
      { name: 'fast', type: 'file' },
      { name: 'slow', type: 'directory' },
    ]);
    expect((await results.next()).done).toBe(true);
    expect(web2?.name).toBe('web2');
  });

  it('that do not answer are given up, those that fail bring nothing, and so do sets that mean none', async () => {
    const deaf = listing((node) => (node === web1 ? new Promise(() => undefined) : Promise.resolve('fthere\0')), {
      deadlineMs: 50,
    });
    expect(named(await ask(deaf, { where: 'both' }))).toEqual(['there']);
    expect(
      await ask(
        listing(() => Promise.reject(new Error('down'))),
        {},
      ),
    ).toEqual([]);
    expect(await ask(listing(), { where: 'nowhere' })).toEqual([]);
  });

  it('are let go at once by whoever loses interest', async () => {
    const abort = new AbortController();
    const waiting = ask(
      listing(() => new Promise(() => undefined)),
      {},
      abort.signal,
    );
    abort.abort();
    expect(await waiting).toEqual([]);
  });

  it('can say what they like: only plausible names come through', async () => {
    const lies = ['fgood', '', 'f', 'f.', 'f..', 'fa/b', 'zstrange', 'ccommand', `f${'x'.repeat(5000)}`, 'ftorn'].join(
      '\0',
    );
    expect(
      await ask(
        listing(() => Promise.resolve(lies)),
        {},
      ),
    ).toEqual([{ name: 'good', type: 'file' }]);
    const flood = await runHere(['bash', '-c', 'yes'], AbortSignal.timeout(10_000));
    expect(flood).toHaveLength(maxListingBytes);
  });

  it('are not asked again for some seconds, also for what is typed further', async () => {
    let asked = 0;
    let now = 0;
    const names = listing(
      () => {
        asked++;
        return Promise.resolve('fabc\0fabd\0');
      },
      { now: () => now },
    );
    await ask(names, { base: 'a' });
    expect(named(await ask(names, { base: 'ab' }))).toEqual(['abc', 'abd']);
    expect(asked).toBe(1);
    await ask(names, { base: '' });
    await ask(names, { base: 'a', directory: 'x/' });
    expect(asked).toBe(3);
    now = 6_000;
    await ask(names, { base: 'a' });
    expect(asked).toBe(4);
  });
});
