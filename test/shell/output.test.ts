import { execFileSync } from 'node:child_process';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { FoldCollector, renderGroup } from '../../shell/output/fold-collector.ts';
import { LinePrefixer } from '../../shell/output/line-prefixer.ts';
import { foldedOutput, prefixedOutput, type ManyOutput } from '../../shell/output/node-output.ts';
import { makePrefixes } from '../../shell/output/prefixes.ts';
import { foldNames } from '../../src/ids/nodeset/index.ts';

function prefix(...pieces: string[]): string {
  const prefixer = new LinePrefixer('web1: ');
  const out = pieces.map((piece) => prefixer.push(Buffer.from(piece)).toString());
  return out.join('') + prefixer.end().toString();
}

describe('prefixed lines', () => {
  it.each([
    [['a\nb\n'], 'web1: a\nweb1: b\n'],
    [['a', 'b', '\nc'], 'web1: ab\nweb1: c\n'],
    [['\n\n'], 'web1: \nweb1: \n'],
    [['no end'], 'web1: no end\n'],
    [['a\r\nb\r\n'], 'web1: a\r\nweb1: b\r\n'],
    [[''], ''],
  ])('%j become %j', (pieces, expected) => {
    expect(prefix(...pieces)).toBe(expected);
  });

  it('never break a line in two, however the bytes come', () => {
    const text = 'first line\nsecond\n\nlast';
    for (let at = 0; at <= text.length; at++) expect(prefix(text.slice(0, at), text.slice(at))).toBe(prefix(text));
  });

  it('keep bytes that are no text', () => {
    const prefixer = new LinePrefixer('x:');
    expect(prefixer.push(Buffer.from([0xff, 0x00, 0x0a]))).toEqual(Buffer.from([0x78, 0x3a, 0xff, 0x00, 0x0a]));
  });

  it('are cut where one is longer than 1 MiB, so that memory stays bounded', () => {
    const prefixer = new LinePrefixer('x:');
    let bytes = 0;
    for (let i = 0; i < 64; i++) bytes += prefixer.push(Buffer.alloc(65_536, 'a')).length;
    expect(bytes).toBe(4 * (1024 * 1024 + 3));
  });

  it('have prefixes as wide as the widest, in colour, where the style says so', () => {
    expect(makePrefixes(['a', 'bbb'], { aligned: false, colour: false })).toEqual(['a: ', 'bbb: ']);
    expect(makePrefixes(['a', 'bbb'], { aligned: true, colour: false })).toEqual(['a:   ', 'bbb: ']);
    expect(makePrefixes(['a'], { aligned: true, colour: true })).toEqual(['\u001b[36ma:\u001b[m ']);
  });
});

describe('folded output', () => {
  it('looks as clush -b prints it', () => {
    const names = ['web1', 'web2', 'web3', 'web4'];
    const collector = new FoldCollector(names);
    for (const name of names) collector.add(name, Buffer.from(name === 'web3' ? 'other\n' : 'same\nlines\n'));
    const shown = collector.groups().map((group) => renderGroup(group, foldNames).toString());
    const real = execFileSync('clush', [
      '-b',
      '--worker=exec',
      '-w',
      'web[1-4]',
      'if [ %host = web3 ]; then echo other; else printf "same\\nlines\\n"; fi',
    ]).toString();
    expect(shown.join('')).toBe(real);
  });

  it('leaves out nodes that said nothing, orders by the first node and ends each output with a line feed', () => {
    const collector = new FoldCollector(['c', 'a', 'b']);
    collector.add('b', Buffer.from('x'));
    collector.add('c', Buffer.from('y'));
    const groups = collector.groups();
    expect(groups.map((group) => group.nodes)).toEqual([['c'], ['b']]);
    expect(groups.map((group) => renderGroup(group, foldNames).toString().split('\n').at(-2))).toEqual(['y', 'x']);
  });

  it('gives a node back that says more than is gathered', () => {
    const collector = new FoldCollector(['a', 'b'], { maxNodeBytes: 10, maxTotalBytes: 100 });
    expect(collector.add('a', Buffer.from('12345678'))).toBeUndefined();
    expect(collector.add('a', Buffer.from('9abc'))?.toString()).toBe('123456789abc');
    expect(collector.add('b', Buffer.from('b'))).toBeUndefined();
    expect(collector.groups().map((group) => group.nodes)).toEqual([['b']]);
  });

  it('is bounded over all nodes together', () => {
    const collector = new FoldCollector(['a', 'b'], { maxNodeBytes: 10, maxTotalBytes: 12 });
    expect(collector.add('a', Buffer.alloc(8))).toBeUndefined();
    expect(collector.add('b', Buffer.alloc(8))?.length).toBe(8);
  });
});

interface Captured {
  readonly output: ManyOutput;
  readonly out: () => string;
  readonly err: () => string;
  readonly warnings: string[];
}

function capture(make: (options: Parameters<typeof prefixedOutput>[0]) => ManyOutput, names: string[]): Captured {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const warnings: string[] = [];
  const plain = { aligned: false, colour: false };
  const output = make({ stdout, stderr, names, outStyle: plain, errStyle: plain, warn: (text) => warnings.push(text) });
  const read = (stream: PassThrough) => () => (stream.read() as Buffer | null)?.toString() ?? '';
  return { output, out: read(stdout), err: read(stderr), warnings };
}

const taken = (): void => {};

describe('output of many nodes', () => {
  it('keeps stdout and stderr apart and writes the last partial line at the end', () => {
    const { output, out, err } = capture(prefixedOutput, ['a', 'b']);
    const [a, b] = [output.sinks('a'), output.sinks('b')];
    a.stdout.write(Buffer.from('one\ntw'), taken);
    b.stdout.write(Buffer.from('uno\n'), taken);
    a.stderr.write(Buffer.from('oops\n'), taken);
    a.stdout.end?.(taken);
    expect(out()).toBe('a: one\nb: uno\na: tw\n');
    expect(err()).toBe('a: oops\n');
  });

  it('shows line by line, and says so, what is too much to fold', async () => {
    const collector = new FoldCollector(['a', 'b'], { maxNodeBytes: 8, maxTotalBytes: 100 });
    const { output, out, warnings } = capture((options) => foldedOutput(options, foldNames, collector), ['a', 'b']);
    const [a, b] = [output.sinks('a').stdout, output.sinks('b').stdout];
    b.write(Buffer.from('short\n'), taken);
    a.write(Buffer.from('one\n'), taken);
    a.write(Buffer.from('two\nthree\n'), taken);
    a.write(Buffer.from('four'), taken);
    a.end?.(taken);
    b.end?.(taken);
    await output.finish();
    expect(warnings).toEqual(['a: too much output to fold; it is shown line by line']);
    expect(out()).toBe('a: one\na: two\na: three\na: four\n---------------\nb\n---------------\nshort\n');
  });
});
