import { describe, expect, it } from 'vitest';
import { resolveNodes } from '../../../src/cluster/file/index.ts';
import { groupsNamed } from '../../../src/cluster/file/resolve-nodes.ts';
import type { NodeSpec } from '../../../src/cluster/node-spec.ts';
import { nodeId } from '../../../src/ids/gpid.ts';

const node = (id: number, name: string, ...labels: string[]): NodeSpec => ({ id: nodeId(id), name, labels });
const nodes = [
  node(1, 'web1', 'web'),
  node(2, 'web2', 'web', 'gpu'),
  node(3, 'db1', 'gpu'),
  node(7, 'web10', 'web'),
  node(12, 'r1n1'),
];
const self = node(0, 'localhost');
const resolve = (text: string, known: Parameters<typeof resolveNodes>[1] = { nodes }): string =>
  resolveNodes(text, known)
    .map(({ name }) => name)
    .join(' ');

describe('nodes of the cluster', () => {
  it.each([
    ['web1', 'web1'],
    ['3', 'db1'],
    ['3,web1', 'web1 db1'],
    ['web[1-2,10]', 'web1 web2 web10'],
    ['[1-3]', 'web1 web2 db1'],
    ['7,web10,7', 'web10'],
    ['@gpu', 'web2 db1'],
    ['@all', 'web1 web2 db1 web10 r1n1'],
    ['@*', 'web1 web2 db1 web10 r1n1'],
    ['*', 'web1 web2 db1 web10 r1n1'],
    ['web*', 'web1 web2 web10'],
    ['@all!3', 'web1 web2 web10 r1n1'],
    ['@all!web1!12', 'web2 db1 web10'],
    ['@web&@gpu', 'web2'],
    ['@web^@gpu', 'web1 db1 web10'],
    ['[1-3]&web[1-2]', 'web1 web2'],
    ['r1n1', 'r1n1'],
  ])('%j are %s, each once and in the order of the file', (text, names) => {
    expect(resolve(text)).toBe(names);
  });

  it.each([
    ['wbe1', 'unknownNode', "unknown node 'wbe1'; did you mean 'web1'?"],
    ['web99', 'unknownNode', "unknown node 'web99'; did you mean one of 'web[1-2,10]'?"],
    ['db7', 'unknownNode', "unknown node 'db7'; did you mean 'db1'?"],
    ['web[1-4]', 'unknownNode', "unknown nodes 'web3', 'web4'; 'nsh nodes' lists those of the cluster"],
    ['4', 'unknownNode', "unknown node '4'; 'nsh nodes' lists those of the cluster"],
    ['03', 'unknownNode', "unknown node '03'; 'nsh nodes' lists those of the cluster"],
    ['1-3', 'unknownNode', "unknown node '1-3'; a range of ids stands in brackets: [1-3]"],
    ['gpu', 'unknownNode', "unknown node 'gpu'; did you mean '@gpu'?"],
    ['localhost', 'unknownNode', "unknown node 'localhost'; 'nsh nodes' lists those of the cluster"],
    ['@all!nope', 'unknownNode', "unknown node 'nope'; 'nsh nodes' lists those of the cluster"],
    ['@gpo', 'nodeset', "nodeset '@gpo', column 1: no node has the label 'gpo'; did you mean '@gpu'?"],
    ['web1!web1', 'nodeset', "nodeset 'web1!web1' is empty: no node is left to work on"],
    ['x*', 'nodeset', "nodeset 'x*' is empty: no node is left to work on"],
    ['', 'nodeset', "nodeset '' is empty: no node is left to work on"],
    ['web[', 'nodeset', "nodeset 'web[', column 4: this '[' is never closed"],
  ])('%j is refused', (text, code, message) => {
    expect(() => resolve(text)).toThrow(expect.objectContaining({ code, message }));
  });

  it('include this machine by name and id where it is in no cluster file, but not in @all', () => {
    const known = { nodes, self };
    expect(resolve('localhost', known)).toBe('localhost');
    expect(resolve('0,web1', known)).toBe('localhost web1');
    expect(resolve('@all', known)).toBe('web1 web2 db1 web10 r1n1');
  });

  it('are this machine alone without a cluster file', () => {
    const known = { nodes: [self] };
    expect(['localhost', '0', '@all', '*', '[0]'].map((text) => resolve(text, known))).toEqual(
      Array(5).fill('localhost'),
    );
    expect(() => resolve('web1', known)).toThrow("unknown node 'web1'");
  });
});

describe('groups of processes behind @', () => {
  const groups = new Map<string, readonly number[] | undefined>([
    ['web', [3]],
    ['cache', [1, 7]],
    ['cache/2', [7]],
    ['idle', []],
    ['cahce', undefined],
    ['gone', [99]],
  ]);
  const known = { nodes, groups };

  it.each([
    ['@cache', 'web1 web10'],
    ['@cache/2,db1', 'db1 web10'],
    ['@all!@cache', 'web2 db1 r1n1'],
    ['@cache&@web', 'web1 web10'],
    ['@web', 'web1 web2 web10'],
    ['@group:web', 'db1'],
    ['web1,@idle', 'web1'],
  ])('%j are %s: the nodes that run them, and a label comes first', (text, names) => {
    expect(resolve(text, known)).toBe(names);
  });

  it.each([
    [
      '@cahce',
      'nodeset',
      "nodeset '@cahce', column 1: no node has the label 'cahce', and no group is called so; did you mean '@cache'?",
    ],
    ['@idle', 'nodeset', "nodeset '@idle' is empty: idle runs on no node now"],
    [
      '@gone',
      'unknownNode',
      "@gone runs on node 99, which the cluster file does not have; 'nsh cluster diff' tells how it differs",
    ],
  ])('%j is refused', (text, code, message) => {
    expect(() => resolve(text, known)).toThrow(expect.objectContaining({ code, message }));
  });

  it('are what must be asked for, which labels, names and malformed texts are not', () => {
    const asked = (text: string): string => groupsNamed(text, nodes).join(' ');
    expect(['@gpu,web1', '@all!web*', '@*', '@x[', '@', 'x9'].map(asked)).toEqual(Array(6).fill(''));
    expect(asked('@cache/2!@gpu,@group:web,@cache,@cache/2')).toBe('cache/2 web cache');
  });
});
