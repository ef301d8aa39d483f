/** The tour, run as a person runs it: off a terminal, on one, and broken off. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { programPath } from '../../src/cluster/programs.ts';
import { waitUntil } from './wait-until.ts';

const run = promisify(execFile);
const nsh = [process.execPath, programPath('nsh')] as const;
const deadlineMs = 60_000;

/** Directories of demos that are there now; other tests may have theirs at the same time. */
const demos = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('nsh-demo-'));

function expectWholeTour(output: string): void {
  const commands = output.split(/\r?\n/).flatMap((line) => /^\$ nsh (\S+)/.exec(line)?.[1] ?? []);
  const first = ['nodes', 'run', 'run', 'run', 'ps', 'attach', 'kill', 'wait', 'logs'];
  expect(commands).toEqual([...first, 'group', 'kill', 'group', 'group']);
  expect(output).toMatch(/^web\/3 +n\d/m);
  const sleeper = /^2000\d{4}$/m.exec(output.replaceAll('\r', ''))?.[0];
  expect(output).toContain(`$ nsh kill -TERM ${sleeper}`);
  expect(output).toMatch(/^n1: n1\r?$/m);
  expect(output).toMatch(/^n2: 8\r?$/m);
  expect(output).toContain('(exit status 143: 128 + 15, ended by SIGTERM)');
}

describe('the tour', () => {
  it(
    'goes through without a terminal, ends with status 0 and says nothing on stderr',
    async () => {
      const [file, ...args] = [...nsh, 'demo', '-n', '2'];
      const child = run(file ?? '', args, { timeout: deadlineMs });
      child.child.stdin?.end();
      const { stdout, stderr } = await child;
      expectWholeTour(stdout);
      expect(stderr).toBe('');
    },
    deadlineMs,
  );

  it(
    'goes through on a terminal, and attaches to one there',
    async () => {
      // script(1) makes a terminal, of no size; its own input is none.
      const line = `stty cols 100 rows 30; ${nsh.join(' ')} demo --tour -n 2`;
      const child = run('script', ['-qec', line, '/dev/null'], { timeout: deadlineMs });
      child.child.stdin?.end();
      const plain = (await child).stdout.replaceAll(/\u001b(?:\[[\d;?!]*[A-Za-z]|\(B|[78=>])|\u000f/g, '');
      expectWholeTour(plain);
      expect(plain).toMatch(/\$ nsh attach \d+\s+n2: 1\r?$/m);
    },
    deadlineMs,
  );

  it(
    'is broken off by SIGINT at once, and leaves nothing',
    async () => {
      const before = demos();
      const [file, ...args] = [...nsh, 'demo', '-n', '1'];
      const child = spawn(file ?? '', args, { stdio: ['ignore', 'pipe', 'ignore'] });
      let output = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
      await waitUntil('the tour attaches', () => output.includes('$ nsh attach'), deadlineMs);
      const asked = performance.now();
      child.kill('SIGINT');
      const [code] = (await once(child, 'close')) as [number];
      expect(code).toBe(130);
      expect(performance.now() - asked).toBeLessThan(10_000);
      await waitUntil('its directory has gone', () => demos().every((name) => before.includes(name)));
    },
    deadlineMs,
  );
});
