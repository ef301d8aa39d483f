import { existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bindIn, leaveSocketDirectory, makePrivateDirectory } from '../../src/cluster/paths.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'nsh-paths-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test('a socket is bound though its directory goes just before, several times', async () => {
  const directory = join(root, 'sockets');
  const server = createServer();
  let left = 3;
  await bindIn(directory, () => {
    // The last one there leaves between our look and our binding.
    if (left-- > 0) rmdirSync(directory);
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(join(directory, 's'), () => {
        server.off('error', reject);
        resolve();
      });
    });
  });
  expect(statSync(directory).mode & 0o777).toBe(0o700);
  expect(existsSync(join(directory, 's'))).toBe(true);
  server.close();
});

test('a directory that is open to others is refused, and nothing is bound', async () => {
  mkdirSync(join(root, 'open'), { mode: 0o755 });
  let bound = 0;
  const bind = (): Promise<void> => Promise.resolve(void bound++);
  await expect(bindIn(join(root, 'open'), bind)).rejects.toMatchObject({ code: 'unsafeSocket' });
  expect(bound).toBe(0);
});

test('a directory is made with what is missing above it, for its user alone', () => {
  makePrivateDirectory(join(root, 'a/b/c'));
  makePrivateDirectory(join(root, 'a/b/c'));
  for (const path of ['a', 'a/b', 'a/b/c']) expect(statSync(join(root, path)).mode & 0o777).toBe(0o700);
});

test.each([
  ['file/x', /a part of it is not a directory/],
  ['file', /a part of it is not a directory/],
  ['dangling/x', /a link that leads nowhere/],
  ['circle/x', /its links lead in a circle/],
  [`${'x'.repeat(300)}/y`, /File name too long/],
])('%s, which cannot be made, is named with the reason and what to set', (name, reason) => {
  writeFileSync(join(root, 'file'), '');
  symlinkSync(join(root, 'nowhere'), join(root, 'dangling'));
  symlinkSync('circle', join(root, 'circle'));
  const path = join(root, name);
  expect(() => makePrivateDirectory(path)).toThrow(reason);
  expect(() => makePrivateDirectory(path)).toThrow(`${path} cannot be used: `);
  expect(() => makePrivateDirectory(path)).toThrow('set XDG_STATE_HOME to a directory that you may write to');
});

test('what cannot be made below /proc is told at once', () => {
  expect(() => makePrivateDirectory('/proc/nsh/x')).toThrow(/^\/proc\/nsh\/x cannot be used: /);
});

test('only an empty directory that is made for sockets is removed', () => {
  const made = `/tmp/nsh-${process.pid}-0123456789ab`;
  mkdirSync(made);
  writeFileSync(join(made, 'other.sock'), '');
  leaveSocketDirectory(made);
  expect(existsSync(made)).toBe(true);
  rmSync(join(made, 'other.sock'));
  leaveSocketDirectory(made);
  expect(existsSync(made)).toBe(false);
  leaveSocketDirectory(made);
  mkdirSync(join(root, 'empty'));
  leaveSocketDirectory(join(root, 'empty'));
  expect(existsSync(join(root, 'empty'))).toBe(true);
});
