/** Ready probes on real files and real processes: what is asked for must never hold up or end the agent. */
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LineReader, maxMatchMs } from '../../../agent/supervision/line-reader.ts';
import { Probe } from '../../../agent/supervision/probe.ts';
import type { ReadyProbe } from '../../../src/policy/supervision/spec.ts';
import { waitUntil } from '../../e2e/wait-until.ts';

let directory: string;
let probes: Probe[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'nsh-probe-'));
  probes = [];
});
afterEach(() => {
  for (const probe of probes) probe.stop();
  rmSync(directory, { recursive: true, force: true });
});

function ask(probe: ReadyProbe, environment: Readonly<Record<string, string>> = {}) {
  const seen: { changes: boolean[]; faults: string[] } = { changes: [], faults: [] };
  probes.push(
    new Probe({
      probe,
      cwd: directory,
      environment: { PATH: process.env['PATH'] ?? '', ...environment },
      directory,
      isReady: false,
      onChange: (isReady) => seen.changes.push(isReady),
      onFault: (why) => seen.faults.push(why),
    }),
  );
  return seen;
}

/** PIDs of all processes with that word in their environment. */
function processesWith(word: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(word);
    } catch {
      return false; // It has ended, or is another user's.
    }
  });
}

describe('the log of a replica', () => {
  it('is read to its end, whatever the size of its parts', () => {
    const reader = new LineReader(directory, 'stdout', /^up$/u);
    const first = `${'x'.repeat(99)}\n`.repeat(12_000);
    writeFileSync(join(directory, 'stdout'), `${first}up\n`);
    writeFileSync(join(directory, `stdout.${String(first.length + 3).padStart(13, '0')}`), 'more\n');
    expect([reader.finds(), reader.finds()]).toEqual([false, true]);
  });

  it('has a line that comes in pieces', () => {
    const reader = new LineReader(directory, 'stdout', /^ready to serve/u);
    expect(reader.finds()).toBe(false);
    writeFileSync(join(directory, 'stdout'), 'hello\nready to ');
    expect(reader.finds()).toBe(false);
    appendFileSync(join(directory, 'stdout'), 'serve');
    expect(reader.finds()).toBe(true);
  });

  it('is given up, and people are told, where the expression backtracks for ever', async () => {
    writeFileSync(join(directory, 'stdout'), `${'a'.repeat(60)}!\n`);
    const from = performance.now();
    const seen = ask({ kind: 'log', pattern: '^(a+)+$' });
    await waitUntil(() => seen.faults.length > 0, 'the fault');
    expect(performance.now() - from).toBeLessThan(maxMatchMs + 4_000);
    expect(seen).toEqual({ changes: [], faults: [expect.stringMatching(/takes longer than 100 ms: it backtracks/)] });
  });
});

describe('a command that tells whether a replica is ready', () => {
  it('leaves nothing behind, attempt after attempt', async () => {
    const word = `NSH_PROBE_TEST=${process.pid}`;
    const count = join(directory, 'count');
    ask({ kind: 'exec', command: `sleep 1000 & echo >>${count}; false` }, { NSH_PROBE_TEST: String(process.pid) });
    const attempts = (): number => (existsSync(count) ? readFileSync(count).length : 0);
    await waitUntil(() => attempts() >= 3, 'three attempts');
    // Those of the newest one at most.
    expect(processesWith(word).length).toBeLessThanOrEqual(2);
    for (const probe of probes) probe.stop();
    await waitUntil(() => processesWith(word).length === 0, 'the end of what was started');
  });

  it('is tried again where it could not be started', async () => {
    rmSync(directory, { recursive: true });
    const seen = ask({ kind: 'exec', command: 'true' });
    await waitUntil(() => seen.faults.length > 0, 'the fault');
    expect(seen).toEqual({ changes: [], faults: [expect.stringMatching(/ENOENT/)] });
  });
});
