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

describe('a directory on the PATH that may not be searched', () => {
  /** Without root's right to search everything; access(2) goes by the real user, so only a look through stat(2) is refused. */
  function asNobody<T>(look: () => T): T {
    if (process.getuid?.() !== 0) return look();
    process.seteuid?.(65_534);
    try {
      return look();
    } finally {
      process.seteuid?.(0);
    }
  }
  const locked = (): string => join(root, 'locked');
  beforeAll(() => {
    mkdirSync(locked(), { mode: 0o000 });
    chmodSync(root, 0o755);
  });

  it('is passed over, as execvp(3) does', () => {
    expect(asNobody(() => findCommand('plain', `${locked()}:${root}/b`, '/'))).toBe(`${root}/b/plain`);
  });

  it('is remembered where nothing else is found', () => {
    const look = (): unknown => asNobody(() => findCommand('no-such', `${locked()}:${root}/b`, '/'));
    expect(look).toThrow(
      expect.objectContaining({ code: 'commandNotExecutable', message: 'no-such: Permission denied' }),
    );
  });
});

describe('checkDirectory', () => {
  it('takes a directory and says what else it is', () => {
    checkDirectory(root);
    expect(() => checkDirectory(join(root, 'here'))).toThrow('Not a directory');
    expect(() => checkDirectory(join(root, 'missing'))).toThrow('No such file or directory');
  });
});
