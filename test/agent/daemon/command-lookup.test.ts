import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkDirectory, findCommand } from '../../../agent/daemon/command-lookup.ts';
import { NshError } from '../../../src/protocol/errors.ts';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'nsh-path-'));
  for (const name of ['a', 'b', 'dir']) mkdirSync(join(root, name));
  writeFileSync(join(root, 'a/plain'), '');
  writeFileSync(join(root, 'b/plain'), '#!/bin/sh\necho b\n', { mode: 0o755 });
  writeFileSync(join(root, 'a/only-plain'), '');
  writeFileSync(join(root, 'here'), '#!/bin/sh\n', { mode: 0o755 });
  mkdirSync(join(root, 'a/folder'));
  chmodSync(join(root, 'a/plain'), 0o644);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** What a shell says of the same name: path, or the status it fails with. */
function shell(name: string, path: string): number {
  return spawnSync('/bin/bash', ['-c', '"$0"', name], { cwd: root, env: { PATH: path } }).status ?? -1;
}
function ours(name: string, path: string): number {
  try {
    findCommand(name, path, root);
    return 0;
  } catch (error) {
    return error instanceof NshError ? error.exitStatus : -1;
  }
}

describe('findCommand', () => {
  it.each([
    ['plain', 'a:b', 0],
    ['only-plain', 'a:b', 126],
    ['nothing', 'a:b', 127],
    ['./here', 'a', 0],
    ['here', 'a:.', 0],
    ['here', 'a:', 0],
    ['./nothing', 'a', 127],
    ['./a/plain', 'a', 126],
    ['./dir', 'a', 126],
    ['folder', 'a', 127],
  ])('finds %s on PATH=%s as bash does: status %d', (name, path, status) => {
    const absolute = path
      .split(':')
      .map((part) => (part === '' || part === '.' ? part : join(root, part)))
      .join(':');
    expect(shell(name, absolute)).toBe(status);
    expect(ours(name, absolute)).toBe(status);
  });

  it('takes the first that may run and names what it refuses', () => {
    expect(findCommand('plain', `${root}/a:${root}/b`, '/')).toBe(`${root}/b/plain`);
    expect(() => findCommand('no-such', '/bin', '/')).toThrow('no-such: command not found');
    expect(() => findCommand('', '/bin', '/')).toThrow("'': command not found");
  });
});

describe('checkDirectory', () => {
  it('takes a directory and says what else it is', () => {
    checkDirectory(root);
    expect(() => checkDirectory(join(root, 'here'))).toThrow('Not a directory');
    expect(() => checkDirectory(join(root, 'missing'))).toThrow('No such file or directory');
  });
});
