import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { maxLogBytes, turnOver } from '../../../agent/daemon/log.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'nsh-log-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

it('a log that has grown too large begins anew, and what was in it stays beside it once', () => {
  const path = join(directory, 'agent.log');
  const fd = openSync(path, 'a');
  try {
    writeSync(fd, 'small\n');
    turnOver(fd);
    expect([readFileSync(path, 'utf8'), existsSync(`${path}.1`)]).toEqual(['small\n', false]);
    writeSync(fd, 'x'.repeat(maxLogBytes));
    turnOver(fd);
    writeSync(fd, 'next\n');
    expect(readFileSync(path, 'utf8')).toBe('next\n');
    expect(readFileSync(`${path}.1`)).toHaveLength('small\n'.length + maxLogBytes);
  } finally {
    closeSync(fd);
  }
});
