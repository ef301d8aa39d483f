import { describe, expect, it } from 'vitest';
import { nodeId } from '../../src/ids/gpid.ts';
import { parseProcessName } from '../../src/ids/process-name.ts';
import { NshError } from '../../src/protocol/errors.ts';

const context = {
  current: nodeId(2),
  nodes: [
    { id: nodeId(0), name: 'localhost' },
    { id: nodeId(1), name: 'web1' },
    { id: nodeId(2), name: 'web2' },
    { id: nodeId(3), name: 'db.example' },
    { id: nodeId(99_999), name: 'last' },
  ],
};

describe('a process name', () => {
  it.each([
    ['30004711', 3, 4711, false],
    ['3.4711', 3, 4711, false],
    ['web1.4711', 1, 4711, false],
    ['db.example.4711', 3, 4711, false],
    ['815', 2, 815, false],
    ['4194304', 2, 4_194_304, false],
    ['0.815', 0, 815, false],
    ['localhost.815', 0, 815, false],
    ['999994194304', 99_999, 4_194_304, false],
    ['00815', 2, 815, false],
    ['-30004711', 3, 4711, true],
    ['-3.4711', 3, 4711, true],
    ['-web1.4711', 1, 4711, true],
    ['-815', 2, 815, true],
    ['1', 2, 1, false],
  ])('%j names node %i, PID %i (group: %s)', (text, node, pid, group) => {
    expect(parseProcessName(text, context)).toEqual({ node, pid, gpid: node * 10_000_000 + pid, group });
  });

  it.each([
    ['web', 'usage', /'web' is not a process; write a PID such as 4711, 999990004711 or last\.4711/],
    ['', 'usage', /'' is not a process/],
    ['-', 'usage', /not a process/],
    ['--5', 'usage', /not a process/],
    ['.5', 'usage', /not a process/],
    ['3.', 'usage', /not a process/],
    ['+5', 'usage', /not a process/],
    ['0x10', 'usage', /not a process/],
    ['1e7', 'usage', /not a process/],
    ['12 34', 'usage', /not a process/],
    ['wbe1.4711', 'unknownNode', /no node 'wbe1', named in 'wbe1\.4711'; did you mean 'web1'/],
    ['4.4711', 'unknownNode', /no node '4', named in '4\.4711'; its node ids are 0, 1, 2, 3, 99999/],
    ['40004711', 'unknownNode', /would be process 4711 of node 4, but the cluster has no node 4; its node ids are/],
    ['0', 'noSuchProcess', /PID 0 is the kernel's/],
    ['web1.0', 'noSuchProcess', /PID 0/],
    ['4194305', 'noSuchProcess', /no process has PID 4194305; a node's PIDs end at 4194304/],
    ['web1.9999999', 'noSuchProcess', /end at 4194304/],
    ['34194305', 'noSuchProcess', /no process can have that number; it would be PID 4194305 of node 3/],
    ['30000000', 'noSuchProcess', /it would be PID 0 of node 3/],
    ['1000000000001', 'noSuchProcess', /node ids end at 99999/],
    ['99999999999999999999999999', 'noSuchProcess', /node ids end at 99999/],
    ['-1', 'usage', /every process of a node/],
    ['-web1.1', 'usage', /every process of a node/],
    ['a\u001b[2J.5', 'unknownNode', /'a\\x1b\[2J'/],
  ])('%j is refused as %s', (text, code, message) => {
    const parse = (): unknown => parseProcessName(text, context);
    expect(parse).toThrow(NshError);
    expect(parse).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
  });

  it('of this machine alone is a local PID', () => {
    const alone = { current: nodeId(0), nodes: [{ id: nodeId(0), name: 'localhost' }] };
    expect(parseProcessName('815', alone)).toEqual({ node: 0, pid: 815, gpid: 815, group: false });
    expect(() => parseProcessName('10000815', alone)).toThrow(/no node 1/);
  });
});
