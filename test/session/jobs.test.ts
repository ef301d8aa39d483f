import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSession, testNodes, type TestSession } from './session-fixture.ts';

let shell: TestSession;

beforeEach(() => {
  shell = openSession({ nodes: testNodes(2) });
});

afterEach(() => {
  shell.dispose();
});

describe('a job', () => {
  it('is listed, waited for and gone', async () => {
    const { stdout } = await shell.run('sleep 0.1 &', 'jobs', 'wait', 'jobs; echo $?');
    expect(stdout).toBe('[1]+  Running                 sleep 0.1 &\n0\n');
  });

  it('is what $! names, in later lines too', async () => {
    const { stdout } = await shell.run(
      '(exit 6) &',
      'p=$!; echo "[${!}]" | grep -cE "^.[0-9]+.$"; echo \'$!\'',
      'wait $p; echo $?',
    );
    expect(stdout).toBe('1\n$!\n6\n');
  });

  it('is signalled by its number, its text and its id, with everything it started', async () => {
    const { stdout } = await shell.run(
      'sleep 30 &',
      'kill %1',
      'wait %1',
      'echo $?',
      'sleep 31 &',
      'kill -9 %sl',
      'wait $!',
      'echo $?',
    );
    expect(stdout).toBe('143\n137\n');
    const { stdout: left } = await shell.run('sleep 32 & kill -INT $!; wait $!; echo $?');
    expect(left).toBe('130\n');
  });

  it('may be a pipeline over nodes', async () => {
    const { stdout } = await shell.run('@web1 echo a | @web2 tr a b &', 'wait $!; echo $?');
    expect(stdout).toBe('b\n0\n');
  });

  it('has the session’s state and changes none of it', async () => {
    const { stdout } = await shell.run(
      'x=1; f() { echo f$x; }; trap "echo bye" EXIT',
      '{ f; x=2; } &',
      'wait; echo $x',
    );
    expect(stdout).toBe('f1\n1\n');
  });

  it('ends neither the session nor the line where it fails', async () => {
    const { stdout } = await shell.run('set -e; true', 'false & echo on', 'wait -n || echo failed');
    expect(stdout).toBe('on\nfailed\n');
  });
});
