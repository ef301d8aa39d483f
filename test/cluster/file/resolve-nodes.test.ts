import { describe, expect, it } from 'vitest';
import { resolveNodes } from '../../../src/cluster/file/index.ts';
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
