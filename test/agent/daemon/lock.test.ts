import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { takeLock } from '../../../agent/daemon/lock.ts';
import { bootIdentity, readStart } from '../../../src/cluster/this-machine.ts';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'nsh-lock-'));
  path = join(directory, 'agent.lock');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('the lock of an agent', () => {
  it('is held by one, and free again after its release', () => {
    const lock = takeLock(path);
    expect(() => takeLock(path)).toThrow(expect.objectContaining({ code: 'agentFailed', data: { running: true } }));
    lock.release();
    expect(readdirSync(directory)).toEqual([]);
    takeLock(path).release();
  });

  it('names the holder that lives', () => {
    takeLock(path);
    expect(() => takeLock(path)).toThrow(`PID ${process.pid}`);
  });

  it('goes over from a holder that has ended', async () => {
    const child = spawn('true');
    const start = readStart(child.pid ?? 0);
    await once(child, 'exit');
    writeFileSync(path, `${child.pid} ${start} ${bootIdentity()}\n`);
    takeLock(path);
    expect(readFileSync(path, 'latin1')).toContain(`${process.pid} `);
  });

  it('goes over where the number of the holder is another process now', () => {
    writeFileSync(path, `${process.pid} ${Number(readStart(process.pid)) - 1} ${bootIdentity()}\n`);
    takeLock(path);
    expect(readFileSync(path, 'latin1')).toContain(String(readStart(process.pid)));
  });

  it('goes over after a reboot, whatever its number is now', () => {
    writeFileSync(path, `${process.pid} ${readStart(process.pid)} an-earlier-boot-17\n`);
    takeLock(path);
    expect(readFileSync(path, 'latin1')).toContain(bootIdentity());
  });

  it('is not removed by one that has lost it', () => {
    const lock = takeLock(path);
    writeFileSync(path, '1 2 other\n');
    lock.release();
    expect(existsSync(path)).toBe(true);
  });
});
